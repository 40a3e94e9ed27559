"""What a guest's merge fields are filled with, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from app.campaigns import store_guests
from app.campaigns.merge_fields import ALWAYS, SOMETIMES, fill
from app.campaigns.store_guests import Guest
from app.db import Tx
from app.db.identifiers import ProgrammeId, WalletPassId
from app.loyalty import content, programmes
from app.loyalty.rules import Rules
from app.loyalty.wording import counted, spelt_points
from app.passes.content import Language, LocalizedText

Values = Mapping[Language, Mapping[str, str | None]]
_LANGUAGES: tuple[Language, ...] = ("ru", "en")


def of_passes(
    tx: Tx,
    pass_ids: Sequence[WalletPassId],
    *,
    fields: Collection[str] = (*ALWAYS, *SOMETIMES),
    besides: Mapping[str, LocalizedText] | None = None,
) -> dict[WalletPassId, Values]:
    """The values of those whose living cards these are, of these ``fields``.

    ``besides``: what all share (the offer's).
    """
    rules: dict[ProgrammeId, Rules] = {}
    found = {}
    for pass_id, guest in store_guests.of_passes(tx, pass_ids).items():
        if guest.programme_id not in rules:
            rules[guest.programme_id] = programmes.programme(tx, guest.programme_id).rules
        found[pass_id] = _values(guest, rules[guest.programme_id], fields, besides or {})
    return found


def said(text: LocalizedText, values: Values) -> LocalizedText:
    """As the guest reads it on the card, which knows both languages."""
    return LocalizedText(fill(text.ru, values["ru"]), fill(text.en, values["en"]))


def _values(
    guest: Guest, rules: Rules, fields: Collection[str], besides: Mapping[str, LocalizedText]
) -> Values:
    return {
        language: {
            **{name: _VALUES[name](guest, rules, language) for name in fields},
            **{name: text.in_language(language) for name, text in besides.items()},
        }
        for language in _LANGUAGES
    }


def _tier(guest: Guest, rules: Rules, language: Language) -> str | None:
    tier = content.tier_name(rules, guest.tier)
    return tier.in_language(language) if tier else None


# Each only where a text asks for it: a number in words takes longer than the rest of a guest.
_VALUES: Mapping[str, Callable[[Guest, Rules, Language], str | None]] = {
    "name": lambda guest, _rules, _language: guest.name,
    "balance": lambda guest, _rules, language: spelt_points(guest.balance, language),
    "stamps": lambda guest, _rules, language: counted(guest.stamps, language),
    "tier": _tier,
    "programme": lambda guest, _rules, _language: guest.programme,
    "venue": lambda guest, _rules, _language: guest.venue,
}
