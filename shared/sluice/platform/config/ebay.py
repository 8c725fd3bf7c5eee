"""How eBay listings are kept equal to their records: the section `ebay` of the configuration. Pure."""

from dataclasses import dataclass

from sluice.platform.config.section import number


@dataclass(frozen=True)
class Ebay:
    """Every number of eBay listings that an operator may change.

    coalesce_seconds: edits of a record within so long are one publish.
    price_coalesce_seconds: the same, where price and quantity alone were changed.
    snapshots_kept, snapshot_days: a listing's newest snapshots that are kept whatever their age, and how long others.
    sync_log_days: how long attempts to publish are kept.
    policy_minutes: a seller's policies that were read longer ago than this are read anew.
    audit_sample: records whose hashes, snapshots and index entries are computed anew each day; 0 for none.
    look_percent: the share of an application's daily calls with which listings are looked at; 0 looks at none.
    report_minutes: how often eBay's report of all active listings is asked for where the looks alone take longer; eBay
        makes 25 a day for a seller, so below 58 the last ones of a day are refused. 0 asks for none.
    """

    coalesce_seconds: int = number(30, least=0, most=3_600)
    price_coalesce_seconds: int = number(5, least=0, most=3_600)
    snapshots_kept: int = number(100, least=1, most=10_000)
    snapshot_days: int = number(400, least=1, most=3_650)
    sync_log_days: int = number(30, least=1, most=365)
    policy_minutes: int = number(60, least=1, most=7 * 24 * 60)
    look_percent: int = number(25, least=0, most=90)
    report_minutes: int = number(58, least=0, most=24 * 60)
    audit_sample: int = number(200, least=0, most=2_000)
