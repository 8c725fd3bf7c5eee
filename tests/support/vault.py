"""AWS KMS within this process, for a store's `services`: it changes what it encrypts, and binds it to its context."""

import json
from typing import Any

from botocore.exceptions import ClientError


def kms(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """Encrypt or Decrypt. Raises ClientError when something was encrypted under another context."""
    context = json.dumps(given["EncryptionContext"], sort_keys=True).encode()
    if operation == "Encrypt":
        return {"CiphertextBlob": context + b"\0" + given["Plaintext"][::-1]}
    sealed_for, _, text = bytes(given["CiphertextBlob"]).partition(b"\0")
    if sealed_for != context:
        raise ClientError({"Error": {"Code": "InvalidCiphertextException", "Message": ""}}, operation)
    return {"Plaintext": text[::-1]}
