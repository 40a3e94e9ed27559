"""The console of two brands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.db import Database
from app.loyalty.enrolment import Enrolment
from tests.web.console.house import House, open_house
from tests.web.console.members_guests import guest, ring_up


@pytest.fixture
def house(database: Database) -> House:
    """Every role in each brand, and an operator."""
    return open_house(database)


@pytest.fixture
def anna(house: House) -> Enrolment:
    """A guest of the main venue with 300 points of welcome and 45 of a receipt."""
    with house.database.write() as tx:
        card = guest(tx, house.cafe, "Анна Петрова", "+79031234567")
        ring_up(tx, house.cafe, card, "R-1")
    house.clock.forward(timedelta(hours=1))
    return card
