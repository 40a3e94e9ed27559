"""SQL of what Google asks of us: images of cards, and callbacks that were heard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select

from app.db import Tx, insert
from app.passes.google_tables import google_callback, google_image


def keep_images(tx: Tx, images: Mapping[str, bytes]) -> bool:
    """Keep images by their digests; True where some were not there yet."""
    known = set(tx.scalars(select(google_image.c.digest).where(google_image.c.digest.in_(sorted(images)))))
    for digest in sorted(images.keys() - known):
        statement = insert(tx, google_image).values(digest=digest, data=images[digest])
        tx.execute(statement.on_conflict_do_nothing())
    return bool(images.keys() - known)


def image(tx: Tx, digest: str) -> bytes | None:
    """The image of that digest."""
    found = tx.scalar(select(google_image.c.data).where(google_image.c.digest == digest))
    return None if found is None else bytes(found)


def take_nonce(tx: Tx, nonce: str, *, now: datetime) -> bool:
    """True where no callback had it before."""
    statement = insert(tx, google_callback).values(nonce=nonce, at=now).on_conflict_do_nothing()
    return tx.execute(statement.returning(google_callback.c.nonce)).first() is not None


def forget_nonces(tx: Tx, *, before: datetime, limit: int = 500) -> int:
    """Forget callbacks that came before; returns how many."""
    old = tx.scalars(select(google_callback.c.nonce).where(google_callback.c.at < before).limit(limit)).all()
    if old:
        tx.execute(delete(google_callback).where(google_callback.c.nonce.in_(old)))
    return len(old)
