"""A guest's own values as JSON: what stands in a field for each placeholder of a layout."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from json.encoder import encode_basestring as quoted
from typing import Protocol
from zoneinfo import ZoneInfo

from app.passes.content import CardOffer, Language, PassContent, PassIdentity

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Say(Protocol):
    """Puts words into pass.json: quoted, in the holder's language; their translation is noted."""

    def __call__(self, ru: str, en: str) -> str | None: ...  # noqa: D102


Value = Callable[[PassContent, PassIdentity, Say, ZoneInfo], str | None]
"""One guest's own value as JSON; None where there is none."""


def _points(content: PassContent, _identity: PassIdentity, _say: Say, _zone: ZoneInfo) -> str:
    whole, hundredths = divmod(abs(content.balance), 100)
    sign = "-" if content.balance < 0 else ""
    return f"{sign}{whole}.{hundredths:02d}".rstrip("0").rstrip(".") if hundredths else f"{sign}{whole}"


def _stamps(content: PassContent, _identity: PassIdentity, _say: Say, _zone: ZoneInfo) -> str:
    return str(content.stamps)


def _tier(content: PassContent, _identity: PassIdentity, say: Say, _zone: ZoneInfo) -> str | None:
    return say(content.tier.ru, content.tier.en) if content.tier else None


def _member_name(content: PassContent, _identity: PassIdentity, _say: Say, _zone: ZoneInfo) -> str | None:
    return quoted(content.member_name) if content.member_name else None


def _card_code(content: PassContent, _identity: PassIdentity, _say: Say, _zone: ZoneInfo) -> str:
    return quoted(content.card_code)


def _latest_message(content: PassContent, _identity: PassIdentity, say: Say, _zone: ZoneInfo) -> str | None:
    if not content.messages:
        return None
    text = content.messages[0].text
    return say(text.ru, text.en)


def _messages(content: PassContent, _identity: PassIdentity, say: Say, zone: ZoneInfo) -> str | None:
    """The last messages with their dates, newest first."""
    if not content.messages:
        return None
    ru, en = [], []
    for message in content.messages:
        day = message.at.astimezone(zone)
        ru.append(f"{day.day:02d}.{day.month:02d}.{day.year} — {message.text.ru}")
        en.append(f"{day.day} {_MONTHS[day.month - 1]} {day.year} — {message.text.en}")
    return say("\n\n".join(ru), "\n\n".join(en))


def _offer(content: PassContent, _identity: PassIdentity, say: Say, zone: ZoneInfo) -> str | None:
    """The one that ends first, in as few words as the front has room for."""
    if not content.offers:
        return None
    first = content.offers[0]
    return say(*(_named(first, language, zone, year=False) for language in ("ru", "en")))


def _offers(content: PassContent, _identity: PassIdentity, say: Say, zone: ZoneInfo) -> str | None:
    """All of them with their terms and the code that a cashier types."""
    if not content.offers:
        return None
    return say(
        *("\n\n".join(_told(each, language, zone) for each in content.offers) for language in ("ru", "en"))
    )


def _told(offer: CardOffer, language: Language, zone: ZoneInfo) -> str:
    code = f"Код на кассе: {offer.code}" if language == "ru" else f"Code at the till: {offer.code}"
    lines = (_named(offer, language, zone, year=True), offer.terms.in_language(language), code)
    return "\n".join(line for line in lines if line)


def _named(offer: CardOffer, language: Language, zone: ZoneInfo, *, year: bool) -> str:
    name = offer.name.in_language(language)
    if offer.until is None:
        return name
    day = (offer.until - timedelta(microseconds=1)).astimezone(zone)  # the last day on which it holds
    told = day_of(day, language) + (_year_of(day, language) if year else "")
    return f"{name} до {told}" if language == "ru" else f"{name} until {told}"


def day_of(day: datetime, language: Language) -> str:
    """A day as short as it can be told without a year: "05.11", "5 Nov"."""
    return f"{day.day:02d}.{day.month:02d}" if language == "ru" else f"{day.day} {_MONTHS[day.month - 1]}"


def _year_of(day: datetime, language: Language) -> str:
    return f".{day.year}" if language == "ru" else f" {day.year}"


def _withdrawal_url(_content: PassContent, identity: PassIdentity, _say: Say, _zone: ZoneInfo) -> str | None:
    return quoted(identity.withdrawal_url) if identity.withdrawal_url else None


_OF_EVERYBODY: dict[str, Value] = {
    "{balance}": _points,
    "{stamps}": _stamps,
    "{tier}": _tier,
    "{member_name}": _member_name,
    "{card_code}": _card_code,
    "{latest_message}": _latest_message,
    "{messages}": _messages,
    "{offer}": _offer,
    "{offers}": _offers,
    "{withdrawal_url}": _withdrawal_url,
}


def values(for_reward: int | None) -> dict[str, Value]:
    """What fills each placeholder; ``for_reward`` is how many stamps a reward takes, where there are any."""
    return _OF_EVERYBODY | _values_of_stamps(for_reward)


def _values_of_stamps(for_reward: int | None) -> dict[str, Value]:
    if not for_reward:
        return dict.fromkeys(("{stamps_missing}", "{rewards}"), lambda _content, _identity, _say, _zone: None)
    return {
        "{stamps_missing}": lambda content, _identity, _say, _zone: str(
            for_reward - content.stamps % for_reward
        ),
        "{rewards}": lambda content, _identity, _say, _zone: str(content.stamps // for_reward),
    }


def unless_zero(value: Value) -> Value:
    """The same value, none where it is zero."""

    def said_unless_zero(
        content: PassContent, identity: PassIdentity, say: Say, zone: ZoneInfo
    ) -> str | None:
        said = value(content, identity, say, zone)
        return None if said == "0" else said

    return said_unless_zero
