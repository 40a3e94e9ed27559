"""A person's file as a ZIP: JSON for programs, and a page that a person can read. Pure."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import date, datetime
from html import escape
from typing import Any, Final, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from app.reports.member_file import MemberFile

Language = Literal["ru", "en"]
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "brand": ("Чья это карта", "Whose card it is"),
    "member": ("Кто вы", "Who you are"),
    "member_key": ("По каким словам вас находят", "Words that you are found by"),
    "consent": ("Согласия и отзывы", "Consents and withdrawals"),
    "programme": ("Программы", "Programmes"),
    "enrolment": ("Ваши карты", "Your cards"),
    "wallet_pass": ("Что написано на картах", "What the cards say"),
    "receipt": ("Чеки", "Receipts"),
    "ledger_entry": ("Начисления и списания", "Points added and taken"),
    "lot": ("Баллы со сроком", "Points with their expiry"),
    "lot_use": ("Какие баллы потрачены", "Which points were used"),
    "card_act": ("Что делали с картой вручную", "What was done to the card by hand"),
    "pass_evidence": ("Что подтвердили телефоны", "What phones proved"),
    "google_object": ("Карта в Google Кошельке", "The card in Google Wallet"),
    "google_notification": ("Уведомления через Google", "Notifications through Google"),
    "registration": ("Какие телефоны держат карту", "Which phones hold the card"),
    "device": ("Телефоны", "Phones"),
    "push_budget": ("Сколько раз будили телефон", "How often a phone was woken"),
    "delivery": ("Отправленные уведомления и сообщения", "Notifications and texts that were sent"),
    "attempt": ("Попытки отправки", "Attempts at sending"),
    "text_message": ("Текстовые сообщения", "Text messages"),
    "phone_code": ("Коды подтверждения", "Codes that were sent"),
    "visit": ("Визиты на страницу карты", "Visits to the card’s page"),
    "visit_event": ("Шаги визитов", "Steps of the visits"),
    "silenced_number": ("Просьбы не писать", "Requests for no more texts"),
    "returning_visit": ("Повторные визиты", "Visits that led back to the card"),
    "install_link": ("Отсканированные коды", "Codes that were scanned"),
    "placement": ("Где висели коды", "Where the codes hung"),
    "venue": ("Точки", "Venues"),
    "audit_entry": ("Журнал действий", "The log of what was done"),
    "till_call": ("Ответы кассам", "What tills were told"),
    "device_log": ("Журналы телефонов", "Logs of phones"),
}
_WORDS: Final = {
    "ru": (
        "Все данные о вас",
        "Составлено {at}. Баллы указаны в сотых долях, деньги — в копейках (минимальных единицах валюты),"
        " время — по UTC. Тот же состав — в файле data.json.",
        "Записей нет.",
    ),
    "en": (
        "Everything that is kept about you",
        "Made on {at}. Points are in hundredths, money in minor units of its currency, times in UTC."
        " The same is in data.json.",
        "Nothing.",
    ),
}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1c1a;"
    "background:#fff}h2{margin-top:2rem}dl{display:grid;grid-template-columns:minmax(8rem,16rem) 1fr;"
    "gap:.2rem 1rem;padding:.8rem 0;margin:0;border-top:1px solid #ddd}dt{color:#5c5c57}dd{margin:0;"
    "overflow-wrap:anywhere;white-space:pre-wrap}@media(max-width:30rem){dl{grid-template-columns:1fr}}"
)


def archive(found: MemberFile, *, language: Language, now: datetime) -> bytes:
    """The ZIP: ``data.json`` and ``data.html``."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as bundle:
        for name, content in (
            ("data.json", _json(found)),
            ("data.html", _page(found, language, now)),
        ):
            entry = ZipInfo(name, now.timetuple()[:6])
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o100600 << 16
            bundle.writestr(entry, content)
    return packed.getvalue()


def _json(found: MemberFile) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2, default=_plain)


def _page(found: MemberFile, language: Language, now: datetime) -> str:
    """A whole page: no script, and nothing that would be loaded from elsewhere."""
    column = 0 if language == "ru" else 1
    title, lead, nothing = _WORDS[language]
    parts = [
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">',
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>",
        f"<p>{lead.format(at=now.strftime('%Y-%m-%d %H:%M'))}</p>",
    ]
    for table, rows in found.items():
        parts.append(f"<h2>{escape(_NAMES[table][column])}</h2>")
        parts += [_row(row) for row in rows] or [f"<p>{nothing}</p>"]
    return "".join(parts) + "\n"


def _row(row: Mapping[str, Any]) -> str:
    told = ((name.replace("_", " "), value) for name, value in row.items() if value is not None)
    return "<dl>" + "".join(f"<dt>{escape(name)}<dd>{escape(_text(value))}" for name, value in told) + "</dl>"


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)
    return str(value)


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
