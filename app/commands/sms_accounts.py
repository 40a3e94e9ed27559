"""Accounts at gateways and texts, as the command line tells of them."""

from __future__ import annotations

from dataclasses import asdict

from app import texting
from app.commands.answers import Record
from app.delivery.texts import TextRow
from app.errors import Misconfigured
from app.examination.accounts import balances, in_money, is_low
from app.settings import Settings
from app.sms.book import SmsBook

__all__ = ["balances", "in_money", "is_low", "shortened", "text_record", "the_book"]


def the_book(settings: Settings) -> SmsBook:
    """The file that the settings name; raises :class:`Misconfigured` where there is none."""
    book = texting.read_book(settings)
    if book is None:
        raise Misconfigured("PERKPASS_SMS_FILE is not set: name the file of logins in it (docs/sms.md)")
    return book


def shortened(number: str) -> str:
    """+79123456789 as +7…6789: enough to tell which of two it was."""
    return f"{number[:2]}…{number[-4:]}"


def text_record(found: TextRow) -> Record:
    """A text for whoever looks after it; its words stay where they are, and so does most of the number."""
    left_out = ("text", "number", "member_id", "brand_id", "price", "currency")
    record = {key: value for key, value in asdict(found).items() if key not in left_out}
    price = in_money(found.price, found.currency) if found.price is not None and found.currency else None
    return {"id": record.pop("id"), "number": shortened(found.number), "price": price, **record}
