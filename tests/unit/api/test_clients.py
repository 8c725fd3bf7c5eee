"""Clients that known generators make from the document run the README's quick start against the real handlers."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from local.cloud.cloud import ROOT
from tests.support.served import serve
from tests.support.wsgi import Guarded
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import document

TYPESCRIPT = ROOT / "tests" / "clients" / "typescript"
# `make typescript` installs the generator there, where the machine has Node.
INSTALLED = ROOT / ".cache" / "typescript" / "node_modules"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The name of the package that openapi-python-client makes, importable, and what it said."""
    folder, name = tmp_path_factory.mktemp("client"), "client_of_sluice"
    (folder / "openapi.json").write_text(json.dumps(document()), encoding="utf-8")
    (folder / "config.yml").write_text("post_hooks: []\n", encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    options = ["--path", "openapi.json", "--output-path", name, "--config", "config.yml"]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=True)
    sys.path.insert(0, str(folder))
    yield name, done.stdout + done.stderr
    sys.path.remove(str(folder))
    for loaded in [one for one in sys.modules if one.split(".")[0] == name]:
        del sys.modules[loaded]


def test_the_python_generator_leaves_no_route_out(generated: tuple[str, str]) -> None:
    name, said = generated
    package = Path(importlib.import_module(name).__file__ or "").parent
    made = {path.stem for path in package.glob("api/*/*.py")} - {"__init__"}
    assert made == {one["operationId"] for path in document()["paths"].values() for one in path.values()}
    assert "Duplicate" not in said
    assert "ERROR" not in said
    assert not [line for line in said.splitlines() if line.startswith("Unsupported") and not _is_a_file(line)]


def test_the_python_client_runs_the_quick_start(acme: Cloud, generated: tuple[str, str]) -> None:
    name, _ = generated
    acme.price("DD1391-100")

    def of(path: str) -> ModuleType:
        return importlib.import_module(f"{name}.{path}")

    with serve(Guarded(roles="operator")) as api, of("client").AuthenticatedClient(base_url=api, token="t") as client:
        item = of("models.refresh_body").RefreshBody.from_dict(
            {"sku": "DD1391-100", "size": "10", "priority": "manual"}
        )
        asked = of("api.prices.refresh_prices").sync(client=client, body=of("models.refresh").Refresh(items=[item]))
        assert asked.items[0].outcome.value == "created"
        read = of("api.prices.find_prices").sync(client=client, sku="DD1391-100")
        assert [one.ask for one in read.prices] == ["150"]
        assert read.prices[0].observed_at.tzinfo is not None  # a time, and not its text
        job = of("api.jobs.get_job").sync(client=client, job_id=asked.items[0].job_id)
        assert job.state.value == "queued"
        refused = of("api.prices.refresh_prices").sync(client=client, body=of("models.refresh").Refresh(items=[]))
        assert refused.error.fields[0].field == "items"


def test_the_typescript_client_runs_the_quick_start(acme: Cloud, tmp_path: Path) -> None:
    if not INSTALLED.exists():
        pytest.skip("needs Node: `make typescript` installs the TypeScript generator")
    acme.price("DD1391-100")
    for file in TYPESCRIPT.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "node_modules").symlink_to(INSTALLED)
    (tmp_path / "openapi.json").write_text(json.dumps(document()), encoding="utf-8")
    _node(tmp_path, "openapi-typescript/bin/cli.js", "openapi.json", "-o", "schema.ts", "--default-non-nullable=false")
    _node(tmp_path, "typescript/bin/tsc")
    with serve(Guarded(roles="operator")) as api:
        said = subprocess.run(
            ["node", "quick_start.js", api, "t"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    assert json.loads(said.stdout) == {"outcome": "created", "asks": ["150"], "field": "items"}


def _node(folder: Path, script: str, *arguments: str) -> None:
    done = subprocess.run(
        ["node", f"node_modules/{script}", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _is_a_file(line: str) -> bool:
    """Whether it says that a file cannot be sent: JSON can, to the same route."""
    return any(kind in line for kind in ("csv", "tab-separated", "ms-excel"))
