"""pass.json of one pass, made from a design that was taken apart once.

The raw words in pass.json are those of the holder's language; the other language's ``pass.strings`` maps
them to its own. So a message that changes always changes the raw value too, which is what Wallet compares.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.errors import BadInput
from app.passes.content import MOST_LOCATIONS, MOST_MESSAGES, MOST_OFFERS, Language, PassContent, PassIdentity
from app.passes.guest_values import Say, Value, unless_zero, values
from app.passes.layout import COUNTS, FIELD_GROUPS, OWN_FIELD_KEYS, STYLES, TEXT_PLACEHOLDER, Layout, other
from app.passes.looks import look_number


def check_content(content: PassContent) -> None:
    """Raise :class:`BadInput` for content that iOS would refuse or cut; costs next to nothing."""
    code = content.card_code
    if not (code and code.isascii() and code.isprintable()):
        raise BadInput(
            "card-code-not-ascii",
            "The card code must be printable ASCII: scanners guess the encoding of anything else.",
            field="card_code",
        )
    if len(content.messages) > MOST_MESSAGES:
        raise BadInput(
            "too-many-messages", f"A card keeps its last {MOST_MESSAGES} messages.", field="messages"
        )
    if len(content.offers) > MOST_OFFERS:
        raise BadInput("too-many-offers", f"A card carries {MOST_OFFERS} offers at most.", field="offers")
    if len(content.locations) > MOST_LOCATIONS:
        raise BadInput(
            "too-many-locations",
            f"A pass may name {MOST_LOCATIONS} locations at most; choose the best ones.",
            field="locations",
        )
    for place in content.locations:
        # Also false for a NaN, which JSON cannot say.
        if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
            raise BadInput(
                "location-not-on-earth",
                f"{place.latitude}, {place.longitude}: a latitude lies in -90…90, a longitude in -180…180.",
                field="locations",
            )


class _Field(NamedTuple):
    """JSON around a hole; where nothing fills it, JSON alone."""

    before: str
    value: Value | None = None
    after: str = ""
    empty: str | None = None  # JSON of what stands there meanwhile


class Rendered(NamedTuple):
    """pass.json, and what the other language's pass.strings must say beyond its static part."""

    document: str
    translations: dict[str, str]


