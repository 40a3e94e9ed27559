"""All that the Google Wallet simulator holds. Used from its event loop only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from app.simulators.google_accounts import Accounts
from app.simulators.google_faults import Faults
from app.simulators.google_notices import Notices
from app.simulators.google_rate import Bucket
from app.simulators.google_resources import Resources


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call to the interface, and how it was answered."""

    at: float  # UNIX seconds
    verb: str
    path: str
    status: int
    batched: bool


@dataclass(slots=True)
class State:
    """Accounts, resources, notifications, and what was seen."""

    clock: Callable[[], float]  # UNIX seconds
    faults: Faults
    accounts: Accounts = field(default_factory=Accounts)
    resources: Resources = field(default_factory=Resources)
    notices: Notices = field(default_factory=Notices)
    bucket: Bucket = field(default_factory=Bucket)
    calls: deque[SeenCall] = field(default_factory=lambda: deque(maxlen=200_000))
    observers: list[Callable[[], None]] = field(default_factory=list)  # told after every change
    lints: deque[str] = field(default_factory=lambda: deque(maxlen=1000))  # accepted with a frown

    def changed(self) -> None:
        """Tell the observers."""
        for observer in tuple(self.observers):
            observer()

    def holders(self, identifier: str) -> list[tuple[str, bool]]:
        """This object and whether somebody holds it, as the ledger wants to know."""
        return [(identifier, bool(self.resources.holders.get(identifier)))]

    def holders_of_class(self, identifier: str) -> list[tuple[str, bool]]:
        """The same of every object of a class that somebody holds."""
        held = self.resources.holders
        return [(each["id"], True) for each in self.resources.objects_of(identifier) if held.get(each["id"])]
