"""Commands with credentials of the account, where they need none."""

from pathlib import Path

import pytest

from operate import configuration


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("{}", 0, "valid"),
        ('{"engine": {"batch": 10}}', 0, "valid"),
        ('{"batch": 10}', 1, "'batch' is called 'engine.batch' now"),
        ('{"limits": {"stockx": {"per_hour": "many"}}}', 1, "limits.stockx: per_hour"),
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
