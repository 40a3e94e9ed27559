"""What the page shows of a phone with Android: Google's class and object, laid out as Google Wallet does.

The words of a notification are Google's own, and no developer's text is among them
("controlled by Google Wallet"): that there is news of the card, and of whom.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import segno

from app.simulators.android import AndroidPhone, Body, GoogleCard
from app.simulators.phone_view import WORDS, day_of
from app.simulators.pkpass import Language

ANDROID_WORDS: dict[Language, dict[str, str]] = {
    "ru": {
        "wallet": "Google Кошелек", "empty": "В Кошельке пока нет карт", "quiet": "Уведомлений пока нет",
        "message": "Новое сообщение", "field": "Карта обновлена",
        "google_words": "Слова уведомлений выбирает Google",
        "details": "Сведения о карте", "notify": "Уведомления карты", "remove": "Удалить карту",
        "journal": "Что знает Google", "inactive": "Карта больше не действует",
    },
    "en": {
        "wallet": "Google Wallet", "empty": "No cards in Wallet yet", "quiet": "No notifications yet",
        "message": "New message", "field": "Card updated",
        "google_words": "The words of notifications are Google’s",
        "details": "Pass details", "notify": "Notifications of the card", "remove": "Remove the card",
        "journal": "What Google knows", "inactive": "The card is no longer valid",
    },
}  # fmt: skip
EVENTS: dict[Language, dict[str, str]] = {
    "ru": {
        "added": "карта сохранена", "removed": "карта удалена", "updated": "карта изменилась",
        "shown": "уведомление показано", "silent_text": "сообщение без уведомления",
        "over_budget": "без уведомления: три за сутки уже были", "refused": "отказ: три за сутки уже были",
        "no_holder": "карты ни у кого нет", "unchanged": "уведомлять не о чем",
        "muted": "уведомления выключены", "unmuted": "уведомления включены",
    },
    "en": {
        "added": "card saved", "removed": "card removed", "updated": "card changed",
        "shown": "notification shown", "silent_text": "message without a notification",
        "over_budget": "no notification: three in a day were shown", "refused": "refused: three in a day",
        "no_holder": "nobody holds the card", "unchanged": "nothing to notify of",
        "muted": "notifications are off", "unmuted": "notifications are on",
    },
}  # fmt: skip
_PLACES = ("oneItem", "twoItems", "threeItems")
_ITEMS = ("item", "startItem", "middleItem", "endItem")


@dataclass(frozen=True, slots=True)
class Told:
    """A label with its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class GoogleCardView:
    """A card in Google Wallet."""

    number: int  # its place in the phone
    issuer: str
    programme: str
    background: str
    ink: str
    images: str  # changes with the pictures' addresses
    has_logo: bool
    has_hero: bool
    rows: list[list[Told]]
    messages: list[Told]
    texts: list[Told]
    links: list[Told]  # words, address
    code: str  # SVG
    code_text: str
    notified: bool
    active: bool


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notification on the lock screen."""

    time: str
    title: str
    text: str
    card: int


@dataclass(frozen=True, slots=True)
class AndroidView:
    """One phone at one moment."""

    number: int
    name: str
    language: Language
    words: dict[str, str]
    time: str
    day: str
    notices: list[NoticeView]
    cards: list[GoogleCardView]
    journal: list[tuple[str, str, str]]  # when, what, about what


def android_view(number: int, phone: AndroidPhone) -> AndroidView:
    """Everything that the page shows of ``phone``."""
    language, now = phone.language, datetime.now().astimezone()
    words = WORDS[language] | ANDROID_WORDS[language]
    cards = phone.cards
    places = {card.id: place for place, card in enumerate(cards)}
    shown = [notice for notice in phone.notices() if notice.outcome == "shown"]
    return AndroidView(
        number,
        phone.name,
        language,
        words,
        f"{now:%H:%M}",
        day_of(now, language),
        [
            NoticeView(
                f"{datetime.fromtimestamp(notice.at, UTC).astimezone():%H:%M}",
                said(cards[place].common, "issuerName", language),
                words[notice.cause],
                place,
            )
            for notice in reversed(shown[-3:])
            for place in [places[notice.target]]
        ],
        [_card(place, card, phone) for place, card in enumerate(cards)],
        [
            (f"{at.astimezone():%H:%M:%S}", EVENTS[language][event], detail.partition(".")[2])
            for at, event, detail in reversed(phone.journal[-40:])
        ],
    )


def image_address(card: GoogleCard, name: str) -> str:
    """Where Google found the ``logo`` or ``hero`` of a card; empty where it has none."""
    image = (
        card.common.get("programLogo")
        if name == "logo"
        else card.card.get("heroImage") or card.common.get("heroImage")
    )
    return str(image["sourceUri"]["uri"]) if image else ""


def said(owner: Body, field: str, language: Language) -> str:
    """A field's words in the phone's language, as ``localized…`` has them; the plain field otherwise."""
    told = owner.get(f"localized{field[0].upper()}{field[1:]}")
    if told:
        for choice in (told["defaultValue"], *told.get("translatedValues", ())):
            if str(choice["language"]).startswith(language):
                return str(choice["value"])
    return str(owner.get(field, ""))


def _card(place: int, card: GoogleCard, phone: AndroidPhone) -> GoogleCardView:
    language, common = phone.language, card.common
    code = card.card.get("barcode", {})
    addresses = image_address(card, "logo") + image_address(card, "hero")
    colour = str(common.get("hexBackgroundColor", ""))
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        colour = "#ffffff"
    owners = (card.card, common)
    return GoogleCardView(
        number=place,
        issuer=said(common, "issuerName", language),
        programme=said(common, "programName", language),
        background=colour,
        ink=_ink(colour),
        images=hashlib.sha256(addresses.encode()).hexdigest()[:12],
        has_logo=bool(image_address(card, "logo")),
        has_hero=bool(image_address(card, "hero")),
        rows=list(_rows(card, language)),
        messages=_told(card.card.get("messages", [])[::-1], language),
        texts=[told for owner in owners for told in _told(owner.get("textModulesData", []), language)],
        links=[
            Told(said(uri, "description", language), str(uri["uri"]))
            for owner in owners
            for uri in owner.get("linksModuleData", {}).get("uris", [])
        ],
        code=_svg(str(code["value"])) if code.get("type") == "QR_CODE" else "",
        code_text=str(code.get("alternateText", "")),
        notified=not phone.is_muted(card),
        active=card.card["state"] == "ACTIVE",
    )


def _told(modules: list[Body], language: Language) -> list[Told]:
    return [Told(said(each, "header", language), said(each, "body", language)) for each in modules]


def _rows(card: GoogleCard, language: Language) -> Iterator[list[Told]]:
    """The front, in the order of ``classTemplateInfo``; a row that has nothing to say is not there."""
    template = card.common.get("classTemplateInfo", {}).get("cardTemplateOverride", {})
    for row in template.get("cardRowTemplateInfos", []):
        items = next(row[name] for name in _PLACES if name in row)
        told = [_field(card, items[name], language) for name in _ITEMS if name in items]
        if shown := [each for each in told if each and each.value]:
            yield shown


def _field(card: GoogleCard, item: Body, language: Language) -> Told | None:
    """Label and value of an item's first ``fieldPath``."""
    path = str(item["firstValue"]["fields"][0]["fieldPath"])
    whose, _, field = path.partition(".")
    owner = card.card if whose == "object" else card.common
    if module := re.fullmatch(r"textModulesData\['([^']+)'\]", field):
        found = next((each for each in owner.get("textModulesData", []) if each.get("id") == module[1]), None)
        return Told(said(found, "header", language), said(found, "body", language)) if found else None
    name, _, below = field.partition(".")
    if below == "balance":
        points = owner.get(name)
        return Told(said(points, "label", language), _balance(points["balance"])) if points else None
    return Told(said(card.common, f"{name}Label", language), said(owner, name, language))


def _balance(balance: dict[str, Any]) -> str:
    if money := balance.get("money"):
        return f"{int(money['micros']) / 1e6:,.2f} {money['currencyCode']}"
    return str(next(iter(balance.values()), ""))


def _svg(message: str) -> str:
    return str(segno.make(message, error="m", micro=False).svg_inline(border=2, omitsize=True))


def _ink(colour: str) -> str:
    """Dark letters on a light ground, light ones on a dark, as Google sets them."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#1f1f1f" if 0.299 * red + 0.587 * green + 0.114 * blue > 150 else "#ffffff"
