"""The press: what building needs beside a pass, kept between passes (signers and prepared designs)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import DesignId, PassTypeIdentifier
from app.errors import Misconfigured
from app.passes import designs, stored_certificates
from app.passes.brand_signers import load_for
from app.passes.bundle import PreparedDesign, prepare
from app.passes.sealing import Safe
from app.passes.signing import Signer
from app.passes.stored_certificates import STORED

MOST_DESIGNS = 64
"""A prepared design holds its images twice (once per language), some 100 KB, and with stamps 300 KB more."""

LOOK_AGAIN = timedelta(minutes=10)
"""So soon a certificate that was renewed in its files is signed with, without a restart."""

ASK_AGAIN = timedelta(seconds=10)
"""So soon one that was uploaded is: whether there is another costs one short question."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    signer: Signer
    looked_at: datetime  # when it was read where it lies
    asked_at: datetime  # when the database was asked whether there is another
    number: int | None = None  # of the certificate in the database; None where it lies elsewhere


class Press:
    """One per process, shared by its threads. A certificate is loaded once, a design prepared once."""

    def __init__(
        self, web_service_url: str, *, clock: Callable[[], datetime], safe: Safe | None = None
    ) -> None:
        """``web_service_url`` is the public URL with ``/passkit``; ``clock`` tells the time, aware, UTC.

        ``safe`` opens the keys of certificates that were uploaded.
        """
        self._web_service_url = web_service_url
        self._clock, self._safe = clock, safe
        self._signers: dict[PassTypeIdentifier, _Loaded] = {}
        self._designs: OrderedDict[DesignId, PreparedDesign] = OrderedDict()
        self._lock = Lock()

    def prepared(self, tx: Tx, design_id: DesignId) -> PreparedDesign:
        """A design version ready for :func:`app.passes.bundle.build`.

        Raises NotFound for an unknown design, Misconfigured where the brand's certificate cannot sign it.
        """
        with self._lock:
            kept = self._designs.get(design_id)
        if kept and kept.signer is self.signer(tx, kept.pass_type_identifier):
            with self._lock, suppress(KeyError):
                self._designs.move_to_end(design_id)
            return kept
        design = designs.design(tx, design_id)
        signer = self.signer(tx, design.pass_type_identifier)
        made = prepare(design, signer, web_service_url=self._web_service_url)
        with self._lock:
            self._designs[design_id] = made
            while len(self._designs) > MOST_DESIGNS:
                self._designs.popitem(last=False)
        return made

    def signer(self, tx: Tx, pass_type_identifier: PassTypeIdentifier) -> Signer:
        """The signer of a pass type identifier; also holds what the push client signs in with.

        Brands may share a pass type identifier, and then its certificate. A replaced certificate is noticed
        within :data:`ASK_AGAIN` where it was uploaded, within :data:`LOOK_AGAIN` where it lies in files; one
        that cannot be loaded does not displace one that works. Raises Misconfigured.
        """
        now = self._clock()
        with self._lock:
            kept = self._signers.get(pass_type_identifier)
            if kept and now - kept.asked_at < ASK_AGAIN:
                return kept.signer
        owners = brands.brand_of_pass_type(tx, pass_type_identifier)
        if not owners:
            raise Misconfigured(f"No brand has the pass type identifier {pass_type_identifier}; create one.")
        # Loading holds the interpreter for some 30 ms, so a second thread that came for the same waits.
        with self._lock:
            kept = self._signers.get(pass_type_identifier)
            if kept is None or now - kept.asked_at >= ASK_AGAIN:
                kept = self._signers[pass_type_identifier] = self._looked(tx, owners[0], kept, now)
            return kept.signer

    def _looked(self, tx: Tx, brand: brands.Brand, kept: _Loaded | None, now: datetime) -> _Loaded:
        if brand.credentials != STORED:
            if kept is not None and kept.number is None and now - kept.looked_at < LOOK_AGAIN:
                return replace(kept, asked_at=now)
            return _Loaded(self._load(tx, brand, kept, now), now, now)
        number = stored_certificates.number_in_use(tx, brand.pass_type_identifier)
        unchanged = kept is not None and kept.number is not None and kept.number == number
        if kept is not None and unchanged and kept.signer.expires_at > now:
            return replace(kept, asked_at=now)
        return _Loaded(self._load(tx, brand, kept, now), now, now, number)

    def _load(self, tx: Tx, brand: brands.Brand, kept: _Loaded | None, now: datetime) -> Signer:
        try:
            found = load_for(tx, brand, safe=self._safe, now=now)
        except Misconfigured:
            if kept is None or kept.signer.expires_at <= now:
                raise
            return kept.signer
        unchanged = kept is not None and kept.signer.certificate_pem == found.certificate_pem
        return kept.signer if kept is not None and unchanged else found
