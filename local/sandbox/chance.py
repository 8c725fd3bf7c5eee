"""Numbers that look random and are a function of the seed: the sandbox has no other source of chance."""

from hashlib import blake2b


def chance(seed: int, *about: str | int) -> float:
    """A number in [0, 1), always the same for the same seed and the same `about`.

    A hash, not a random generator: one draw never depends on how many came before it, so a story does not change
    when an unrelated call is added to it.
    """
    text = ":".join(str(part) for part in (seed, *about))
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56


def digest(seed: int, *about: str | int) -> str:
    """32 hex digits with the same promise as `chance`."""
    text = ":".join(str(part) for part in (seed, *about))
    return blake2b(text.encode(), digest_size=16).hexdigest()
