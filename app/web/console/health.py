"""Health: of a brand for its people, of the installation for who runs it, alarms above every page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.delivery import breaker, overview
from app.errors import PerkpassError
from app.passes import stored_certificates
from app.sentences import Sentence
from app.web.console.forms import render
from app.web.console.registry import Console, page
from app.web.console.sentences import translated
from app.web.console.visit import Visit
from app.web.services import Finding, Services

KEPT_FOR: Final = timedelta(seconds=20)
"""So long the alarms of a brand are not looked for again: they stand above every page."""

_FIRST_SENTENCE: Final = re.compile(r".*?\.(?=\s+[^\W\d_a-zа-яё])", re.S)
"""A date's point is followed by a number."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in the reader's language; words of a tool or a server stay in English."""

    subject: str
    verdict: str
    words: str
    is_ours: bool
    brand: str | None = None  # the slug; None: of the installation
    is_certificate: bool = False

    @property
    def brief(self) -> str:
        """The first sentence, for a line above other pages; in a brand its certificate names itself."""
        words = _FIRST_SENTENCE.match(self.words)
        brief = words[0] if words else self.words
        return brief if self.is_certificate else f"{self.subject}: {brief}"

    @classmethod
    def of(cls, found: Finding) -> Told:
        """As it is to be read."""
        ours, subject = isinstance(found.words, Sentence), found.subject
        is_certificate = isinstance(subject, Sentence) and subject.template == "certificate of %(brand)s"
        return cls(
            translated(found.subject),
            found.verdict,
            translated(found.words),
            ours,
            found.brand,
            is_certificate,
        )


class Alarms:
    """Alarms by brand, remembered for :data:`KEPT_FOR`. Any thread may ask."""

    def __init__(self, services: Services) -> None:
        self._services, self._lock = services, Lock()
        self._kept: dict[str, tuple[datetime, Sequence[Finding]]] = {}

    def of(self, slug: str, now: datetime) -> Sequence[Finding]:
        """What asks for somebody of this brand just now."""
        with self._lock:
            kept = self._kept.get(slug)
        if kept is None or not timedelta(0) <= now - kept[0] < KEPT_FOR:
            with self._services.database.read() as tx:
                kept = (now, tuple(self._services.alarms(tx, slug, now)))
            with self._lock:
                self._kept[slug] = kept
        return kept[1]

    def of_visit(self, visit: Visit | None) -> list[Told]:
        """For the banner above a page; nothing for whom it would not concern."""
        if visit is None or visit.found is None or not visit.may("health.read"):
            return []
        return [Told.of(found) for found in self.of(visit.brand.slug, visit.now)]


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/health`` and, for who runs the installation, ``/console/health``."""
    alarms = Alarms(services)
    console.context_processor(lambda: {"alarms_of": alarms.of_visit})

    @page(console, "/<brand>/health", needs="health.read")
    def brand(visit: Visit) -> ResponseReturnValue:
        """What concerns this brand, from the database alone: no page waits for Apple."""
        pass_type = visit.brand.pass_type_identifier
        with services.database.read() as tx:
            found = [Told.of(each) for each in services.alarms(tx, visit.brand.slug, visit.now)]
            certificate = stored_certificates.in_use(tx, pass_type)
            oldest = overview.oldest_due(tx, visit.now)
            stopped = {breaker.pass_type_of(row.subject) for row in breaker.all_open(tx)}
            ends = None
            try:
                signer = services.press.signer(tx, pass_type)
                ends = min(signer.expires_at, signer.wwdr_expires_at)
            except PerkpassError:  # told among what was found
                pass
        return render(
            visit,
            "health_brand.html",
            found=found,
            certificate=certificate,
            ends=ends,
            late_minutes=int((visit.now - oldest).total_seconds() // 60) if oldest else 0,
            stopped=pass_type in stopped,
            place=visit.brand.credentials.partition(":")[0],
        )

    @page(console, "/health", needs="operator")
    def whole(visit: Visit) -> ResponseReturnValue:
        """Everything that ``perkpass doctor`` looks at; from outside too where that is asked for."""
        outside = request.args.get("outside") == "yes"
        looks = [Told.of(found) for found in services.examine(visit.now, outside)]
        order = {"fault": 0, "warning": 1, "ok": 2}
        return render(
            visit,
            "health_whole.html",
            looks=sorted(looks, key=lambda look: order.get(look.verdict, 0)),
            faults=sum(look.verdict == "fault" for look in looks),
            warnings=sum(look.verdict == "warning" for look in looks),
            outside=outside,
            outside_address=url_for("console.health_whole", outside="yes"),
        )
