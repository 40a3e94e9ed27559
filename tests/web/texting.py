"""Brands that send texts: a file of logins as an operator writes it, and what waits to be sent."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from app.accounts import brands as accounts
from app.delivery.tables import delivery, text_message
from app.sms import logins
from app.sms.book import SmsBook
from tests.web.guests import NOW, Shop, World

RECEIPTS_SECRET = "0123456789abcdef-a-test"
TWILIO_TOKEN = "a-token-of-a-test"
_FILE = """
[logins.smsc]
gateway = "smsc"
url = "http://127.0.0.1:9"
rate = 10
secrets = { apikey = "a-key-of-a-test" }
receipts_secret = "%(receipts)s"
prices = [{ prefix = "+7", amount = 450, currency = "RUB" }]
low_balance = 100000

[logins.twilio]
gateway = "twilio"
url = "http://127.0.0.1:9"
rate = 10
sender = "Zerno"
secrets = { account_sid = "AC0123", auth_token = "%(token)s" }
prices = [{ prefix = "+", amount = 9, currency = "USD" }]

[brands.%(first)s]
login = "smsc"
countries = ["RU"]
codes_a_day = %(codes)d
budget_a_day = %(budget)d

[brands.%(second)s]
login = "twilio"
countries = ["RU", "GB"]
codes_a_day = 100
budget_a_day = 100000
"""


def write_book(
    path: Path, *, codes: int = 100, budget: int = 100_000, brands: tuple[str, str] = ("cafe", "bakery")
) -> Path:
    """The file, for its owner alone."""
    said: dict[str, object] = {
        "receipts": RECEIPTS_SECRET,
        "token": TWILIO_TOKEN,
        "codes": codes,
        "budget": budget,
    }
    said |= dict(zip(("first", "second"), brands, strict=True))
    path.write_text(_FILE % said, encoding="utf-8")
    path.chmod(0o600)
    return path


def a_book(directory: Path, *, codes: int = 100, budget: int = 100_000) -> SmsBook:
    """What it says."""
    return logins.read(write_book(directory / "sms.toml", codes=codes, budget=budget))


def prove_numbers(world: World, *shops: Shop) -> None:
    """These brands have their guests' numbers proved."""
    with world.database.write() as tx:
        for shop in shops:
            draft = replace(shop.brand.draft(), asks_phone="proved")
            accounts.update_brand(tx, shop.brand.id, draft, now=NOW, actor="test")


def sent(world: World) -> list[tuple[str, str]]:
    """Number and words of every text that was promised, oldest first; words are gone once a code is over."""
    with world.database.read() as tx:
        rows = tx.execute(
            select(text_message.c.number, text_message.c.text)
            .join(delivery, delivery.c.id == text_message.c.delivery_id)
            .order_by(delivery.c.id)
        )
        return [(row.number, row.text or "") for row in rows]


def newest_code(world: World) -> str:
    """The six digits that the guest reads in the newest text."""
    words = sent(world)[-1][1]
    found = re.search(r"\b\d{6}\b", words)
    assert found, words
    return found[0]
