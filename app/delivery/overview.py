"""The queue as a whole, for who looks whether work goes on."""

from __future__ import annotations

from app.delivery.store_overview import clock_of_database, oldest_due, stuck
from app.delivery.store_overview import snapshot as at

__all__ = ["at", "clock_of_database", "oldest_due", "stuck"]
