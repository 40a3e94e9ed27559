"""What the templates that we ship say of one guest, told once more: label and value of every field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.passes.content import LocalizedText, Message, PassContent
from tests.passes import card, templates

MESSAGE = LocalizedText("Кофе за наш счёт", "Coffee is on us")
Fields = list[tuple[str, str, str | float]]

BACK: dict[str, Fields] = {
    "ru": [
        ("latest_message", "Новости", MESSAGE.ru),
        ("messages", "Последние сообщения", f"21.11.2026 — {MESSAGE.ru}"),
        ("rules", "Как это работает", "5 % с каждого чека"),
        ("offers", "Предложения", "https://example.com/ru/offers_url"),
        ("support", "Связаться с нами", "Пишите нам"),
        ("terms", "Правила программы", "https://example.com/ru/terms_url"),
        ("privacy", "Персональные данные", "https://example.com/ru/privacy_url"),
        ("card_code", "Номер карты", "K7Q2M9XA"),
    ],
    "en": [
        ("latest_message", "News", MESSAGE.en),
        ("messages", "Latest messages", f"21 Nov 2026 — {MESSAGE.en}"),
        ("rules", "How it works", "5 % of every receipt"),
        ("offers", "Offers", "https://example.com/en/offers_url"),
        ("support", "Contact", "Write to us"),
        ("terms", "Programme rules", "https://example.com/en/terms_url"),
        ("privacy", "Personal data", "https://example.com/en/privacy_url"),
        ("card_code", "Card number", "K7Q2M9XA"),
    ],
}
FRONT: dict[tuple[templates.Name, str], dict[str, Fields]] = {
    ("bonus_card", "ru"): {
        "primaryFields": [("balance", "Баллы", 1250.5)],
        "secondaryFields": [("member_name", "Гость", "Алёна Ж.")],
    },
    ("bonus_card", "en"): {
        "primaryFields": [("balance", "Points", 1250.5)],
        "secondaryFields": [("member_name", "Guest", "Алёна Ж.")],
    },
    ("stamp_card", "ru"): {
        "headerFields": [("stamps", "Штампы", 8)],
        "secondaryFields": [("member_name", "Гость", "Алёна Ж."), ("stamps_missing", "До подарка", 4)],
        "auxiliaryFields": [("rewards", "Подарки ждут вас", 1)],
    },
    ("stamp_card", "en"): {
        "headerFields": [("stamps", "Stamps", 8)],
        "secondaryFields": [("member_name", "Guest", "Алёна Ж."), ("stamps_missing", "To your gift", 4)],
        "auxiliaryFields": [("rewards", "Gifts waiting for you", 1)],
    },
    ("tiered_card", "ru"): {
        "headerFields": [("tier", "Уровень", "Друг")],
        "primaryFields": [("balance", "Баллы", 1250.5)],
        "secondaryFields": [("member_name", "Гость", "Алёна Ж.")],
    },
    ("tiered_card", "en"): {
        "headerFields": [("tier", "Tier", "Friend")],
        "primaryFields": [("balance", "Points", 1250.5)],
        "secondaryFields": [("member_name", "Guest", "Алёна Ж.")],
    },
}
GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")


def guest(name: templates.Name, language: Any) -> PassContent:
    content = templates.guest(name, language=language, messages=(Message(MESSAGE, card.NOW, "offer:1"),))
    return replace(content, stamps=8) if name == "stamp_card" else content
