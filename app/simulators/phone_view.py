"""What the phone's page shows, taken from a phone: values for the template, nothing of HTTP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import segno

from app.simulators.phone import Card, Phone
from app.simulators.pkpass import Field, Language

_RGB = re.compile(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)")
WORDS: dict[Language, dict[str, str]] = {
    "ru": {
        "title": "Телефоны песочницы", "phones": "Телефоны", "lock": "Экран блокировки", "wallet": "Wallet",
        "empty_lock": "Уведомлений пока нет", "empty_wallet": "В Wallet пока нет карт",
        "back": "Оборот карты",
        "updates": "Автообновление", "on": "вкл.", "off": "выкл.", "refresh": "Потянуть и обновить",
        "delete": "Удалить карту", "receipt": "Пробить чек", "offline": "Без сети",
        "go_offline": "Отключить сеть",
        "go_online": "Включить сеть", "journal": "Что делал телефон", "log": "Жалобы в журнал сервиса",
        "patience": "Терпение iOS", "calm": "спокоен", "mild": "раздражён", "moderate": "сердит",
        "severe": "очень сердит", "cut-off": "отключил", "language": "English", "now": "Карта",
        "no_phones": "Телефонов пока нет: город ещё просыпается.", "till": "Касса",
    },
    "en": {
        "title": "Sandbox phones", "phones": "Phones", "lock": "Lock screen", "wallet": "Wallet",
        "empty_lock": "No notifications yet", "empty_wallet": "No cards in Wallet yet",
        "back": "Back of the card",
        "updates": "Automatic updates", "on": "on", "off": "off", "refresh": "Pull to refresh",
        "delete": "Remove the card", "receipt": "Ring up a receipt", "offline": "No network",
        "go_offline": "Switch the network off", "go_online": "Switch the network on",
        "journal": "What the phone did", "log": "Complaints to the service’s log",
        "patience": "iOS’s patience",
        "calm": "calm", "mild": "annoyed", "moderate": "cross", "severe": "very cross", "cut-off": "cut off",
        "language": "Русский", "now": "Card",
        "no_phones": "No phones yet: the town is waking up.", "till": "Till",
    },
}  # fmt: skip
EVENTS: dict[Language, dict[str, str]] = {
    "ru": {
        "added": "карта добавлена", "updated": "карта обновилась", "removed": "карта удалена",
        "refreshed": "потянули и обновили", "pushed": "пришёл пуш", "updates_on": "автообновление включено",
        "updates_off": "автообновление выключено",
        "network_on": "сеть включена", "network_off": "сеть отключена",
        "waits": "терпение на исходе, спрошу через", "failed": "не вышло", "broke": "телефон сломался",
    },
    "en": {
        "added": "card added", "updated": "card updated", "removed": "card removed",
        "refreshed": "pulled to refresh", "pushed": "push arrived", "updates_on": "automatic updates on",
        "updates_off": "automatic updates off", "network_on": "network on", "network_off": "network off",
        "waits": "out of patience, asking in", "failed": "failed", "broke": "the phone broke",
    },
}  # fmt: skip
_DAYS = {
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "ru": ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября",
           "ноября", "декабря"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CardView:
    """A card's face and back."""

    number: int  # its place in the phone
    organization: str
    logo_text: str
    description: str
    background: str
    ink: str
    label: str
    version: str  # changes with the pass: makes pictures reload
    has_logo: bool
    has_strip: bool
    header: list[Field]
    primary: list[Field]
    secondary: list[Field]
    auxiliary: list[Field]
    back: list[Field]
    code: str  # SVG
    code_text: str
    updates_on: bool
    voided: bool


def colour(value: object, otherwise: str) -> str:
    """A colour of pass.json as CSS; only what is certainly a colour gets through."""
    if isinstance(value, str) and (match := _RGB.fullmatch(value)):
        return f"rgb({match[1]} {match[2]} {match[3]})"
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        return value
    return otherwise


