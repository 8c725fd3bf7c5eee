"""A layer of the local cloud is unpacked once, however many processes begin with it."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.cloud.unpacked import install, opener


def packed(path: Path, text: str) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("python/part.py", text)
    return str(path)


def unpack(folder: Path, archive: str, place: Path) -> Path:
    place.mkdir()
    with opener(folder)(archive) as opened:
        opened.extractall(place)
    return place / "python" / "part.py"


def test_the_same_layer_is_one_copy_and_another_is_another(tmp_path: Path) -> None:
    copies, one, other = (
        tmp_path / "copies",
        packed(tmp_path / "layer_0.zip", "1"),
        packed(tmp_path / "layer_1.zip", "2"),
    )
    first, second = (unpack(copies, one, tmp_path / name) for name in ("first", "second"))
    assert first.read_text() == "1"
    assert first.samefile(second)
    assert unpack(copies, other, tmp_path / "third").read_text() == "2"
    assert len(list(copies.iterdir())) == 2


def test_processes_that_begin_at_once_share_it(tmp_path: Path) -> None:
    layer = packed(tmp_path / "layer_0.zip", "1")
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda number: unpack(tmp_path / "copies", layer, tmp_path / f"{number}"), range(64)))
    assert {path.resolve() for path in found} == {found[0].resolve()}
    assert len(list((tmp_path / "copies").iterdir())) == 1


def test_a_functions_own_code_is_its_own(tmp_path: Path) -> None:
    code = packed(tmp_path / "code.zip", "1")
    first, second = (unpack(tmp_path / "copies", code, tmp_path / name) for name in ("first", "second"))
    assert not first.samefile(second)


def test_processes_of_functions_read_the_one_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ministack's own processes: each says where the layer lies from which it has imported."""
    layer, code = packed(tmp_path / "layer.zip", "place = __file__\n"), tmp_path / "code.zip"
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "import part\ndef handler(event, context):\n    return part.place\n")
    monkeypatch.setattr(lambda_svc, "_resolve_layer_zip", lambda _: Path(layer).read_bytes())
    monkeypatch.setattr(lambda_runtime, "zipfile", zipfile)
    install(tmp_path / "copies")
    config = {
        "Runtime": "python3.13",
        "Handler": "handler.handler",
        "Layers": ["arn:layer"],
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:one",
        "Timeout": 600,
    }
    workers = [lambda_runtime.Worker(name, config, code.read_bytes()) for name in ("one", "two")]
    try:
        places = [Path(worker.invoke({}, "id")["result"]) for worker in workers]
        assert places[0] != places[1]
        assert places[0].samefile(places[1])
        assert places[0].resolve().is_relative_to(tmp_path / "copies")
    finally:
        processes = [(worker._proc, worker._stderr_thread) for worker in workers if worker._proc]
        lambda_runtime.kill_workers(workers)
        for process, reader in processes:
            reader.join()
            for pipe in (process.stdin, process.stdout, process.stderr):
                pipe.close()
