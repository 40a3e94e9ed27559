"""A person's file as a ZIP: JSON for programs, and a page that a person can read."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from html import escape
from typing import IO, Any, Final, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from app.reports.member_file import Row

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
    "offer": ("Предложения", "Offers"),
    "offer_grant": ("Предложения на вашей карте", "Offers on your card"),
    "offer_redemption": ("Применённые предложения", "Offers that were redeemed"),
    "pass_evidence": ("Что подтвердили телефоны", "What phones proved"),
    "google_object": ("Карта в Google Кошельке", "The card in Google Wallet"),
    "google_broadcast": ("Сообщения всем через Google", "Messages to all through Google"),
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
_COLUMN: Final[Mapping[Language, int]] = {"ru": 0, "en": 1}
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


def write_archive(
    target: IO[bytes], tables: Iterable[tuple[str, Iterable[Row]]], *, language: Language, now: datetime
) -> None:
    """The ZIP into ``target``: ``data.json`` and ``data.html``, row by row as they are read.

    The page waits on the disk until the other file is complete: a ZIP takes one at a time.
    """
    with ZipFile(target, "w", ZIP_DEFLATED) as bundle, tempfile.TemporaryFile() as aside:
        page = io.TextIOWrapper(aside, encoding="utf-8", write_through=True)
        page.write(_head(language, now))
        with (
            bundle.open(_entry("data.json", now), "w", force_zip64=True) as entry,
            io.TextIOWrapper(entry, encoding="utf-8") as document,
        ):
            document.write("{")
            for place, (table, rows) in enumerate(tables):
                document.write(f"{',' if place else ''}\n  {_json(table)}: [")
                page.write(f"<h2>{escape(_NAMES[table][_COLUMN[language]])}</h2>")
                count = 0
                for count, row in enumerate(rows, 1):  # counted for what follows
                    document.write(f"{',' if count > 1 else ''}\n    {_json(row)}")
                    page.write(_row(row))
                document.write("\n  ]" if count else "]")
                if not count:
                    page.write(f"<p>{_WORDS[language][2]}</p>")
            document.write("\n}\n")
        page.write("\n")
        aside.seek(0)
        with bundle.open(_entry("data.html", now), "w", force_zip64=True) as entry:
            shutil.copyfileobj(aside, entry)


def _entry(name: str, now: datetime) -> ZipInfo:
    entry = ZipInfo(name, now.timetuple()[:6])
    entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o100600 << 16
    return entry


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _head(language: Language, now: datetime) -> str:
    """The beginning of a page without any script, and with nothing that would be loaded from elsewhere."""
    title, lead, _nothing = _WORDS[language]
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        f"<p>{lead.format(at=now.strftime('%Y-%m-%d %H:%M'))}</p>"
    )


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
