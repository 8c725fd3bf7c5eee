"""template.yaml as plain data, with its functions' code packed."""

import compileall
import io
import json
import py_compile
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

from local.cloud.cloud import ROOT

TEMPLATE = ROOT / "template.yaml"

Template = dict[str, Any]


def load(path: Path = TEMPLATE) -> Template:
    """The template at `path`, with its tags written out (`!Ref X` is `{"Ref": "X"}`) and its loops unrolled.

    What depends on the stage stays as it is written.
    """
    loaded: Template = json.loads(_parsed(path.read_text(encoding="utf-8")))
    return loaded


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML with SAM's tags, where PyYAML has libyaml seven times as fast as SAM itself."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


@cache
def _parsed(text: str) -> str:
    """The template as JSON. A process of the tests asks for it again and again."""
    template: Template = yaml.load(text, Loader=_Loader)
    return json.dumps(_unrolled(template, {}, template.get("Mappings", {})))


def _unrolled(node: Any, loop: dict[str, str], mappings: dict[str, Any]) -> Any:
    """`node` with each `Fn::ForEach` replaced by what it stands for. loop: the values of the loops around it, by name.

    CloudFormation, sam and the local cloud do the same; this is for whoever reads the template in code.
    """
    if isinstance(node, list):
        return [_unrolled(one, loop, mappings) for one in node]
    if isinstance(node, str):
        for name, value in loop.items():
            node = node.replace(f"${{{name}}}", value)
        return node
    if not isinstance(node, dict):
        return node
    if node.get("Ref") in loop:
        return loop[node["Ref"]]
    unrolled = Template()
    for key, value in node.items():
        if key.startswith("Fn::ForEach::"):
            name, values, body = value
            for one in values:
                unrolled |= _unrolled(body, {**loop, name: one}, mappings)
        else:
            unrolled[_unrolled(key, loop, mappings)] = _unrolled(value, loop, mappings)
    return _looked_up(unrolled, mappings) if loop else unrolled


def _looked_up(node: Template, mappings: dict[str, Any]) -> Any:
    """The value that a `Fn::FindInMap` leads to, or the `Fn::Sub` with such values filled in; else `node`."""
    match node:
        case {"Fn::FindInMap": [str(table), str(row), str(column)]}:
            return mappings[table][row][column]
        case {"Fn::Sub": [str(text), {**values}]} if all(isinstance(value, str) for value in values.values()):
            for name, value in values.items():
                text = text.replace(f"${{{name}}}", str(value))
            return {"Fn::Sub": text} if "${" in text else text
    return node


def resources(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical name and properties of each resource of the type `kind`."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def statements(template: Template, function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every policy statement of a function: its own, and those of the managed policies that it bears."""
    for policy in function.get("Policies", []):
        own = template["Resources"][policy["Ref"]]["Properties"]["PolicyDocument"] if "Ref" in policy else policy
        yield from own["Statement"]


def pack(folder: Path, prefix: str = "") -> bytes:
    """A zip of everything in `folder`, below `prefix`. The same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(prefix + path.relative_to(folder).as_posix()), path.read_bytes())
    return buffer.getvalue()


def pack_function(folder: Path) -> bytes:
    """The zip of one function's folder, without what its last run left there."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copytree(folder, Path(scratch) / "code", ignore=shutil.ignore_patterns("__pycache__"))
        return pack(copy)


def pack_layer() -> bytes:
    """The common layer as the local cloud needs it: shared/sluice with its bytecode, so that no cold start compiles.

    The third-party packages come from the interpreter that runs ministack.
    """
    with tempfile.TemporaryDirectory() as scratch:
        sluice = Path(scratch) / "python" / "sluice"
        shutil.copytree(ROOT / "shared" / "sluice", sluice, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(sluice, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        return pack(Path(scratch))
