"""``perkpass sms``: a text sent by hand, what became of one, what is left on the accounts."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta

import click

from app import texting
from app.accounts import brands
from app.commands.answers import Record, json_option, show, show_list
from app.commands.shell import Shell, opened
from app.commands.sms_accounts import balances, in_money, is_low, text_record, the_book
from app.commands.sms_address import address
from app.db.identifiers import DeliveryId
from app.delivery import stopped, texts
from app.delivery.texts import TextDraft, TextRow
from app.errors import BadInput, Misconfigured, NotFound
from app.loyalty.phone_numbers import checked_phone
from app.settings import Settings
from app.sms.book import BrandTexts, Login, SmsBook, price_of
from app.sms.gateway import Balance

_SETTLED = ("delivered", "undelivered", "refused", "gone", "superseded", "exhausted")


@click.group()
def sms() -> None:
    """Text messages: send one by hand, see what became of it, what is left on the accounts."""


sms.add_command(address)


@sms.command()
@click.argument("brand")
@click.argument("number")
@click.argument("text")
@click.option("--wait", type=click.IntRange(0, 600), default=0, help="seconds to wait for what becomes of it")
@json_option
def send(brand: str, number: str, text: str, wait: int, as_json: bool) -> None:
    """Promise NUMBER (with its country code) the TEXT in the name of BRAND; a worker carries it."""
    from app import bootstrap

    with opened() as shell:
        settings = shell.settings
        book = the_book(settings)
        known = book.brands.get(brand)
        if known is None:
            raise NotFound("no-such-brand", f"The brand {brand!r} sends no texts by {settings.sms_file}")
        draft, record = _draft(shell, book.logins[known.login], known, number, text)
        with shell.database.write() as tx:
            delivery_id = texts.enqueue_text(tx, draft, now=shell.now)
        wakeup = bootstrap.make_wakeup(settings)
        wakeup.ring()
        wakeup.close()
        found = _waited(shell, delivery_id, wait)
    show({**record, **text_record(found)}, as_json=as_json)
    if found.state in ("refused", "undelivered", "exhausted", "gone"):
        sys.exit(1)


@sms.command()
@click.argument("delivery", type=click.IntRange(1, 2**63 - 1))
@click.option("--ask", is_flag=True, help="ask the gateway as well")
@json_option
def status(delivery: int, ask: bool, as_json: bool) -> None:
    """What became of the text number DELIVERY, as `sms send` and `member show` name it."""
    with opened() as shell:
        with shell.database.read() as tx:
            found = texts.text(tx, DeliveryId(delivery))
        if found is None:
            raise NotFound("no-such-text", f"There is no text number {delivery}, or not any more")
        record = dict(text_record(found))
        if ask:
            record["gateway_says"] = _asked(shell.settings, found)
    show(record, as_json=as_json)


@sms.command()
@json_option
def balance(as_json: bool) -> None:
    """What is left on every account, as its gateway says; status 1 where one is low or cannot be asked."""
    with opened() as shell:
        book = the_book(shell.settings)
        with shell.database.read() as tx:
            stops = stopped.all_stopped(tx)
    rows: list[Record] = []
    for name, answer in balances(shell.settings, book).items():
        login = book.logins[name]
        rows.append(
            {
                "login": name,
                "gateway": login.gateway,
                "balance": in_money(answer.amount, answer.currency) if isinstance(answer, Balance) else None,
                "low": isinstance(answer, Balance) and is_low(login, answer),
                "stopped": stops[name].reason if name in stops else None,
                "fault": str(answer) if isinstance(answer, Exception) else None,
            }
        )
    show_list(rows, as_json=as_json, empty="There is no login yet")
    if any(row["low"] or row["fault"] or row["stopped"] for row in rows):
        sys.exit(1)


def _draft(
    shell: Shell, login: Login, known: BrandTexts, number: str, text: str
) -> tuple[TextDraft, dict[str, object]]:
    e164 = checked_phone(number, region="ZZ")  # no country: its code must be there
    if e164 is None or not text.strip():
        raise BadInput("nothing-to-send", "Give a number and a text", field="text")
    measured = texting.open_gateways(shell.settings, SmsBook({login.name: login}, {}))[login.name].measure(
        text
    )
    price = price_of(login, e164, measured.parts)
    with shell.database.read() as tx:
        brand = brands.brand_by_slug(tx, known.brand)
    draft = TextDraft(
        brand_id=brand.id,
        member_id=None,
        login=login.name,
        kind="service",
        number=e164,
        text=text,
        sender=login.sender,
        encoding=measured.encoding,
        parts=measured.parts,
        price=price.amount if price else None,
        currency=price.currency if price else None,
        due_at=shell.now,
        not_after=shell.now + timedelta(hours=1),
    )
    return draft, {"expected_price": in_money(price.amount, price.currency) if price else None}


def _waited(shell: Shell, delivery_id: DeliveryId, seconds: int) -> TextRow:
    until = time.monotonic() + seconds
    while True:
        with shell.database.read() as tx:
            found = texts.text(tx, delivery_id)
        if found is None:
            raise NotFound("no-such-text", f"The text number {delivery_id} is not there any more")
        if found.state in _SETTLED or time.monotonic() >= until:
            return found
        time.sleep(0.2)


def _asked(settings: Settings, found: TextRow) -> str:
    login = the_book(settings).logins.get(found.login)
    if login is None:
        raise Misconfigured(f"{settings.sms_file} has no login {found.login!r} any more")
    gateway = texting.open_gateways(settings, SmsBook({login.name: login}, {}))[login.name]

    async def ask() -> str:
        try:
            receipt = await gateway.status(
                reference=found.reference, number=found.number, provider_id=found.provider_id
            )
        finally:
            await gateway.close()
        return f"{receipt.state}: {receipt.reason}" if receipt else "this gateway cannot be asked for a text"

    return asyncio.run(ask())
