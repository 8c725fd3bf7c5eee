"""`.venv/bin/python -m operate.backup --stack NAME --bucket BUCKET`: export every table of a stack to S3.

Exports are made from point-in-time recovery: they take nothing from the tables' own capacity, and all show the same
moment. Exit code 0: done, and where; 1: an export has failed; 2: nothing was begun, and why.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operate import TABLES, physical_name
from sluice.platform.clock import from_iso

# As of a moment ago: DynamoDB restores what is some minutes old.
OLD: Final = timedelta(minutes=6)
PAUSE_SECONDS: Final = 15.0
COMPLETED: Final = "COMPLETED"


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser(prog="python -m operate.backup", description="Export every table of a stack to S3.")
    made.add_argument("--stack", required=True, help="the stack's name")
    made.add_argument("--bucket", required=True, help="a bucket of yours in the same region")
    made.add_argument(
        "--at", help="as of when, as 2026-11-28T09:00:00Z, within the last 35 days; six minutes ago if not said"
    )
    return made


def main(arguments: Sequence[str], dynamodb: Any = None, pause_seconds: float = PAUSE_SECONDS) -> int:
    """Begin the exports, wait for their end, and say where they are; returns the exit code."""
    given = parser().parse_args(arguments)
    try:
        at = datetime.fromtimestamp(from_iso(given.at) / 1_000, UTC) if given.at else datetime.now(UTC) - OLD
        client = dynamodb or boto3.client("dynamodb")
        prefix = f"{given.stack}/{at:%Y-%m-%dT%H%M%SZ}"
        begun = {table: _begin(client, given.stack, table, given.bucket, prefix, at) for table in TABLES}
    except (ValueError, BotoCoreError, ClientError) as error:
        print(f"no backup was begun: {error}", file=sys.stderr)
        return 2
    failed = list(_wait(client, begun, pause_seconds))
    for table, why in failed:
        print(f"{table} could not be exported: {why}", file=sys.stderr)
    print(
        f"{len(begun) - len(failed)} of {len(begun)} tables as of {at:%Y-%m-%dT%H:%M:%SZ} in s3://{given.bucket}/{prefix}"
    )
    return 1 if failed else 0


def _begin(client: Any, stack: str, table: str, bucket: str, prefix: str, at: datetime) -> str:
    arn = client.describe_table(TableName=physical_name(stack, table))["Table"]["TableArn"]
    answer = client.export_table_to_point_in_time(
        TableArn=arn, S3Bucket=bucket, S3Prefix=prefix, ExportTime=at, ExportFormat="DYNAMODB_JSON"
    )
    return str(answer["ExportDescription"]["ExportArn"])


def _wait(client: Any, begun: dict[str, str], pause_seconds: float) -> Iterable[tuple[str, str]]:
    """Those that have failed, and why."""
    for table, arn in begun.items():
        while (found := client.describe_export(ExportArn=arn)["ExportDescription"])["ExportStatus"] == "IN_PROGRESS":
            time.sleep(pause_seconds)
        if found["ExportStatus"] != COMPLETED:
            yield table, found.get("FailureMessage", found["ExportStatus"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
