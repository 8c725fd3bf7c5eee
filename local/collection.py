"""The API as a file of requests that editors can send (`docs/sluice.http`), made from the API's own document.

`make collection` writes it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sluice.operator import api

FILE = Path(__file__).parents[1] / "docs" / "sluice.http"
HEAD = """\
# Every route of the API, to be sent from an editor that knows .http files (VS Code with REST Client, JetBrains).
# Made from the API's document by `make collection`; do not change it by hand.
# `make up` prints api and token for the laptop; what stands in {{…}} below is an id that an answer gave you.

@api = https://api.example.com
@token = a-token
"""


def collection(document: dict[str, Any]) -> str:
    """The file's text: one request for each operation of `document`, by tag and path."""
    order = [tag["name"] for tag in document["tags"]]
    requests = [
        (order.index(operation["tags"][0]), path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    parts = [HEAD]
    for _, path, method, operation in sorted(requests, key=lambda request: request[:3]):
        parts.append("\n".join(_request(path, method, operation)))
    return "\n".join(parts)


def _request(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### {operation['tags'][0]}: {operation['summary']}"
    yield f"# @name {operation['operationId']}"
    needed = [one["name"] for one in operation["parameters"] if one.get("in") == "query" and one["required"]]
    query = "&".join(f"{name}={{{{{name}}}}}" for name in needed)
    filled = path.replace("{", "{{").replace("}", "}}")
    yield f"{method.upper()} {{{{api}}}}{filled}{'?' if query else ''}{query}"
    if operation["security"]:
        yield "Authorization: Bearer {{token}}"
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        yield "Content-Type: application/json"
        yield ""
        yield json.dumps(content["example"], indent=2, ensure_ascii=False)
    yield ""


def main() -> None:
    """Write the file."""
    FILE.write_text(collection(api.document()), encoding="utf-8")
    print(f"wrote {FILE.name}")


if __name__ == "__main__":
    main()
