"""pass.json of one pass, made from a design that was taken apart once.

The raw words in pass.json are those of the holder's language; the other language's ``pass.strings`` maps
them to its own. So a message that changes always changes the raw value too, which is what Wallet compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from typing import Any
from zoneinfo import ZoneInfo

from app.errors import BadInput
from app.passes.content import Language, LocalizedText, Message, PassContent, PassIdentity
from app.passes.layout import FIELD_GROUPS, OWN_FIELD_KEYS, STYLES, TEXT_PLACEHOLDER, Layout, other

MOST_LOCATIONS = 10  # Apple, "Pass", key `locations`
MOST_MESSAGES = 5
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Number(str):
    """A number as it stands in JSON."""

    __slots__ = ()


Value = LocalizedText | str | Number | None


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


def _points(content: PassContent) -> Number:
    whole, hundredths = divmod(abs(content.balance), 100)
    sign = "-" if content.balance < 0 else ""
    return Number(f"{sign}{whole}.{hundredths:02d}".rstrip("0").rstrip("."))


def _history(messages: tuple[Message, ...], zone: ZoneInfo) -> LocalizedText | None:
    """The last messages with their dates, newest first."""
    if not messages:
        return None
    days = [message.at.astimezone(zone) for message in messages]
    pairs = list(zip(days, messages, strict=True))
    return LocalizedText(
        ru="\n\n".join(f"{at.day:02d}.{at.month:02d}.{at.year} — {message.text.ru}" for at, message in pairs),
        en="\n\n".join(
            f"{at.day} {_MONTHS[at.month - 1]} {at.year} — {message.text.en}" for at, message in pairs
        ),
    )


_VALUES: dict[str, Callable[[PassContent, ZoneInfo], Value]] = {
    "{balance}": lambda content, _: _points(content),
    "{stamps}": lambda content, _: Number(content.stamps),
    "{tier}": lambda content, _: content.tier,
    "{member_name}": lambda content, _: content.member_name,
    "{card_code}": lambda content, _: content.card_code,
    "{latest_message}": lambda content, _: content.messages[0].text if content.messages else None,
    "{messages}": lambda content, zone: _history(content.messages, zone),
}


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: JSON around a hole, or JSON alone."""

    before: str
    value: Callable[[PassContent, ZoneInfo], Value] | None = None
    after: str = ""
    empty: str | None = None  # JSON of what stands there meanwhile
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """pass.json, and what the other language's pass.strings must say beyond its static part."""

    document: str
    translations: dict[str, str]


class PassTemplate:
    """A layout taken apart for holders of one language."""

    def __init__(self, layout: Layout, language: Language, *, web_service_url: str) -> None:
        """``web_service_url`` is the same for every pass of a pass type identifier, without ``/v1``."""
        self._language = language
        self._other = other(language)
        self._texts = layout.texts
        self._zone = ZoneInfo(layout.time_zone)
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
        self._head = _json(static)[:-1] + ',"serialNumber":'
        self._style_extras = _json(
            {key: self._resolve(value) for key, value in groups.items() if key not in FIELD_GROUPS}
        )[1:-1]
        self._groups = [
            (f'"{group}":[', [each for each in map(self._field, groups.get(group, ())) if each])
            for group in FIELD_GROUPS
        ]
        self._barcodes = f',"barcodes":{_json(self._resolve(barcodes))}' if barcodes else ""
        self.other_strings = dict(sorted(self.other_strings.items()))

    def render(self, content: PassContent, identity: PassIdentity) -> Rendered:
        """One pass. A voided one carries nothing of its guest: no name, no balance, no code, no places."""
        translations: dict[str, str] = {}
        groups = [self._style_extras] if self._style_extras else []
        for opening, fields in self._groups:
            rendered = [
                text for each in fields if (text := self._fill(each, content, translations)) is not None
            ]
            if rendered:
                groups.append(f"{opening}{','.join(rendered)}]")
        parts = [
            self._head,
            quoted(identity.serial_number),
            ',"authenticationToken":',
            quoted(identity.authentication_token),
            f',"{self._style}":{{{",".join(groups)}}}',
        ]
        if content.voided:
            parts.append(',"voided":true')
        else:
            parts.append(self._barcodes.replace("{card_code}", quoted(content.card_code)[1:-1]))
            if content.locations:
                parts.append(f',"locations":[{self._locations(content, translations)}]')
        parts.append("}")
        return Rendered("".join(parts), translations)

    def _field(self, description: dict[str, Any]) -> _Field | None:
        apple = {key: each for key, each in description.items() if key not in OWN_FIELD_KEYS}
        source = _VALUES.get(apple["value"]) if isinstance(apple.get("value"), str) else None
        if source is None:
            resolved = self._resolve(apple)
            return _Field(_json(resolved)) if resolved.get("value") not in (None, "") else None
        value = apple.pop("value")
        empty = self._resolve(description.get("empty"))
        return _Field(
            before=_json(self._resolve(apple))[:-1] + ',"value":',
            value=source,
            after="}",
            empty=_json(empty) if empty else None,
            optional=bool(description.get("optional")) and value in ("{balance}", "{stamps}"),
        )

    def _fill(self, each: _Field, content: PassContent, translations: dict[str, str]) -> str | None:
        if each.value is None:
            return each.before
        if content.voided:
            return None
        value = each.value(content, self._zone)
        if isinstance(value, Number):
            return None if each.optional and value == "0" else f"{each.before}{value}{each.after}"
        text = self._raw(value, translations) if isinstance(value, LocalizedText) else value
        if not text:
            return f"{each.before}{each.empty}{each.after}" if each.empty else None
        return f"{each.before}{quoted(text)}{each.after}"

    def _raw(self, text: LocalizedText, translations: dict[str, str]) -> str:
        """The words in the holder's language; their translation is noted."""
        raw, translated = (text.ru, text.en) if self._language == "ru" else (text.en, text.ru)
        if raw and translated and raw != translated and raw not in self.other_strings:
            translations[raw] = translated
        return raw or translated

    def _locations(self, content: PassContent, translations: dict[str, str]) -> str:
        places = []
        for place in content.locations:
            text = f'{{"latitude":{float(place.latitude)!r},"longitude":{float(place.longitude)!r}'
            if place.relevant_text is not None and (raw := self._raw(place.relevant_text, translations)):
                text += f',"relevantText":{quoted(raw)}'
            places.append(text + "}")
        return ",".join(places)

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


def _json(value: Any) -> str:
    # Sorted, since PostgreSQL keeps no order of keys: a design read back must give the same bytes.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
