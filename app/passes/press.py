"""The press: what building needs beside a pass, kept between passes (signers and prepared designs)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import DesignId, PassTypeIdentifier
from app.errors import Misconfigured
from app.passes import designs
from app.passes.bundle import PreparedDesign, prepare
from app.passes.signing import Signer, load_signer

MOST_DESIGNS = 64
"""A prepared design holds its images twice (once per language), some 100 KB."""


class Press:
    """One per process, shared by its threads. A certificate is loaded once, a design prepared once."""

    def __init__(self, web_service_url: str, *, clock: Callable[[], datetime]) -> None:
        """``web_service_url`` is the public URL with ``/passkit``; ``clock`` tells the time, aware, UTC."""
        self._web_service_url = web_service_url
        self._clock = clock
        self._signers: dict[PassTypeIdentifier, Signer] = {}
        self._designs: OrderedDict[DesignId, PreparedDesign] = OrderedDict()
        self._lock = Lock()

    def prepared(self, tx: Tx, design_id: DesignId) -> PreparedDesign:
        """A design version ready for :func:`app.passes.bundle.build`.

        Raises NotFound for an unknown design, Misconfigured where the brand's certificate cannot sign it.
        """
        with self._lock:
            if kept := self._designs.get(design_id):
                self._designs.move_to_end(design_id)
                return kept
        design = designs.design(tx, design_id)
        made = prepare(
            design, self.signer(tx, design.pass_type_identifier), web_service_url=self._web_service_url
        )
        with self._lock:
            self._designs[design_id] = made
            while len(self._designs) > MOST_DESIGNS:
                self._designs.popitem(last=False)
        return made

    def signer(self, tx: Tx, pass_type_identifier: PassTypeIdentifier) -> Signer:
        """The signer of a pass type identifier; also holds what the push client signs in with.

        Brands may share a pass type identifier, and then its certificate. Raises Misconfigured.
        """
        with self._lock:
            if kept := self._signers.get(pass_type_identifier):
                return kept
        owners = brands.brand_of_pass_type(tx, pass_type_identifier)
        if not owners:
            raise Misconfigured(f"No brand has the pass type identifier {pass_type_identifier}; create one.")
        # Loading holds the interpreter for some 30 ms, so a second thread that came for the same waits.
        with self._lock:
            if pass_type_identifier not in self._signers:
                self._signers[pass_type_identifier] = load_signer(
                    owners[0].credentials,
                    pass_type_identifier=pass_type_identifier,
                    team_identifier=owners[0].team_identifier,
                    now=self._clock(),
                )
            return self._signers[pass_type_identifier]

    def signers(self) -> list[Signer]:
        """Those loaded so far: whose expiry to watch."""
        with self._lock:
            return list(self._signers.values())

    def forget(self) -> None:
        """Load certificates and designs anew at their next use: after a certificate was replaced."""
        with self._lock:
            self._signers.clear()
            self._designs.clear()
