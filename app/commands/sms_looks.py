"""What ``perkpass doctor`` finds in the file of logins and on the accounts that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app import texting
from app.accounts.brands import Brand
from app.commands.looks import Look
from app.commands.sms_accounts import balances, in_money, is_low
from app.db import Database
from app.delivery import stopped
from app.errors import Misconfigured
from app.settings import PREFIX, Settings
from app.sms.book import SmsBook
from app.sms.gateway import Balance


def look_at_texts(settings: Settings, everyone: Sequence[Brand], database: Database) -> Iterator[Look]:
    """The file, each login with what is left on it, and brands that need texts and send none."""
    proving = [brand.slug for brand in everyone if brand.asks_phone == "proved"]
    if settings.sms_file is None:
        for slug in proving:
            yield Look(
                f"brand {slug}",
                "fault",
                f"has numbers proved by codes, and nothing sends them: set {PREFIX}SMS_FILE (docs/sms.md), or"
                ' let asks_phone be "needed"',
            )
        return
    try:
        book = texting.read_book(settings)
    except Misconfigured as wrong:
        for fault in wrong.faults:
            yield Look("text messages", "fault", fault)
        return
    assert book is not None  # noqa: S101 - the file is named
    yield Look(
        "text messages", "ok", f"{settings.sms_file}: {len(book.logins)} logins, {len(book.brands)} brands"
    )
    known = {brand.slug for brand in everyone}
    for slug in book.brands.keys() - known:
        yield Look("text messages", "warning", f"{settings.sms_file} names the brand {slug!r}: there is none")
    for slug in proving:
        if slug not in book.brands:
            yield Look(
                f"brand {slug}",
                "fault",
                f"has numbers proved by codes, and {settings.sms_file} does not name it: add [brands.{slug}]",
            )
    yield from _accounts(settings, book, database)


def _accounts(settings: Settings, book: SmsBook, database: Database) -> Iterator[Look]:
    with database.read() as tx:
        stops = stopped.all_stopped(tx)
    for name, answer in balances(settings, book).items():
        subject, login = f"texts by {name}", book.logins[name]
        if name in stops:
            yield Look(
                subject, "fault", f"stopped since {stops[name].opened_at:%d.%m. %H:%M}: {stops[name].reason}"
            )
        if isinstance(answer, Exception):
            yield Look(subject, "fault", f"{login.url} does not let us in: {answer}")
        elif answer is None:
            yield Look(subject, "ok", "its gateway does not say what is left")
        elif isinstance(answer, Balance):
            left = in_money(answer.amount, answer.currency)
            if is_low(login, answer):
                yield Look(subject, "warning", f"{left} left: pay in, or texts will stop")
            else:
                yield Look(subject, "ok", f"{left} left")
