"""A guest's own values as JSON: what stands in a field for each placeholder of a layout."""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Protocol
from zoneinfo import ZoneInfo

from app.passes.content import PassContent, PassIdentity

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
