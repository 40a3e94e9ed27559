"""What a text cost is the gateway's to say, whenever it says so; it is asked where its receipts do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.db import Database
from app.delivery import texts
from app.delivery.text_promises import ClaimedText, ReceiptTold
from tests.delivery.texting import HOUR, MINUTE, NOON, Texting, came, open_texting


@pytest.fixture
def texting(database: Database) -> Texting:
    return open_texting(database)


def taken(texting: Texting, **told: Any) -> ClaimedText:
    texting.promise([texting.draft(price=8, currency="USD")])
    (claimed,) = texting.claim()
    texting.settle([came(claimed, "accepted", provider_id="SM1", **told)])
    return claimed


def hear(texting: Texting, state: Any = "delivered", *, after: timedelta = MINUTE, **more: Any) -> None:
    told = ReceiptTold(login="main", state=state, reason=state, provider_id="SM1", **more)
    with texting.database.write() as tx:
        texts.hear_receipts(tx, [told], now=NOON + after)


def asked(texting: Texting, after: timedelta, *, login: str = "main") -> list[int]:
    """Which are asked for their price at that time; asking is noted, as a worker does."""
    with texting.database.write() as tx:
        found = texts.to_price(tx, login, now=NOON + after)
        texts.prices_asked(tx, found, now=NOON + after)
    return [one.id for one in found]


def price(texting: Texting) -> tuple[int | None, str | None, bool]:
    (row,) = texting.rows()
    return row.price, row.currency, row.price_told


def test_a_price_that_comes_after_the_receipt_is_asked_for_and_kept(texting: Texting) -> None:
    claimed = taken(texting)
    assert asked(texting, HOUR) == []  # it has told nothing yet: it is asked how far the text came
    hear(texting)
    assert price(texting) == (8, "USD", False)
    assert asked(texting, MINUTE) == []
    assert asked(texting, 2 * MINUTE, login="other") == []
    assert asked(texting, 2 * MINUTE) == [claimed.id]
    assert asked(texting, 2 * MINUTE) == []
    hear(texting, after=3 * MINUTE, price=11, currency="USD")
    assert price(texting) == (11, "USD", True)
    assert asked(texting, 47 * HOUR) == []


def test_a_price_is_taken_in_every_state(texting: Texting) -> None:
    claimed = taken(texting)
    hear(texting, "undelivered", price=9, currency="USD")
    assert price(texting) == (9, "USD", True)
    hear(texting, "undelivered", reference=claimed.reference, price=7, currency="EUR")
    assert price(texting) == (7, "EUR", True)
    assert asked(texting, 10 * HOUR) == []


def test_who_told_the_price_with_the_answer_is_not_asked(texting: Texting) -> None:
    taken(texting, price=9, currency="USD")
    hear(texting)
    assert price(texting) == (9, "USD", True)
    assert asked(texting, 10 * HOUR) == []


def test_an_answer_that_comes_after_the_receipt_brings_its_price(texting: Texting) -> None:
    texting.promise([texting.draft(price=8, currency="USD")])
    (claimed,) = texting.claim()
    hear(texting, reference=claimed.reference)
    texting.settle([came(claimed, "accepted", provider_id="SM1", price=9, currency="USD")])
    assert price(texting) == (9, "USD", True)
    assert asked(texting, 10 * HOUR) == []


def test_a_gateway_that_never_tells_is_asked_ever_more_rarely_and_not_for_ever(texting: Texting) -> None:
    taken(texting)
    hear(texting)
    moments = [hours for hours in range(1, 400) if asked(texting, hours * HOUR)]
    assert moments == [1, 3, 9, 27]


def test_the_parts_that_were_taken_of_a_refused_text_are_paid(texting: Texting) -> None:
    texting.promise([texting.draft(1, parts=3, price=270), texting.draft(2, parts=3, price=270)])
    one, other = texting.claim()
    texting.settle([came(one, "refused", parts=2, provider_id="p2"), came(other, "refused")])
    with texting.database.read() as tx:
        (spent,) = texts.spent(tx, texting.brand_id, since=NOON)
    assert (spent.texts, spent.parts, spent.amount) == (1, 2, 180)
    assert [(row.state, row.parts, row.price) for row in texting.rows()] == [
        ("refused", 2, 180),
        ("refused", 3, 270),
    ]


def test_a_name_that_a_gateway_gives_again_is_the_unfinished_texts(texting: Texting) -> None:
    """A centre counts anew after a restart, and the old text is there still."""
    old = taken(texting)
    hear(texting)
    later = NOON + 72 * HOUR
    texting.promise([texting.draft(2)], now=later)
    (new,) = texting.claim(now=later)
    with texting.database.write() as tx:
        told = ReceiptTold(login="main", state="undelivered", reason="x", provider_id="SM1")
        assert texts.hear(tx, [told], now=later).strangers == (told,)  # its answer is still to come
    texting.settle([came(new, "accepted", provider_id="SM1")], now=later)
    with texting.database.write() as tx:
        assert texts.hear(tx, [told], now=later).changed == (new.id,)
        again = ReceiptTold(login="main", state="delivered", reason="x", provider_id="SM1")
        assert texts.hear(tx, [again], now=later).changed == (new.id,)
    assert [row.state for row in texting.rows()] == ["delivered", "delivered"]
    assert texting.text(old.id).reason == "delivered"
