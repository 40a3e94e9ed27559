"""The signer of a brand, wherever its certificate lies: in files, in variables, or sealed in the database."""

from __future__ import annotations

from datetime import datetime

from app.accounts.brands import Brand
from app.db import Tx
from app.errors import Misconfigured
from app.passes import stored_certificates
from app.passes.sealing import Safe
from app.passes.signing import Signer, load_signer, signer_from
from app.passes.stored_certificates import STORED


def load_for(tx: Tx, brand: Brand, *, safe: Safe | None, now: datetime) -> Signer:
    """Load what the brand's ``credentials`` refer to; takes some 30 ms and holds the interpreter meanwhile.

    Raises :class:`app.errors.Misconfigured` with one line for every fault.
    """
    if brand.credentials != STORED:
        return load_signer(
            brand.credentials,
            pass_type_identifier=brand.pass_type_identifier,
            team_identifier=brand.team_identifier,
            now=now,
        )
    if safe is None:
        raise Misconfigured(f"{brand.slug}: its certificate is sealed, and nothing here can open it")
    signer = signer_from(
        stored_certificates.open_credentials(tx, safe, brand.pass_type_identifier),
        pass_type_identifier=brand.pass_type_identifier,
        team_identifier=brand.team_identifier,
    )
    if min(signer.expires_at, signer.wwdr_expires_at) <= now:
        raise Misconfigured(
            f"The certificate of {brand.pass_type_identifier} expired on {signer.expires_at:%Y-%m-%d}: renew"
            " it at developer.apple.com under Identifiers, Pass Type IDs, and upload it in the console under"
            " Certificate; installed cards keep working, new cards and updates wait for it"
        )
    return signer
