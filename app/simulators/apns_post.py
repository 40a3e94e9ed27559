"""The push simulator's memory: which tokens exist, what was pushed, and who is listening.

Like Apple it keeps one undelivered push per (token, topic) for a phone that is away, until its expiration.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.simulators.apns_rules import Answer, Directory, Gone, Push

Listener = Callable[[str, str], None]  # told (push token, topic)
KEPT_AT_MOST = timedelta(days=30)
LEDGER_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered request of the ledger."""

    number: int  # counts from 1 and never repeats
    at: float  # UNIX seconds
    token: str
    topic: str
    identifier: str
    priority: int
    expiration: int | None
    status: int
    reason: str


class Post:
    """Tokens, ledger and listeners. Used from the simulator's event loop only."""

    def __init__(self, *, known_only: bool, clock: Callable[[], float]) -> None:
        """``clock`` gives UNIX seconds."""
        self.known: dict[str, set[str]] = {}
        self.gone: dict[str, Gone] = {}
        self.directory = Directory(self.known, self.gone, known_only)
        self.entries: deque[Entry] = deque(maxlen=LEDGER_LENGTH)
        self.by_answer: Counter[tuple[int, str]] = Counter()
        self.total = 0
        self._clock = clock
        self._listeners: dict[str, list[Listener]] = {}
        self._kept: dict[tuple[str, str], float] = {}

    def settle(self, push: Push, answer: Answer) -> None:
        """Enter an answered push, and hand it over or keep it where it was accepted."""
        now = self._clock()
        self.total += 1
        self.by_answer[answer.status, answer.reason] += 1
        self.entries.append(
            Entry(
                self.total, now, push.token, push.topic, push.identifier, push.priority, push.expiration,
                answer.status, answer.reason,
            )
        )  # fmt: skip
        if answer.status != 200:
            return
        if listeners := self._listeners.get(push.token):
            for listener in tuple(listeners):
                listener(push.token, push.topic)
            return
        limit = now + KEPT_AT_MOST.total_seconds()
        until = limit if push.expiration is None else min(push.expiration, limit)
        if until > now:
            self._kept[push.token, push.topic] = until

    def count_refusal(self, answer: Answer) -> None:
        """Count a request that named no readable push."""
        self.total += 1
        self.by_answer[answer.status, answer.reason] += 1

    def know(self, token: str, topic: str | None) -> None:
        """From now on ``token`` exists, made for ``topic`` (None: for any); it is no longer gone."""
        topics = self.known.setdefault(token.lower(), set())
        if topic:
            topics.add(topic)
        self.gone.pop(token.lower(), None)

    def forget(self, token: str, reason: str, at: datetime | None = None) -> None:
        """``token`` is gone since ``at``: pushes to it answer 410 with that moment."""
        moment = at or datetime.fromtimestamp(self._clock(), UTC)
        self.gone[token.lower()] = Gone(reason, moment)
        for kept in [key for key in self._kept if key[0] == token.lower()]:
            del self._kept[kept]

    def listen(self, token: str, topic: str | None, listener: Listener) -> None:
        """A phone is there: it is told of every push to ``token``, and at once of what was kept for it."""
        token = token.lower()
        self.know(token, topic)
        self._listeners.setdefault(token, []).append(listener)
        now = self._clock()
        for key, until in [(key, until) for key, until in self._kept.items() if key[0] == token]:
            del self._kept[key]
            if until > now:
                listener(*key)

    def unlisten(self, token: str, listener: Listener) -> None:
        """The phone went offline."""
        listeners = self._listeners.get(token.lower(), [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._listeners.pop(token.lower(), None)

    @property
    def kept(self) -> dict[tuple[str, str], float]:
        """What waits for a phone: (token, topic) and until when (UNIX seconds)."""
        return dict(self._kept)

    def clear_ledger(self) -> None:
        """Forget what was pushed; tokens and listeners stay, entry numbers go on."""
        self.entries.clear()
        self.by_answer.clear()
