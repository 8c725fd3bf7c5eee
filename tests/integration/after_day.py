"""What is left to do after an eventful day: somebody looks at what died, and decides."""

from local.laptop import Laptop


class AfterDay:
    """The evening of `Day`, which has left two dead letters."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api("acme")

    def live(self) -> None:
        """All of it."""
        self.the_dead_are_looked_at()

    def the_dead_are_looked_at(self) -> None:
        """One can be left as it is; the other, a manual job, is asked for once more."""
        letters = self.api.get("/v1/dead-letters", status="open")["deadLetters"]
        [hopeless] = [letter["id"] for letter in letters if letter["error"]["code"] == "product_unknown"]
        [lost] = [letter["id"] for letter in letters if letter["error"]["code"] == "lease_expired"]
        self.api.post(f"/v1/dead-letters/{hopeless}/acknowledge", {})
        assert self.api.post("/v1/dead-letters/replay", {"code": "lease_expired"})["matched"] == 1
        answer = self.api.post(f"/v1/dead-letters/{lost}/replay", {})
        assert (answer["outcome"], self.api.job(answer["jobId"])["attempts"]) == ("created", 0)
        assert self.api.get(f"/v1/dead-letters/{lost}")["status"] == "replayed"
