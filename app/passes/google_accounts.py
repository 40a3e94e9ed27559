"""Which Google issuer a brand's cards are under, and the service account that may write for it.

Three places for its key, as for certificates: ``file:PATH``, ``env:NAME`` (a variable that holds the JSON),
or ``stored:`` for one that was uploaded, which lies sealed in the database and is never shown again. Brands
may share an issuer, and its rate: each writes its own cards with its own account. The issuer of a brand stays
once one of its cards is at Google, since no card moves from one to another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app.accounts import audit, brands
from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import BrandId, GoogleIssuerId
from app.delivery import store_breakers
from app.delivery.stopped import GOOGLE, writer
from app.errors import BadInput, Conflict, Misconfigured, NotFound
from app.google import credentials as google
from app.google.credentials import ServiceAccount
from app.google.identifiers import is_issuer
from app.passes import store_google_accounts as store
from app.passes.sealing import Safe
from app.passes.store_google_accounts import AccountRow

STORED: Final = "stored:"
WHERE_ISSUER: Final = (
    "an issuer's number has digits alone, like 3388000000012345678: the Google Pay & Wallet console shows it"
    " under Google Wallet API"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleAccount:
    """What may be shown of a brand's account: never its key."""

    brand_id: BrandId
    issuer_id: GoogleIssuerId
    credentials: str  # where the key lies
    email: str  # the service account's, when it was said: a file may hold another one by now
    changed_at: datetime
    changed_by: str


def refer(
    tx: Tx, brand: Brand, *, issuer_id: str, credentials: str, now: datetime, actor: str
) -> GoogleAccount:
    """Have the brand's cards at Google with the account that lies at ``file:PATH`` or in ``env:NAME``.

    It is read once, to see that it can be. Raises Misconfigured with each of its faults, BadInput, Conflict.
    """
    if credentials == STORED:
        raise BadInput("upload-it", "stored: is for a key that is uploaded with it", field="credentials")
    scheme, _, place = credentials.partition(":")
    if scheme == "file" and place:
        credentials = f"file:{Path(place).resolve()}"
    return _write(tx, brand, issuer_id, credentials, google.load(credentials), None, now=now, actor=actor)


def store_for(
    tx: Tx, safe: Safe, brand: Brand, *, issuer_id: str, data: bytes, now: datetime, actor: str
) -> GoogleAccount:
    """The same with an uploaded key, kept sealed. Raises Misconfigured, BadInput, Conflict."""
    account = google.parse(data, source="the file")
    kept = json.dumps(json.loads(data)).encode()  # without what a person's editor may have put around it
    _check(issuer_id)
    sealed = safe.seal(kept, about=_about(brand.id, GoogleIssuerId(issuer_id)))
    return _write(tx, brand, issuer_id, STORED, account, sealed, now=now, actor=actor)


def forget(tx: Tx, brand: Brand, *, now: datetime, actor: str) -> None:
    """Make no cards at Google any more; those that are there are not changed any more. Raises NotFound."""
    row = store.account(tx, brand.id)
    if row is None:
        raise NotFound("no-google-account", f"{brand.slug} has no Google account.")
    store.forget(tx, brand.id)
    _audit(tx, brand, "google.forgotten", row.issuer_id, {}, now=now, actor=actor)


def of_brand(tx: Tx, brand_id: BrandId) -> GoogleAccount | None:
    """What may be shown."""
    row = store.account(tx, brand_id)
    return _shown(row) if row else None


def every(tx: Tx) -> list[AccountRow]:
    """All, as they are kept: for who opens them. Not for any page."""
    return store.every_account(tx)


def open_account(safe: Safe, row: AccountRow) -> ServiceAccount:
    """The account, to sign and to write with; raises Misconfigured. Not for any page."""
    if row.sealed_key is None:
        return google.load(row.credentials)
    secret = safe.open(row.sealed_key, about=_about(row.brand_id, row.issuer_id))
    return google.parse(secret, source=f"the key of {row.email}")


def _check(issuer: str) -> None:
    if not is_issuer(issuer):
        raise BadInput("bad-issuer", f"issuer {issuer!r}: {WHERE_ISSUER}", field="issuer")


def _write(
    tx: Tx,
    brand: Brand,
    issuer: str,
    credentials: str,
    account: ServiceAccount,
    sealed: str | None,
    *,
    now: datetime,
    actor: str,
) -> GoogleAccount:
    _check(issuer)
    issuer_id = GoogleIssuerId(issuer)
    brands.lock(tx, brand.id)
    present = store.issuer_of_cards(tx, brand.id)
    if present not in (None, issuer_id):
        raise Conflict(
            "another-issuer",
            f"Cards of {brand.name} are at Google under issuer {present}, and no card moves to another one:"
            f" let the service account {account.email} be a user of {present}",
        )
    store.write(
        tx,
        brand.id,
        {
            "issuer_id": issuer_id,
            "credentials": credentials,
            "sealed_key": sealed,
            "email": account.email,
            "changed_at": now,
            "changed_by": actor,
        },
    )
    # Where changes were stopped over the account before, the new one is tried at once.
    store_breakers.hasten(tx, GOOGLE.subject_of(writer(issuer_id, brand.id)), probe_at=now)
    said = {"email": account.email, "key_id": account.key_id, "place": credentials.partition(":")[0]}
    _audit(tx, brand, "google.stored", issuer_id, said, now=now, actor=actor)
    row = store.account(tx, brand.id)
    if row is None:
        raise Misconfigured("The account was not kept")
    return _shown(row)


def _audit(
    tx: Tx,
    brand: Brand,
    action: str,
    issuer_id: str,
    detail: Mapping[str, object],
    *,
    now: datetime,
    actor: str,
) -> None:
    audit.record(tx, at=now, actor=actor, brand_id=brand.id, action=action, subject=issuer_id, detail=detail)


def _about(brand_id: BrandId, issuer_id: GoogleIssuerId) -> str:
    return f"google account of brand {brand_id} under {issuer_id}"


def _shown(row: AccountRow) -> GoogleAccount:
    return GoogleAccount(
        brand_id=row.brand_id,
        issuer_id=row.issuer_id,
        credentials=row.credentials,
        email=row.email,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )
