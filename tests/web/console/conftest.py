"""The console of two brands."""

from __future__ import annotations

import pytest

from app.db import Database
from tests.web.console.house import House, open_house


@pytest.fixture
def house(database: Database) -> House:
    """Every role in each brand, and an operator."""
    return open_house(database)
