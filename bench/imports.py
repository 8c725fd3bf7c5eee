"""What a function's cold start costs after the interpreter is up, against a floor that no function can go below.

Counted are instructions (valgrind's cachegrind), which do not depend on what else the machine does; where valgrind is
missing, the CPU time of the best of some runs. A function counts with all that its first event needs: its handler, the
clients of DynamoDB and of the configuration, and where marketplaces are called the code of every job kind and the
adapter, which a job loads.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from bench import ROOT
from bench.row import Row
from local.cloud import template as templates

FLOOR = """
import boto3
from aws_lambda_powertools import Logger, Metrics
Logger()
Metrics()
boto3.client("dynamodb")
"""
FUNCTION = "import sys; sys.path.insert(0, {folder!r}); import handler"
CLIENT = "from sluice.platform import aws; aws.client({service!r})"
# Clients that every event needs where the function's policies name the service.
SERVICES = ("dynamodb", "ssm")
JOBS = "from sluice.jobs.model import kinds; [kind.load() for kind in kinds.served()]"
ADAPTER = "from sluice.marketplaces import registry; registry.get({marketplace!r}).load()"

# Times the floor, by what a function is.
PLAIN, MARKETPLACE, API = 1.15, 1.5, 1.6
RUNS = 7

LAYER = ROOT / "layers" / "common" / "requirements.txt"
# What Lambda's own Python brings.
LAMBDA_HAS = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "urllib3", "six")
# Without site-packages: only what PYTHONPATH names.
PYTHON = (sys.executable, "-S", "-c")


def run() -> list[Row]:
    functions = {
        Path(function["CodeUri"]).name: function
        for _, function in templates.resources(templates.load(), "AWS::Serverless::Function")
    }
    scripts = {"nothing": "pass", "floor": FLOOR, **{name: _script(name, functions[name]) for name in functions}}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as scratch:
        environment = _environment(_packages(Path(scratch)), Path(scratch) / "bytecode")

        def cost(script: str) -> float:
            subprocess.run([*PYTHON, script], env=environment, check=True)  # writes the bytecode
            return _instructions(script, environment) if shutil.which("valgrind") else _seconds(script, environment)

        with ThreadPoolExecutor((os.cpu_count() or 1) if shutil.which("valgrind") else 1) as pool:
            costs = dict(zip(scripts, pool.map(cost, scripts.values()), strict=True))
    floor = costs["floor"] - costs["nothing"]
    unit = "instructions (cachegrind)" if shutil.which("valgrind") else f"CPU time, best of {RUNS}"
    conditions = f"{unit} over the floor's {floor / 1e9:.2f} billion, bytecode at hand, Python {sys.version.split()[0]}"
    return [
        Row(f"cold start of {name}", conditions, (costs[name] - costs["nothing"]) / floor, most=_most(functions[name]))
        for name in functions
    ]


def _script(name: str, function: templates.Template) -> str:
    policies = str(list(templates.statements(templates.load(), function)))
    parts = [FUNCTION.format(folder=str(ROOT / "functions" / name))]
    parts += [CLIENT.format(service=service) for service in SERVICES if f"{service}:" in policies]
    parts += [JOBS, ADAPTER.format(marketplace=called[0])] if (called := _marketplaces(function)) else []
    parts += [JOBS] if _fetches_pages(function) else []
    return "; ".join(parts)


def _marketplaces(function: templates.Template) -> list[str]:
    """Those whose jobs the function runs. One of the API that calls a marketplace does so for few of its requests."""
    if _answers_http(function):
        return []
    variables = function.get("Environment", {}).get("Variables", {})
    return sorted(
        (name.removesuffix("_API_URL").lower() for name in variables if name.endswith("_API_URL")), reverse=True
    )


def _fetches_pages(function: templates.Template) -> bool:
    """Whether it loads what pages of shops are fetched and read with."""
    return "PAGES_CONTACT" in function.get("Environment", {}).get("Variables", {})


def _answers_http(function: templates.Template) -> bool:
    return any(event["Type"] == "HttpApi" for event in function.get("Events", {}).values())


def _most(function: templates.Template) -> float:
    if _answers_http(function):
        return API
    sends_webhooks = "WEBHOOK_QUEUE_URL" in function["Environment"]["Variables"]
    calls = _marketplaces(function) or sends_webhooks or _fetches_pages(function)
    return MARKETPLACE if calls else PLAIN


def _packages(scratch: Path) -> Path:
    """A folder with the packages that a function has in Lambda. httpx, for one, loads more where it finds more."""
    folder = scratch / "packages"
    folder.mkdir()
    locked = re.findall(r"^([\w.-]+)(?:\[.*\])?==", LAYER.read_text(encoding="utf-8"), re.MULTILINE)
    for name in {*locked, *LAMBDA_HAS}:
        with suppress(PackageNotFoundError):  # a package for other systems or versions of Python
            found = distribution(name)
            for top in {Path(str(file)).parts[0] for file in found.files or ()} - {".."}:
                (folder / top).unlink(missing_ok=True)
                (folder / top).symlink_to(str(found.locate_file(top)))
    return folder


def _environment(packages: Path, bytecode: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{packages}",
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "PYTHONHASHSEED": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
        "JWT_ISSUER": "https://issuer.invalid",
        "JWT_AUDIENCE": "sluice",
        "JWKS_URL": "https://issuer.invalid/jwks.json",
    }


def instructions(script: str) -> float:
    """How many instructions `script` takes in an interpreter with the packages of a function and their bytecode."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as scratch:
        environment = _environment(_packages(Path(scratch)), Path(scratch) / "bytecode")
        subprocess.run([*PYTHON, script], env=environment, check=True)
        return _instructions(script, environment)


def _instructions(script: str, environment: dict[str, str]) -> float:
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run([*command, *PYTHON, script], env=environment, capture_output=True, text=True, check=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if not found:
        raise RuntimeError(f"valgrind did not say how many instructions it counted: {done.stderr[-500:]}")
    return float(found[1].replace(",", ""))


def _seconds(script: str, environment: dict[str, str]) -> float:
    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*PYTHON, script], env=environment, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(RUNS))
