"""What a member's page says: verdicts, events, amounts and numbers in the reader's language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import phonenumbers
from babel.dates import format_datetime, get_timezone
from flask_babel import gettext as _

from app.loyalty import wording as card_wording
from app.reports.event_words import EVENTS
from app.reports.timeline_events import Event, Fact
from app.reports.verdict_words import VERDICTS
from app.reports.verdicts import Verdict
from app.web.console import sums
from app.web.console.frame import moment
from app.web.console.sentences import translated
from app.web.console.wording import explain
from app.web.language import current_language

TOPICS = ("points", "card", "phone", "text", "guest")
SHOWN_DIGITS = 4
_EXACT = "d MMM y, HH:mm:ss"


def phone_words(number: str | None, *, whole: bool) -> str:
    """An E.164 number as its country writes it; all but the last digits hidden for who may not see it."""
    if number is None:
        return ""
    spelt = phonenumbers.format_number(
        phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    if whole:
        return spelt
    digits = sum(ch.isdecimal() for ch in spelt)
    shown: list[str] = []
    for ch in spelt:
        if ch.isdecimal():
            shown.append(ch if digits <= SHOWN_DIGITS else "•")
            digits -= 1
        else:
            shown.append(ch)
    return "".join(shown)


def balance_words(points: int, stamps: int, kind: str) -> str:
    """What is on a card: "350 points", "4 stamps"."""
    language = current_language()
    if kind == "stamp":
        return card_wording.counted(stamps, language)
    return card_wording.spelt_points(points, language)


def verdict_words(verdict: Verdict) -> tuple[str, str]:
    """The sentence, and what to do about it."""
    said, to_do = VERDICTS[verdict.cause]
    facts = {name: _fact(value) for name, value in verdict.facts.items()}
    return translated(said(**facts)), translated(to_do(**facts)) if to_do else ""


def clock_times(events: Sequence[Event], zone: str) -> list[str]:
    """When each of these was: to the second where two of them share a minute."""
    minutes = Counter(event.at.replace(second=0, microsecond=0) for event in events)
    exact = [minutes[event.at.replace(second=0, microsecond=0)] > 1 for event in events]
    return [
        format_datetime(event.at, _EXACT, tzinfo=get_timezone(zone), locale=current_language())
        if shared
        else moment(event.at, zone)
        for event, shared in zip(events, exact, strict=True)
    ]


def event_words(event: Event) -> str:
    """The sentence of an event."""
    facts: dict[str, str] = {name: _fact(value) for name, value in event.facts.items()}
    given = event.facts
    if "points" in given:
        facts["points"] = _change(int(str(given["points"] or 0)), int(str(given["stamps"] or 0)))
    if "amount" in given:
        facts["amount"] = sums.money(int(str(given["amount"])), str(given["currency"]))
    if "ru" in given:
        facts["tier"] = facts["offer"] = str(given[current_language()])
    if event.kind == "text":
        facts["text"] = _text_kind(str(given["text"]))
        facts["state"] = _text_state(str(given["state"]))
    return translated(EVENTS[event.kind](**facts)).strip().rstrip(":")


def topic_words(topic: str) -> str:
    """What a list of events is narrowed to."""
    words: dict[str, str] = {
        "points": _("Points"),
        "card": _("Card"),
        "phone": _("Phone"),
        "text": _("Texts"),
        "guest": _("Consents"),
    }
    return words[topic]


def _change(points: int, stamps: int) -> str:
    """``+50 points``, ``−1 stamp``; nothing where neither changed."""
    parts, language = [], current_language()
    if points:
        parts.append(("+" if points > 0 else "−") + card_wording.spelt_points(abs(points), language))
    if stamps:
        parts.append(("+" if stamps > 0 else "−") + card_wording.counted(abs(stamps), language))
    return ", ".join(parts) or str(_("nothing"))


def _fact(value: Fact) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return "" if value is None else str(value)


def _text_kind(kind: str) -> str:
    return str({"code": _("code"), "service": _("service"), "advertising": _("advertising")}[kind])


def _text_state(state: str) -> str:
    words: dict[str, str] = {
        "pending": _("queued"),
        "sending": _("on its way"),
        "accepted": _("taken by the gateway"),
        "delivered": _("delivered"),
        "undelivered": _("not delivered"),
        "refused": _("refused"),
        "exhausted": _("given up"),
        "gone": _("not sent"),
        "superseded": _("replaced"),
    }
    return words[state]


explain(
    {
        "reason-missing": lambda _fault: _("Write down why: it stays in the card’s history."),
        "reason-too-long": lambda _fault: _("At most 300 characters."),
        "nothing-to-correct": lambda _fault: _("Say how much."),
        "too-much": lambda _fault: _("That is too much for one correction."),
        "not-enough": lambda _fault: _("There is less on the card. Take what there is, or a smaller amount."),
        "form-used": lambda _fault: _("This form was used for something else: open the page again."),
        "form-key": lambda _fault: _("The form is not whole: open the page again."),
        "no-points": lambda _fault: _("This programme has stamps, not points."),
        "no-stamps": lambda _fault: _("This programme has points, not stamps."),
        "no-design": lambda _fault: _("Publish the programme’s design first."),
    }
)
