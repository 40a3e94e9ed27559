"""A brand's account at Google, as a chain file has it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.accounts.brands import Brand
from app.commands.chain_file import GooglePart
from app.db import Tx
from app.errors import BadInput, Misconfigured
from app.passes import google_accounts


def load_google(
    tx: Tx, brand: Brand, part: GooglePart, directory: Path, *, now: datetime, actor: str
) -> bool:
    """Have the brand's cards at Google as ``part`` says; True where that is new.

    The key is read, to see that it can be: a relative ``file:`` is meant from ``directory``. Raises BadInput
    with each of its faults, and Conflict.
    """
    reference = part.reference(directory)
    there = google_accounts.of_brand(tx, brand.id)
    if there is not None and (there.issuer_id, there.credentials) == (part.issuer, reference):
        return False
    try:
        google_accounts.refer(tx, brand, issuer_id=part.issuer, credentials=reference, now=now, actor=actor)
    except Misconfigured as wrong:
        raise BadInput(
            "google", "\n".join(f"google, credentials: {fault}" for fault in wrong.faults)
        ) from None
    return True
