"""The words of a card in Google Wallet: both languages in every string, the holder's or brand's own first.

Google shows whom it can the translation in the phone's language, everybody else the default. Source: the
discovery document (walletobjects v1, revision 20260806), ``LocalizedString`` and ``TranslatedString``.
"""

from __future__ import annotations

import json
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.passes.content import Language, LocalizedText, PassContent, PassIdentity
from app.passes.guest_values import Value, values
from app.passes.layout import PLACEHOLDER, TEXT_PLACEHOLDER, Layout, other
from app.passes.lint_rules_google import LINK_SCHEMES

_TIER: Final = "{tier}"


def localized(text: LocalizedText, language: Language) -> dict[str, Any]:
    """A ``LocalizedString`` whose default is in ``language``; its keys are always the same ones."""
    second = other(language)
    first, translated = text.in_language(language), text.in_language(second)
    said = first or translated
    translations = [{"language": second, "value": translated}] if translated and translated != said else []
    return {
        "defaultValue": {"language": language if first else second, "value": said},
        "translatedValues": translations,
    }


def plain(text: LocalizedText, language: Language) -> str:
    """The words where there is room for one language."""
    return text.in_language(language) or text.in_language(other(language))


def both(field: str, text: LocalizedText, language: Language) -> dict[str, Any]:
    """``{"header": …, "localizedHeader": …}``: Google shows the second where it can."""
    return {
        field: plain(text, language),
        f"localized{field[0].upper()}{field[1:]}": localized(text, language),
    }


def same(words: str) -> LocalizedText:
    """What is said alike in both languages."""
    return LocalizedText(words, words)


class Words:
    """Resolves what google.toml says: its own words, the brand's texts, one guest's values."""

    def __init__(self, layout: Layout) -> None:
        self._texts, self._strings = layout.texts, layout.strings
        self._values: dict[str, Value] = values(layout.for_reward)
        self._zone = ZoneInfo(layout.time_zone)

    def shared(self, said: str, tier: LocalizedText | None = None) -> LocalizedText | None:
        """What all holders read; None where it needs a text that the brand does not have."""
        if said == _TIER:
            return tier
        return self._resolved(said) if said else None

    def own(self, said: str, content: PassContent, identity: PassIdentity) -> LocalizedText | None:
        """What one guest reads; None where there is nothing to say."""
        if (value := self._values.get(said)) is None:
            return self._resolved(said) if said else None
        spoken: list[LocalizedText] = []

        def say(ru: str, en: str) -> str | None:
            spoken.append(LocalizedText(ru or en, en or ru))
            return '""' if ru or en else None

        found = value(content, identity, say, self._zone)
        if found is None:
            return None
        if spoken:
            return spoken[0]
        if found.startswith('"'):
            return same(str(json.loads(found)))
        return LocalizedText(found.replace(".", ","), found)  # a number: Russian has a comma in it

    def link(self, text: LocalizedText | None, language: Language) -> str | None:
        """An address that Google takes (it must have a scheme), or None."""
        address = plain(text, language) if text else ""
        return address if address.startswith(LINK_SCHEMES) else None

    def _resolved(self, said: str) -> LocalizedText | None:
        names = TEXT_PLACEHOLDER.findall(said)
        if not names:
            if PLACEHOLDER.search(said):  # the linter refuses it; a card must not show it either
                return None
            return LocalizedText(self._strings["ru"].get(said, said), self._strings["en"].get(said, said))
        texts = [self._texts.get(name) for name in names]
        if not all(text and (text.ru or text.en) for text in texts):
            return None
        return LocalizedText(self._filled(said, "ru"), self._filled(said, "en"))

    def _filled(self, said: str, language: Language) -> str:
        return TEXT_PLACEHOLDER.sub(lambda match: plain(self._texts[match[1]], language), said)
