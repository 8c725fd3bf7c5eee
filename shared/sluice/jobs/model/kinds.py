"""Each kind of job: its attempts, its backoff and the function that runs it.

A kind names its handler by path, so that the API and the scheduler know every kind without loading what runs it (an
HTTP client costs a third of a cold start). Which kinds there are stands in `sluice.capabilities`; a function says
which of them it serves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from sluice.jobs.model.backoff import Backoff, Timetable
from sluice.platform.config.document import Config

if TYPE_CHECKING:
    from sluice.jobs.model.outcomes import HandlerResult
    from sluice.jobs.model.run import Run

    Handler = Callable[[Run], HandlerResult]
    # Of some jobs of one account: what became of each, in their order.
    TogetherHandler = Callable[[Sequence[Run]], Sequence[HandlerResult | Exception]]


class UnknownKind(Exception):  # noqa: N818 - an answer to the caller
    """This function serves no job kind of this name."""


# How often the work of a kind is tried that does not say it, or is not known.
MAX_ATTEMPTS = 5


class JobKind(NamedTuple):
    """How jobs of one kind are treated.

    handler: `module:function`, called with a `Run`. max_attempts: how often the work is tried before the job is dead.
    marketplaces: those that can do this kind; another is refused at enqueue. backoff: how long before the next attempt;
    for a kind that has one, the timetable of the configuration decides that, and how many attempts there are. service:
    what its calls are charged to where the marketplace counts them apart from its others; empty for its own budget.
    together: the handler takes all jobs of a batch at once, for calls that serve several; it is a `TogetherHandler`.
    listed_apart: a tenant's jobs of this kind are found without reading its others.
    failure_is_final: a handler that fails writes so where the work stands; then a replay would find nothing to do, but
        where it was something of ours that stopped it (`jobs.queue.replay.UNHANDLED`).
    """

    name: str
    handler: str
    marketplaces: frozenset[str]
    max_attempts: int = MAX_ATTEMPTS
    backoff: Backoff = Backoff()
    service: str = ""
    together: bool = False
    listed_apart: bool = False
    failure_is_final: bool = False

    def load(self) -> "Handler":
        """The handler itself, of a kind whose jobs run one by one."""
        handler: Handler = self._load()
        return handler

    def load_together(self) -> "TogetherHandler":
        """The handler itself, of a kind whose jobs run together."""
        handler: TogetherHandler = self._load()
        return handler

    def _load(self) -> Any:
        module, _, function = self.handler.partition(":")
        return getattr(import_module(module), function)


# The module that declares each kind, of those that this function serves; and the kinds that were looked up there.
_MODULES: dict[str, str] = {}
_KINDS: dict[str, JobKind] = {}


def serve(modules: Mapping[str, str]) -> None:
    """From now on this function knows the kinds in `modules`: each by its name, with the module that declares it.

    A handler says so when it loads. A kind's module is loaded when the kind is first looked up, and has it in `KINDS`.
    """
    _MODULES.update(modules)


def _find(name: str) -> JobKind | None:
    if name not in _KINDS and name in _MODULES:
        declared: Iterable[JobKind] = import_module(_MODULES[name]).KINDS
        _KINDS.update({kind.name: kind for kind in declared})
    return _KINDS.get(name)


def get(name: str) -> JobKind:
    """The kind called `name`.

    Raises:
        UnknownKind: this function serves none of that name; the message lists those that it does.
    """
    if kind := _find(name):
        return kind
    known = ", ".join(sorted(_KINDS.keys() | _MODULES.keys())) or "none"
    raise UnknownKind(f"unknown job kind {name!r}; known kinds: {known}")


def runs_together(name: str) -> bool:
    """Whether the handler of the kind `name`, if it is known here, takes all jobs of a batch at once."""
    kind = _find(name)
    return kind is not None and kind.together


def is_listed_apart(name: str) -> bool:
    """Whether a tenant's jobs of the kind `name`, if it is known here, are found without reading its others."""
    kind = _find(name)
    return kind is not None and kind.listed_apart


def timetable(name: str, config: Config) -> Timetable | None:
    """The set times at which jobs of the kind `name` are tried; None for one that backs off."""
    waits = config.engine.timetables.get(name)
    return Timetable(waits) if waits else None


def most_attempts(name: str, config: Config) -> int:
    """How often jobs of the kind `name` are tried. Who rescues a job may not know its kind: who runs it decides."""
    if times := timetable(name, config):
        return times.attempts
    kind = _find(name)
    return kind.max_attempts if kind else MAX_ATTEMPTS


def served() -> list[JobKind]:
    """Every kind that this function serves, by name."""
    return [get(name) for name in sorted(_KINDS.keys() | _MODULES.keys())]
