"""Commands with credentials of the account, where they need none."""

from pathlib import Path
from typing import Any

import pytest

import operate
from local.cloud.tables import definitions
from operate import backup, configuration, restore
from operate.bring_back import RULES


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("{}", 0, "valid"),
        ('{"engine": {"batch": 10}}', 0, "valid"),
        ('{"batch": 10}', 1, "'batch' is called 'engine.batch' now"),
        ('{"limits": {"stockx": {"interval_ms": "many"}}}', 1, "limits.stockx: interval_ms"),
        ("no JSON", 1, "is not JSON"),
    ],
)
def test_a_configuration_is_checked_before_the_upgrade(
    text: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "configuration.json"
    file.write_text(text, encoding="utf-8")
    assert configuration.main([str(file)]) == code
    told = capsys.readouterr()
    assert said in (told.err if code else told.out)


def test_every_table_of_the_template_is_backed_up_and_has_a_rule_for_coming_back() -> None:
    ours = {definition["TableName"].removeprefix("s-").replace("-", "_") for definition in definitions("s")}
    assert set(operate.TABLES) == ours
    assert set(RULES) == ours


class Exports:
    """DynamoDB's exports: the second question about one finds it at its end."""

    def __init__(self, **ends: str) -> None:
        self.begun, self.asked, self.ends = list[dict[str, Any]](), set[str](), ends

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        return {"Table": {"TableArn": f"arn/{TableName}"}}

    def export_table_to_point_in_time(self, **asked: Any) -> dict[str, Any]:
        self.begun.append(asked)
        return {"ExportDescription": {"ExportArn": asked["TableArn"], "ExportStatus": "IN_PROGRESS"}}

    def describe_export(self, ExportArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        first = ExportArn not in self.asked
        self.asked.add(ExportArn)
        status = "IN_PROGRESS" if first else self.ends.get(ExportArn.removeprefix("arn/acme-"), "COMPLETED")
        return {"ExportDescription": {"ExportStatus": status, "FailureMessage": "no room"}}


def test_a_backup_exports_every_table_as_of_one_time(capsys: pytest.CaptureFixture[str]) -> None:
    exports = Exports()
    arguments = ["--stack", "acme", "--bucket", "b", "--at", "2026-11-28T09:00:00Z"]
    assert backup.main(arguments, exports, pause_seconds=0) == 0
    assert {one["TableArn"] for one in exports.begun} == {f"arn/acme-{one.replace('_', '-')}" for one in operate.TABLES}
    assert {(one["ExportTime"].isoformat(), one["S3Prefix"]) for one in exports.begun} == {
        ("2026-11-28T09:00:00+00:00", "acme/2026-11-28T090000Z")
    }
    number = len(operate.TABLES)
    place = "as of 2026-11-28T09:00:00Z in s3://b/acme/2026-11-28T090000Z"
    assert f"{number} of {number} tables {place}" in capsys.readouterr().out


def test_a_table_that_could_not_be_exported_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert backup.main(["--stack", "acme", "--bucket", "b"], Exports(jobs="FAILED"), pause_seconds=0) == 1
    assert "jobs could not be exported: no room" in capsys.readouterr().err


def test_a_folder_without_a_backup_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert restore.main([str(tmp_path), "--stack", "new"]) == 2
    assert "holds no export of a table of jobs" in capsys.readouterr().err
    place = tmp_path / "manifest-summary.json"
    place.write_text("{}", encoding="utf-8")
    assert restore.main([str(tmp_path), "--stack", "new"]) == 2
    assert "is no manifest of an export" in capsys.readouterr().err
