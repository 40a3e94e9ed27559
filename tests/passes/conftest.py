from __future__ import annotations

import pytest

from app.db import Database
from tests.passes.shop import Shop, open_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)
