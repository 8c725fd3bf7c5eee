"""What `pipx install .` installs: the command alone, which needs nothing of the engine."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from flit_core import buildapi

import sluice_command
from local.cloud.cloud import ROOT

PACKAGE = ROOT / "sluice_command"
NEEDED = {"click", "httpx", "rich"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return folder / str(buildapi.build_wheel(str(folder)))


def test_the_wheel_holds_the_command_and_nothing_of_the_engine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        [metadata] = [packed.read(name).decode() for name in names if name.endswith("/METADATA")]
        [scripts] = [packed.read(name).decode() for name in names if name.endswith("/entry_points.txt")]
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"sluice_command", "sluice"}
    assert [name for name in names if name.startswith("sluice/")] == []
    assert f"Version: {sluice_command.__version__}" in metadata
    needed = {
        line.removeprefix("Requires-Dist: ").partition(">")[0]
        for line in metadata.splitlines()
        if "Requires-Dist" in line
    }
    assert needed == NEEDED
    assert "sluice=sluice_command.__main__:run" in scripts.replace(" ", "")


def test_it_runs_from_the_wheel_without_engine_and_aws(wheel: Path) -> None:
    """The wheel alone is on the path; what is not to be needed cannot be imported."""
    blocked = "import sys; sys.modules |= dict.fromkeys(('sluice', 'boto3', 'botocore', 'pydantic', 'local'));"
    run = f"{blocked} from sluice_command.main import main; sys.exit(main(['--version']))"
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=wheel.parent, env={"PYTHONPATH": str(wheel)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"sluice, version {sluice_command.__version__}\n"), done.stderr


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_module_imports_what_is_declared(path: Path) -> None:
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    assert found - set(sys.stdlib_module_names) - NEEDED <= {"sluice_command"}


def test_what_is_tested_is_what_is_allowed() -> None:
    """The versions of the lock are within the ranges that a stranger's `pipx install .` may take."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    for name in NEEDED:
        [wanted] = [one for one in project["dependencies"] if one.startswith(name)]
        low, high = wanted.removeprefix(name).split(",")
        [pinned] = [line.split("==")[1].split()[0] for line in lock.splitlines() if line.startswith(f"{name}==")]
        version = tuple(map(int, pinned.split(".")))
        assert tuple(map(int, low.removeprefix(">=").split("."))) <= version < tuple(map(int, high[1:].split(".")))


def test_the_functions_do_not_carry_it() -> None:
    assert "sluice_command" not in (ROOT / "layers" / "common" / "Makefile").read_text(encoding="utf-8")
    assert "sluice_command" not in (ROOT / "template.yaml").read_text(encoding="utf-8")
