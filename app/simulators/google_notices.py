"""Which notifications guests see: three a card in 24 hours, and none that anybody is told about.

Google gives no receipt for a notification; nothing of this is in any answer of the interface.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from app.simulators.google_errors import over_quota
from app.simulators.google_resources import Body

Cause = Literal["message", "field"]
Outcome = Literal["shown", "silent_text", "no_holder", "muted", "over_budget", "refused", "unchanged"]
DAY = 86_400.0
A_DAY = 3
# As the loyalty page is quoted: discovery only speaks of "an allowlist".
_LOUD = {
    "class": (("programName",), ("rewardsTier",), ("secondaryRewardsTier",)),
    "object": (("loyaltyPoints", "balance"), ("secondaryLoyaltyPoints", "balance")),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One occasion on which a guest might have been notified."""

    at: float  # UNIX seconds
    target: str  # the object's id; of a class message refused, the class's
    cause: Cause
    what: str  # the message's id, or the fields that changed
    outcome: Outcome


@dataclass(slots=True)
class Notices:
    """The ledger, and the budgets of a rolling day. Every accepted one counts, seen or not (strict)."""

    all: deque[Notice] = field(default_factory=lambda: deque(maxlen=200_000))
    muted: set[str] = field(default_factory=set)  # objects whose holder switched notifications off
    _spent: defaultdict[tuple[str, Cause], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def message_to_object(self, body: Body, message: Body, now: float, *, held: bool, shared: bool) -> None:
        """Before a message is added; raises Refused (403) beyond the budget."""
        target, what = body["id"], message.get("id", "")
        if message.get("messageType") != "TEXT_AND_NOTIFY":
            self._note(now, target, "message", what, "silent_text")
        elif self._left(target, "message", now, shared=shared):
            self._spent[target, "message"].append(now)
            self._note(now, target, "message", what, self._seen(target, held=held))
        else:
            self._note(now, target, "message", what, "refused")
            raise over_quota(target.partition(".")[0], f"object {target.partition('.')[2]}")

    def message_to_class(
        self, body: Body, message: Body, objects: Iterable[tuple[str, bool]], now: float, *, shared: bool
    ) -> None:
        """The same for all ``objects`` (id, held) of a class; those over their own budget stay silent."""
        target, what = body["id"], message.get("id", "")
        if message.get("messageType") != "TEXT_AND_NOTIFY":
            for identifier, _ in objects:
                self._note(now, identifier, "message", what, "silent_text")
            return
        if not self._left(target, "message", now, shared=shared):
            self._note(now, target, "message", what, "refused")
            raise over_quota(target.partition(".")[0], f"class {target.partition('.')[2]}")
        self._spent[target, "message"].append(now)
        self._notify_all(objects, "message", what, now, shared=shared)

    def changed(
        self,
        kind: Literal["class", "object"],
        before: Body,
        after: Body,
        objects: Iterable[tuple[str, bool]],
        now: float,
        *,
        shared: bool,
    ) -> None:
        """After a change that asked to NOTIFY_ON_UPDATE; beyond the budget it is a silent one."""
        what = ", ".join(".".join(path) for path in _loud_changes(kind, before, after))
        if what:
            self._notify_all(objects, "field", what, now, shared=shared)
        else:
            self._note(now, after["id"], "field", "", "unchanged")

    def age(self, seconds: float) -> None:
        """Let the past be so much longer ago."""
        for times in self._spent.values():
            times.extend([times.popleft() - seconds for _ in range(len(times))])

    def _notify_all(
        self, objects: Iterable[tuple[str, bool]], cause: Cause, what: str, now: float, *, shared: bool
    ) -> None:
        for identifier, held in objects:
            if self._left(identifier, cause, now, shared=shared):
                self._spent[identifier, cause].append(now)
                self._note(now, identifier, cause, what, self._seen(identifier, held=held))
            else:
                self._note(now, identifier, cause, what, "over_budget")

    def _left(self, target: str, cause: Cause, now: float, *, shared: bool) -> bool:
        causes: tuple[Cause, ...] = ("message", "field") if shared else (cause,)
        count = 0
        for each in causes:
            times = self._spent[target, each]
            while times and times[0] <= now - DAY:
                times.popleft()
            count += len(times)
        return count < A_DAY

    def _seen(self, target: str, *, held: bool) -> Outcome:
        if not held:
            return "no_holder"
        return "muted" if target in self.muted else "shown"

    def _note(self, now: float, target: str, cause: Cause, what: str, outcome: Outcome) -> None:
        self.all.append(Notice(now, target, cause, what, outcome))


def _loud_changes(kind: Literal["class", "object"], before: Body, after: Body) -> Iterator[tuple[str, ...]]:
    for path in _LOUD[kind]:
        old: object = before
        new: object = after
        for name in path:
            old = old.get(name) if isinstance(old, dict) else None
            new = new.get(name) if isinstance(new, dict) else None
        if old != new:
            yield path
