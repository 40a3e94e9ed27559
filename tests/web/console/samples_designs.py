"""What the role matrix puts into the addresses of designs."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.console.house import House
from tests.web.guests import Shop

SAMPLES: dict[str, Callable[[House, Shop], object]] = {
    "programme_id": lambda _house, shop: shop.programme.id,
    "version": lambda _house, shop: shop.design.version,
}
