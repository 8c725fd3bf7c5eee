"""Where the time of one webhook goes, hop by hop: from the end of its job to its receiver, as `hops` does of a price.

```
 job ended ─ end ─ written ─ stream ─ job_events begins ─ tell ─ on the bus ─ event ─ webhook_sender begins
           ─ fan out ─ turn announced ─ turn ─ turn begins ─ send ─ signed ─ arrival ─ at the receiver
```
For how long its work was stalled: see `record`. In the arrival: what it took longer than the quickest, for the
receiver is on this machine too, and for it only while the sender's thread waited for a core.
"""

from bench.record import MS, Hop, Record, Way, first, last, most_at_once

HOPS = ("end", "stream", "tell", "event", "fan out", "turn", "send", "arrival")
# What the local cloud does by itself.
OF_THE_CLOUD = ("stream", "event", "turn")
TELLER, SENDER = "job-events", "webhook-sender"


def way(record: Record, job: str, webhook: str, event_id: str, ended: int, arrived: int) -> Way | None:
    """The hops of an event of `job` to `webhook` (tenant/id). None where its way was another: it was sent twice.

    ended, arrived: when the job had ended and when the event was at its receiver, epoch ms.
    """
    told = first([one for one in record.about[TELLER, job] if one.what == "PutEvents"], ended * MS)
    about = record.about[SENDER, f"{webhook} {ended:013d}-{event_id}"]
    created = next((one for one in about if one.what == "PutItem"), None)
    sent = first([one for one in about if one.what == "UpdateItem"], arrived * MS)
    if told is None or created is None or sent is None:
        return None
    written = record.ending(job, ended * MS, told.began)
    lined_up = next((one for one in about if one.what == "UpdateItem" and one.began >= created.ended), None)
    telling, fanning, sending = record.run_of(told), record.run_of(created), record.run_of(sent)
    own = [one for one in record.calls[sent.process] if one.thread == sent.thread]
    signed = last(own, (arrived + 1) * MS, sent.process)
    if not (written and lined_up and telling and fanning and sending and signed):
        return None
    turn = f"turn:{webhook.partition('/')[0]}"
    announcing = [one for one in record.about[SENDER, turn] if one.process == lined_up.process]
    announced = first([one for one in announcing if one.thread == lined_up.thread], lined_up.ended, fanning.ended)
    on_its_way = announced or lined_up
    begun = max(sending.began, on_its_way.ended)
    senders = most_at_once("Senders")
    return {
        "end": record.hop(ended * MS, written),
        # Each reader has records of its own: that its own was free is certain only while none was busy.
        "stream": record.waiting(written.ended, telling, 1),
        "tell": record.hop(telling.began, told),
        "event": record.waiting(told.ended, fanning, senders),
        "fan out": record.hop(fanning.began, on_its_way),
        "turn": record.waiting(on_its_way.ended, sending, senders),
        "send": record.hop(begun, signed),
        "arrival": _arrival(signed.ended, arrived, sent.waited[0] - signed.waited[1]),
    }


def _arrival(since: int, arrived: int, waited: int) -> Hop:
    """waited: for how long the sender's thread waited for a core from then until it had the answer, ns."""
    took = max(0, arrived * MS - since)
    return Hop(took / MS, stalled=min(took, max(0, waited)) / MS)
