"""A proof: the bundle of one card as it would be signed, opened again as a phone opens it.

The design editor draws from nothing else, so what it shows has passed through everything that a card passes
through: the layout's placeholders, the looks, the strings of both languages. Only the signature is missing.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.identifiers import DesignId, PassTypeIdentifier, ProgrammeId, SerialNumber
from app.passes.bundle import build, prepare
from app.passes.content import Language, PassContent, PassIdentity
from app.passes.layout import LANGUAGES, STYLES, Design, Layout
from app.passes.strings import parse

_SERVICE = "https://proof.example/passkit"
_WITHDRAWAL = "https://proof.example/i/-/stop/1"
_SCALES = (("@2x", 2), ("@3x", 3), ("", 1))


class _Nobody:
    """Signs with nothing: a proof is looked at, never installed."""

    def __init__(self, layout: Layout) -> None:
        self.pass_type_identifier = PassTypeIdentifier(str(layout.document["passTypeIdentifier"]))
        self.team_identifier = str(layout.document["teamIdentifier"])

    def sign(self, manifest: bytes, *, signing_time: datetime) -> bytes:  # noqa: ARG002 - a signer's
        return b""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a phone finds in the bundle."""

    document: Mapping[str, Any]  # pass.json
    strings: Mapping[Language, Mapping[str, str]]
    images: Mapping[str, bytes]  # by their path in the bundle
    language: Language  # of the phone

    @property
    def style(self) -> str:
        """Which of Apple's styles the card is."""
        return next(style for style in STYLES if style in self.document)

    def fields(self, group: str) -> list[Mapping[str, Any]]:
        """The fields of ``headerFields`` and so on, as pass.json has them."""
        return list(self.document[self.style].get(group, ()))

    def said(self, words: object) -> str:
        """``words`` as this phone reads them: its own pass.strings may translate them."""
        return self.strings[self.language].get(str(words), str(words))

    def image(self, name: str) -> bytes | None:
        """``strip``, ``logo``, ``icon``: sharp enough for a screen, in the phone's language if there is."""
        for folder in (f"{self.language}.lproj/", ""):
            for suffix, _ in _SCALES:
                if found := self.images.get(f"{folder}{name}{suffix}.png"):
                    return found
        return None


class Proofs:
    """Proofs of one design, prepared once as the press prepares a published version."""

    def __init__(self, layout: Layout, files: Mapping[str, bytes], *, now: datetime) -> None:
        """``files`` are a design's, its stamps drawn; a layout without a style is refused by the linter."""
        nobody = _Nobody(layout)
        design = Design(
            id=DesignId(0),
            programme_id=ProgrammeId(0),
            version=0,
            template="",
            layout=layout,
            files=files,
            created_at=now,
        )
        self._now = now
        self._prepared = prepare(design, nobody, web_service_url=_SERVICE)
        self._identity = PassIdentity(
            nobody.pass_type_identifier, SerialNumber("proof"), "0" * 32, _WITHDRAWAL
        )

    def pull(self, content: PassContent, language: Language) -> Proof:
        """The card of ``content`` on a phone that speaks ``language``, from the bundle's own bytes.

        Raises :class:`app.errors.BadInput` as building does.
        """
        return open_bundle(build(content, self._identity, self._prepared, signing_time=self._now), language)


def open_bundle(bundle: bytes, language: Language) -> Proof:
    """A .pkpass as a phone that speaks ``language`` reads it; whose signature it has is not looked at."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return Proof(
        document=json.loads(files["pass.json"]),
        strings={
            each: parse(files.get(f"{each}.lproj/pass.strings", b"").decode("utf-8")) for each in LANGUAGES
        },
        images={path: data for path, data in files.items() if path.endswith(".png")},
        language=language,
    )
