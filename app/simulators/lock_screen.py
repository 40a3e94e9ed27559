"""What the holder sees when a pass changes: the banner that iOS would put on the lock screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.simulators.pkpass import Field, Language, Pkpass

_KINDS = {
    "storeCard": {"en": "Store card changed", "ru": "Карта магазина изменилась"},
    "coupon": {"en": "Coupon changed", "ru": "Купон изменился"},
    "eventTicket": {"en": "Event ticket changed", "ru": "Билет изменился"},
    "boardingPass": {"en": "Boarding pass changed", "ru": "Посадочный талон изменился"},
    "generic": {"en": "Pass changed", "ru": "Карта изменилась"},
}


@dataclass(frozen=True, slots=True)
class Banner:
    """One notification on the lock screen."""

    at: datetime  # the phone's clock
    pass_type_identifier: str
    serial_number: str
    title: str
    text: str
    generic: bool  # iOS found nothing better to say


def changed_fields(old: Pkpass, new: Pkpass, language: Language) -> list[Field]:
    """The fields of ``new`` with a change message and another value than in ``old``."""
    before = {each.key: each.raw for each in old.fields(language)}
    return [
        each for each in new.fields(language) if each.change_message and before.get(each.key, "") != each.raw
    ]


def banner(old: Pkpass, new: Pkpass, language: Language, at: datetime) -> Banner | None:
    """The notification of an update, None where it is silent.

    Exactly one changed field speaks with its own text; two or more, or a message without ``%@``, get iOS's
    generic words. A value that became empty says nothing.
    """
    changed = [each for each in changed_fields(old, new, language) if each.value]
    if not changed:
        return None
    text = _KINDS[new.style][language]
    generic = len(changed) != 1 or "%@" not in changed[0].change_message
    if not generic:
        text = changed[0].change_message.replace("%@", changed[0].value).replace("%%", "%")
    title = new.translate(str(new.document.get("organizationName", "")), language)
    return Banner(at, new.pass_type_identifier, new.serial_number, title, text, generic)