class PassTemplate:
    """A layout taken apart for holders of one language."""

    def __init__(self, layout: Layout, language: Language, *, web_service_url: str) -> None:
        """``web_service_url`` is the same for every pass of a pass type identifier, without ``/v1``."""
        self._language = language
        self._is_russian = language == "ru"
        self._other = other(language)
        self._texts = layout.texts
        self._zone = ZoneInfo(layout.time_zone)
        self._layout = layout
        self._values = values(layout.for_reward)
        self.own_strings: dict[str, str] = dict(sorted(layout.strings[language].items()))
        """Entries of the holder's own pass.strings, the same for every pass."""
        self.other_strings: dict[str, str] = dict(layout.strings[self._other])
        """Entries of the other pass.strings that are the same for every pass."""
        document = dict(layout.document)
        self._style = layout.style
        groups = document.pop(self._style)
        barcodes = document.pop("barcodes", [])
        for style in STYLES:
            document.pop(style, None)
        static = self._resolve(document) | {"webServiceURL": web_service_url}
        _leave_out_actions_without_a_link(static)
        self._heads = [
            _json(static | colours)[:-1] + ',"serialNumber":'
            for colours in ({}, *(tier.colours for tier in layout.tiers))
        ]
        self._style_extras = _json(
            {key: self._resolve(value) for key, value in groups.items() if key not in FIELD_GROUPS}
        )[1:-1]
        self._groups = [
            (f'"{group}":[', _merged([each for each in map(self._field, groups.get(group, ())) if each]))
            for group in FIELD_GROUPS
        ]
        self._barcodes = f',"barcodes":{_json(self._resolve(barcodes))}' if barcodes else ""
        self.other_strings = dict(sorted(self.other_strings.items()))

    def render(self, content: PassContent, identity: PassIdentity) -> Rendered:
        """One pass. A voided one carries nothing of its guest: no name, no balance, no code, no places.

        A blocked one is void as well, and without code and places; it still says whose it is, and why.
        """
        translations: dict[str, str] = {}
        russian, static, zone, voided = self._is_russian, self.other_strings, self._zone, content.voided

        def say(ru: str, en: str) -> str | None:
            raw, translated = (ru, en) if russian else (en, ru)
            if raw and translated and raw != translated and raw not in static:
                translations[raw] = translated
            words = raw or translated
            return quoted(words) if words else None

        groups = [self._style_extras] if self._style_extras else []
        for opening, fields in self._groups:
            rendered = []
            for before, value, after, empty in fields:
                if value is None:
                    rendered.append(before)
                elif not voided and (said := value(content, identity, say, zone) or empty) is not None:
                    rendered.append(f"{before}{said}{after}")
            if rendered:
                groups.append(f"{opening}{','.join(rendered)}]")
        parts = [
            self._heads[look_number(self._layout, content)] if self._layout.tiers else self._heads[0],
            quoted(identity.serial_number),
            ',"authenticationToken":',
            quoted(identity.authentication_token),
            f',"{self._style}":{{{",".join(groups)}}}',
        ]
        if content.voided or content.blocked:
            parts.append(',"voided":true')
        else:
            parts.append(self._barcodes.replace("{card_code}", quoted(content.card_code)[1:-1]))
            if content.locations:
                parts.append(f',"locations":[{_locations(content, say)}]')
        parts.append("}")
        return Rendered("".join(parts), translations)

    def _field(self, description: dict[str, Any]) -> _Field | None:
        apple = {key: each for key, each in description.items() if key not in OWN_FIELD_KEYS}
        source = self._values.get(apple["value"]) if isinstance(apple.get("value"), str) else None
        if source is None:
            resolved = self._resolve(apple)
            return _Field(_json(resolved)) if resolved.get("value") not in (None, "") else None
        optional = bool(description.get("optional")) and apple["value"][1:-1] in COUNTS
        del apple["value"]
        empty = self._resolve(description.get("empty"))
        return _Field(
            before=_json(self._resolve(apple))[:-1] + ',"value":',
            value=unless_zero(source) if optional else source,
            after="}",
            empty=_json(empty) if empty else None,
        )

    def _resolve(self, value: Any) -> Any:
        """Put the brand's texts in; what names a text that the brand lacks becomes None and is left out."""
        if isinstance(value, dict):
            resolved = {key: self._resolve(each) for key, each in value.items()}
            return {key: each for key, each in resolved.items() if each is not None or value[key] is None}
        if isinstance(value, list):
            return [self._resolve(each) for each in value]
        if not isinstance(value, str) or not (names := TEXT_PLACEHOLDER.findall(value)):
            return value
        if not all((text := self._texts.get(name)) and (text.ru or text.en) for name in names):
            return None
        raw = self._substituted(value, self._language)
        translated = self._substituted(value, self._other)
        if raw != translated:
            self.other_strings.setdefault(raw, translated)
        return raw

    def _substituted(self, value: str, language: Language) -> str:
        def text(name: str) -> str:
            words = self._texts[name]
            return words.in_language(language) or words.in_language(other(language))

        return TEXT_PLACEHOLDER.sub(lambda match: text(match[1]), value)


def _leave_out_actions_without_a_link(document: dict[str, Any]) -> None:
    """An action whose address the brand does not have is no action (Apple, "Add featured actions")."""
    actions = document.get("featuredActions")
    if not isinstance(actions, list):
        return
    whole = [
        each
        for each in actions
        if not isinstance(each, dict) or each.get("url") or each.get("placeIdentifier")
    ]
    if whole:
        document["featuredActions"] = whole
    else:
        del document["featuredActions"]


def _merged(fields: list[_Field]) -> list[_Field]:
    """Neighbours without a hole become one."""
    merged: list[_Field] = []
    for each in fields:
        if merged and merged[-1].value is None and each.value is None:
            merged[-1] = _Field(f"{merged[-1].before},{each.before}")
        else:
            merged.append(each)
    return merged


def _locations(content: PassContent, say: Say) -> str:
    places = []
    for place in content.locations:
        at = f'{{"latitude":{float(place.latitude)!r},"longitude":{float(place.longitude)!r}'
        text = place.relevant_text
        said = say(text.ru, text.en) if text else None
        places.append(f'{at},"relevantText":{said}}}' if said else f"{at}}}")
    return ",".join(places)


def _json(value: Any) -> str:
    # Sorted, since PostgreSQL keeps no order of keys: a design read back must give the same bytes.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
