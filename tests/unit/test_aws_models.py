"""Our own part of botocore's descriptions says what botocore's own says, of less."""

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from sluice.platform import aws

FOLDER = Path(aws.__file__).parent / "aws_models"
MODELS = sorted(FOLDER.glob("*/*/service-2.json"))


def same(ours: dict[str, Any], whole: dict[str, Any], name: str, other: str) -> None:
    """The shape `name` of ours is the shape `other` of theirs, as far as it goes."""
    mine, theirs = ours["shapes"][name], whole["shapes"][other]
    assert mine["type"] == theirs["type"]
    for member, shape in mine.get("members", {}).items():
        same(ours, whole, shape["shape"], theirs["members"][member]["shape"])
    if "member" in mine:
        same(ours, whole, mine["member"]["shape"], theirs["member"]["shape"])


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parts[-3])
def test_a_part_agrees_with_the_whole(path: Path) -> None:
    version, service = path.parts[-2], path.parts[-3]
    ours = json.loads(path.read_text(encoding="utf-8"))
    loader = botocore.session.get_session().get_component("data_loader")
    assert str(FOLDER) not in loader.search_paths
    whole = loader.load_service_model(service, "service-2", version)
    assert ours["metadata"].items() <= whole["metadata"].items()
    assert ours["operations"]
    for name, operation in ours["operations"].items():
        theirs = whole["operations"][name]
        assert operation["http"] == theirs["http"]
        for direction in ("input", "output"):
            same(ours, whole, operation[direction]["shape"], theirs[direction]["shape"])
