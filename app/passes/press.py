"""The press: what building needs beside a pass, kept between passes (signers and prepared designs)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import DesignId, PassTypeIdentifier
from app.errors import Misconfigured
from app.passes import designs
from app.passes.bundle import PreparedDesign, prepare
from app.passes.signing import Signer, load_signer

MOST_DESIGNS = 64
"""A prepared design holds its images twice (once per language), some 100 KB, and with stamps 300 KB more."""

LOOK_AGAIN = timedelta(minutes=10)
"""So soon a renewed certificate is signed with, without a restart."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    signer: Signer
    looked_at: datetime


class Press:
    """One per process, shared by its threads. A certificate is loaded once, a design prepared once."""

    def __init__(self, web_service_url: str, *, clock: Callable[[], datetime]) -> None:
        """``web_service_url`` is the public URL with ``/passkit``; ``clock`` tells the time, aware, UTC."""
        self._web_service_url = web_service_url
        self._clock = clock
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
        within :data:`LOOK_AGAIN`; one that cannot be loaded does not displace one that works. Raises
        Misconfigured.
        """
        now = self._clock()
        with self._lock:
            kept = self._signers.get(pass_type_identifier)
            if kept and now - kept.looked_at < LOOK_AGAIN:
                return kept.signer
        owners = brands.brand_of_pass_type(tx, pass_type_identifier)
        if not owners:
            raise Misconfigured(f"No brand has the pass type identifier {pass_type_identifier}; create one.")
        # Loading holds the interpreter for some 30 ms, so a second thread that came for the same waits.
        with self._lock:
            kept = self._signers.get(pass_type_identifier)
            if kept is None or now - kept.looked_at >= LOOK_AGAIN:
                kept = self._signers[pass_type_identifier] = _Loaded(self._load(owners[0], kept, now), now)
            return kept.signer

    def _load(self, brand: brands.Brand, kept: _Loaded | None, now: datetime) -> Signer:
        try:
            found = load_signer(
                brand.credentials,
                pass_type_identifier=brand.pass_type_identifier,
                team_identifier=brand.team_identifier,
                now=now,
            )
        except Misconfigured:
            if kept is None or kept.signer.expires_at <= now:
                raise
            return kept.signer
        unchanged = kept is not None and kept.signer.certificate_pem == found.certificate_pem
        return kept.signer if kept is not None and unchanged else found
