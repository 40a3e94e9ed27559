"""SQL of what a card's page is made of, in one statement: a page that is open asks every few seconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Text, bindparam, cast, select

from app.accounts.tables import brand
from app.db import Tx
from app.loyalty.tables import enrolment
from app.passes.google_tables import google_object
from app.passes.tables import wallet_pass
from app.places.tables import install_link

_EDITION = (
    select(
        install_link.c.code,
        brand.c.name,
        cast(brand.c.texts, Text),  # as it is: to be compared, not to be read
        brand.c.time_zone,
        brand.c.language,
        enrolment.c.id,
        enrolment.c.card_link_version,
        wallet_pass.c.version,
        wallet_pass.c.design_id,
        google_object.c.inserted_at,
    )
    .select_from(
        install_link.join(brand, brand.c.id == install_link.c.brand_id)
        .join(enrolment, enrolment.c.programme_id == install_link.c.programme_id)
        .join(wallet_pass, wallet_pass.c.id == enrolment.c.pass_id)
        .outerjoin(google_object, google_object.c.pass_id == enrolment.c.pass_id)
    )
    .where(
        install_link.c.code == bindparam("code"),
        enrolment.c.id == bindparam("enrolment_id"),
        enrolment.c.card_link_version == bindparam("card_link_version"),
        enrolment.c.ended_at.is_(None),
    )
)


def edition(tx: Tx, code: str, enrolment_id: int, card_link_version: int) -> Row[Any] | None:
    """One row, which differs wherever the page would look otherwise; None where the link leads to no card."""
    given = {"code": code, "enrolment_id": enrolment_id, "card_link_version": card_link_version}
    return tx.execute(_EDITION, given).first()
