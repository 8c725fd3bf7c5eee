"""What must never be committed: secrets, paths of somebody's machine, addresses of package registries."""

import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from local.cloud.cloud import ROOT

LOCKS = sorted([*ROOT.glob("requirements/*.txt"), ROOT / "layers" / "common" / "requirements.txt"])

FORBIDDEN = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
    "a password in an address": r"://[^/\s:@\"'{}]+:[^/\s:@\"'{}]+@",
    "a home folder": r"(?<![\w.])/(?:home|Users)/[a-z]\w*|(?<![\w.])/root/",
    "a package registry": r"--(?:extra-)?index-url|--find-links|(?:PIP|UV)_(?:EXTRA_)?INDEX",
}


@cache
def texts() -> Mapping[Path, str]:
    """Every file that git knows or would add, and that holds text."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = {ROOT / name for name in listing.stdout.decode().split("\0") if name}
    held = {path: path.read_bytes() for path in sorted(paths) if path.is_file()}
    return {path: content.decode() for path, content in held.items() if b"\0" not in content[:1024]}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, text in texts().items()
        if path != Path(__file__) and pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("an AWS access key", "key = AKIA" + "ABCDEFGHIJKLMNOP"),
        ("a private key", "-----BEGIN RSA " + "PRIVATE KEY-----"),
        ("a signed token", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NSJ9." + "x" * 30),
        ("a password in an address", "https://someone:" + "secret@example.com"),
        ("a home folder", "path = /home/" + "someone/code"),
        ("a package registry", "--index" + "-url https://example.com"),
    ],
)
def test_each_pattern_finds_what_it_is_for(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_locks_pin_every_package_by_hash_and_name_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_layer_and_tests_use_the_same_versions() -> None:
    def versions(lock: str) -> set[str]:
        return set(re.findall(r"^[\w.-]+==\S+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert versions("layers/common/requirements.txt") <= versions("requirements/dev.txt")


def test_layer_leaves_out_what_lambda_brings() -> None:
    text = (ROOT / "layers" / "common" / "requirements.txt").read_text(encoding="utf-8")
    assert not re.findall(r"^(?:boto3|botocore|s3transfer|urllib3|six|python-dateutil)==", text, re.MULTILINE)
