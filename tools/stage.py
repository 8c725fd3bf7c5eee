"""The stage that a command works against: its base URL and a token, from the environment."""

import os
from urllib.parse import urlsplit

from tools.api import Api

URL, TOKEN = "API", "TOKEN"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
HINT = "`make up` prints both for a stage on this machine; of a deployed one, the URL is the stack's output ApiUrl"


class NoStage(Exception):  # noqa: N818 - what is wrong with the environment
    """The environment does not say which stage, or not in a way that is safe."""


def connect() -> Api:
    """The API of the stage that the environment names. Nothing is sent yet.

    Raises:
        NoStage: a variable is missing, or the token would travel in the clear.
    """
    for name, what in ((URL, "the stage's base URL"), (TOKEN, "a token for it")):
        if not os.environ.get(name):
            raise NoStage(f"set {name} to {what}. {HINT}.")
    url, token = urlsplit(os.environ[URL]), os.environ[TOKEN].strip()
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise NoStage(
            f"{URL} must begin with https://, so that nobody on the way reads the token (http:// only on this machine)"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NoStage(f"{TOKEN} must be one JWT without blanks, not a header")
    return Api(os.environ[URL].rstrip("/"), token)
