"""What ``perkpass doctor`` finds in the file of logins and on the accounts that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from app import texting
from app.accounts.brands import Brand
from app.db import Database
from app.delivery import stopped, texts
from app.errors import Misconfigured
from app.examination.accounts import balances, in_money, is_low
from app.examination.looks import Look
from app.sentences import say
from app.settings import PREFIX, Settings
from app.sms.book import Login, SmsBook
from app.sms.gateway import Balance


def look_at_texts(
    settings: Settings, everyone: Sequence[Brand], database: Database, now: datetime, *, ask: bool = True
) -> Iterator[Look]:
    """The file, each login with what is left on it, and brands that need texts and send none.

    ``ask`` the gateways what is left, which reaches out to the network.
    """
    proving = [brand.slug for brand in everyone if brand.asks_phone == "proved"]
    yield from _strangers(settings, database, now)
    if settings.sms_file is None:
        for slug in proving:
            words = say(
                "has numbers proved by codes, and nothing sends them: set %(variable)s (docs/sms.md), or let"
                ' asks_phone be "needed"',
                variable=f"{PREFIX}SMS_FILE",
            )
            yield Look(say("brand %(brand)s", brand=slug), "fault", words, slug)
        return
    subject = say("text messages")
    try:
        book = texting.read_book(settings)
    except Misconfigured as wrong:
        for fault in wrong.faults:
            yield Look(subject, "fault", fault)
        return
    assert book is not None  # noqa: S101 - the file is named
    words = say(
        "%(path)s: %(logins)s logins, %(brands)s brands",
        path=settings.sms_file,
        logins=len(book.logins),
        brands=len(book.brands),
    )
    yield Look(subject, "ok", words)
    known = {brand.slug for brand in everyone}
    for slug in book.brands.keys() - known:
        words = say("%(path)s names the brand %(brand)s: there is none", path=settings.sms_file, brand=slug)
        yield Look(subject, "warning", words)
    for slug in proving:
        if slug not in book.brands:
            words = say(
                "has numbers proved by codes, and %(path)s does not name it: add [brands.%(brand)s]",
                path=settings.sms_file,
                brand=slug,
            )
            yield Look(say("brand %(brand)s", brand=slug), "fault", words, slug)
    yield from _accounts(settings, book, database, ask=ask)


def _strangers(settings: Settings, database: Database, now: datetime) -> Iterator[Look]:
    """Texts that wait for a login which the file does not name (any more)."""
    try:
        book = texting.read_book(settings)
    except Misconfigured:
        return
    known = book.logins if book else {}
    with database.read() as tx:
        waiting = [queue for queue in texts.queues(tx, now=now) if queue.login not in known]
    for queue in waiting:
        words = say(
            "%(count)s texts wait for it, and no login is called so in %(variable)s: name it there again, or"
            " they wait for ever",
            count=queue.due + queue.waiting + queue.sending,
            variable=f"{PREFIX}SMS_FILE",
        )
        yield Look(say("texts by %(login)s", login=queue.login), "fault", words)


def _accounts(settings: Settings, book: SmsBook, database: Database, *, ask: bool) -> Iterator[Look]:
    with database.read() as tx:
        stops = stopped.all_stopped(tx)
    for name in book.logins:
        if name in stops:
            words = say(
                "stopped since %(when)s UTC: %(reason)s. Look into the gateway's cabinet: password, money, a"
                " blocked address",
                when=f"{stops[name].opened_at:%d.%m. %H:%M}",
                reason=stops[name].reason,
            )
            yield Look(say("texts by %(login)s", login=name), "fault", words)
    for name, answer in balances(settings, book).items() if ask else ():
        yield from _account(name, book.logins[name], answer)


def _account(name: str, login: Login, answer: Balance | Exception | None) -> Iterator[Look]:
    subject = say("texts by %(login)s", login=name)
    if isinstance(answer, Exception):
        words = say("%(url)s does not let us in: %(fault)s", url=login.url, fault=answer)
        yield Look(subject, "fault", words)
    elif answer is None:
        yield Look(subject, "ok", say("its gateway does not say what is left"))
    else:
        left = in_money(answer.amount, answer.currency)
        if is_low(login, answer):
            yield Look(subject, "warning", say("%(left)s left: pay in, or texts will stop", left=left))
        else:
            yield Look(subject, "ok", say("%(left)s left", left=left))
