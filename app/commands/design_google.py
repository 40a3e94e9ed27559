"""What a command that changes many cards says of Google: how many it has, and how long it takes them."""

from __future__ import annotations

import math

from app.commands.answers import Record
from app.commands.shell import Shell
from app.db import Tx
from app.db.identifiers import ProgrammeId
from app.reports.google_outlook import google_outlook


def at_google(shell: Shell, tx: Tx, programme_id: ProgrammeId) -> Record:
    """How long Google needs for a change of all the programme's cards; nothing where it has none."""
    rate = shell.settings.google_requests_per_second
    found = google_outlook(tx, programme_id, rate=rate, now=shell.now)
    if found is None:
        return {}
    return {"cards_at_google": found.cards, "google_takes_seconds": math.ceil(found.takes.total_seconds())}