def card_view(number: int, card: Card, language: Language) -> CardView:
    """``card`` in the phone's language."""
    shown = card.wallet_pass
    document, fields = shown.document, shown.fields(language)
    ink = colour(document.get("foregroundColor"), "rgb(255 255 255)")
    barcode = shown.barcode
    # Wallet draws a strip on these styles only.
    strips = shown.style in ("storeCard", "coupon", "eventTicket")
    return CardView(
        number=number,
        organization=shown.translate(str(document["organizationName"]), language),
        logo_text=shown.translate(str(document.get("logoText", "")), language),
        description=shown.translate(str(document["description"]), language),
        background=colour(document.get("backgroundColor"), "rgb(60 60 67)"),
        ink=ink,
        label=colour(document.get("labelColor"), ink),
        version=shown.manifest_hash[:12],
        has_logo=shown.image("logo", language) is not None,
        has_strip=strips and shown.image("strip", language) is not None,
        header=_of(fields, "headerFields"),
        primary=_of(fields, "primaryFields"),
        secondary=_of(fields, "secondaryFields"),
        auxiliary=_of(fields, "auxiliaryFields"),
        back=[field for field in _of(fields, "backFields") if field.value],
        code=_code(barcode["message"]) if barcode else "",
        code_text=barcode.get("altText", "") if barcode else "",
        updates_on=card.updates_on,
        voided=bool(document.get("voided")),
    )


def _of(fields: list[Field], group: str) -> list[Field]:
    return [field for field in fields if field.group == group]


def _code(message: str) -> str:
    return str(segno.make(message, error="m", micro=False).svg_inline(border=2, omitsize=True))


@dataclass(frozen=True, slots=True)
class BannerView:
    """A notification."""

    time: str
    title: str
    text: str
    colour: str
    card: int | None  # None: the card is no longer there


@dataclass(frozen=True, slots=True)
class PhoneView:
    """One phone at one moment."""

    number: int
    name: str
    language: Language
    words: dict[str, str]
    time: str
    day: str
    offline: bool
    banners: list[BannerView]
    alerts: list[str]
    cards: list[CardView]
    journal: list[tuple[str, str, str]]  # when, what, about what
    log: list[str]
    moods: list[tuple[str, str, str]]  # pass type identifier, mood, score


def day_of(now: datetime, language: Language) -> str:
    """The line above a lock screen's clock."""
    day, month = _DAYS[language][now.weekday()], _MONTHS[language][now.month - 1]
    return f"{day}, {now.day} {month}" if language == "ru" else f"{day} {now.day} {month}"


def phone_view(number: int, phone: Phone) -> PhoneView:
    """Everything that the page shows of ``phone``."""
    language, now = phone.language, phone.clock.now().astimezone()
    keys = list(phone.cards)
    banners = [
        BannerView(
            f"{banner.at.astimezone():%H:%M}",
            banner.title,
            banner.text,
            colour(phone.cards[key].wallet_pass.document.get("backgroundColor"), "rgb(60 60 67)")
            if (key := (banner.pass_type_identifier, banner.serial_number)) in phone.cards
            else "rgb(60 60 67)",
            keys.index(key) if key in phone.cards else None,
        )
        for banner in reversed(phone.banners[-5:])
    ]
    return PhoneView(
        number,
        phone.name,
        language,
        WORDS[language],
        f"{now:%H:%M}",
        day_of(now, language),
        phone.offline,
        banners,
        phone.alerts[-2:],
        [card_view(place, card, language) for place, card in enumerate(phone.cards.values())],
        [
            (f"{at.astimezone():%H:%M:%S}", EVENTS[language][event], detail)
            for at, event, detail in reversed(phone.journal[-40:])
        ],
        list(reversed(phone.log_lines[-10:])),
        [(topic, state.mood, f"{state.score:.2f}") for topic, state in phone.patience.items()],
    )
