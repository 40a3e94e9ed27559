"""A .pkpass as a phone sees it: opened, verified, understood, and its words in the phone's language."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cryptography import x509

from app.simulators.pkpass_rules import GROUPS, STYLES, Finding, barcode_fault, check
from app.simulators.pkpass_signature import BadSignature, verify

Language = Literal["ru", "en"]
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=\s*"((?:[^"\\]|\\.)*)"\s*;', re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_OUTSIDE = {"manifest.json", "signature"}


class InvalidPass(ValueError):
    """The phone refuses the pass; the text says why, as the phone's log would."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field in the phone's language."""

    key: str
    group: str
    label: str
    value: str  # as it is shown
    raw: str | float  # as it stands in pass.json: what changes are told by
    change_message: str  # translated; empty where there is none


@dataclass(frozen=True, slots=True)
class Pkpass:
    """A pass that a phone would install."""

    document: dict[str, Any]
    files: dict[str, bytes]
    manifest_hash: str  # iOS takes the pass for changed when this differs
    signed_at: datetime
    warnings: tuple[Finding, ...] = field(default=())

    @property
    def pass_type_identifier(self) -> str:
        """The topic of its pushes."""
        return str(self.document["passTypeIdentifier"])

    @property
    def serial_number(self) -> str:
        """Which of the pass type's passes it is."""
        return str(self.document["serialNumber"])

    @property
    def style(self) -> str:
        """Such as ``storeCard``."""
        return next(name for name in STYLES if name in self.document)

    @property
    def barcode(self) -> dict[str, str] | None:
        """The first barcode that iOS can draw."""
        entries = [*self.document.get("barcodes", []), self.document.get("barcode")]
        return next((entry for entry in entries if entry and barcode_fault(entry) is None), None)

    def strings(self, language: Language) -> dict[str, str]:
        """The translations for ``language``; empty where the pass has none."""
        raw = self.files.get(f"{language}.lproj/pass.strings")
        return read_strings(raw) if raw else {}

    def image(self, name: str, language: Language = "en") -> bytes | None:
        """The sharpest image of that name, the translated one first."""
        candidates = [
            f"{folder}{name}{scale}.png"
            for folder in (f"{language}.lproj/", "")
            for scale in ("@3x", "@2x", "")
        ]
        return next((self.files[path] for path in candidates if path in self.files), None)

    def fields(self, language: Language) -> list[Field]:
        """Every field in order, translated."""
        strings = self.strings(language)

        def translated(text: object) -> str:
            return strings.get(str(text), str(text))

        return [
            Field(
                str(entry["key"]),
                group,
                translated(entry.get("label", "")),
                _shown(entry, translated, language),
                entry.get("value", ""),
                translated(entry.get("changeMessage", "")),
            )
            for group in GROUPS
            for entry in self.document[self.style].get(group, [])
        ]

    def translate(self, text: str, language: Language) -> str:
        """``text`` in the phone's language, where the pass knows it."""
        return self.strings(language).get(text, text)


def _shown(entry: dict[str, Any], translated: Callable[[object], str], language: Language) -> str:
    value = entry.get("value", "")
    if not isinstance(value, int | float):
        return translated(value)
    number = f"{value:,.2f}".rstrip("0").rstrip(".")
    if language == "ru":
        number = number.replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
    return f"{number} {entry.get('currencyCode', '')}".strip()


def read_strings(raw: bytes) -> dict[str, str]:
    """A .strings file, UTF-16 with BOM or UTF-8."""
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")

    def plain(quoted: str) -> str:
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), quoted, flags=re.DOTALL)

    return {plain(match[1]): plain(match[2]) for match in _STRING.finditer(text)}


def open_pkpass(data: bytes, *, root: x509.Certificate, now: datetime, allow_http: bool) -> Pkpass:
    """Open and verify ``data``; raises :class:`InvalidPass` with what iOS would refuse it for.

    ``root`` is the authority that Apple's would be; ``allow_http`` is the developer switch that tolerates a
    webServiceURL without TLS.
    """
    files = _unzip(data)
    manifest_hash = _check_manifest(files)
    try:
        signature = verify(files["signature"], files["manifest.json"], root=root, now=now)
    except BadSignature as fault:
        raise InvalidPass(str(fault)) from fault
    try:
        document = json.loads(files["pass.json"])
    except ValueError as fault:
        raise InvalidPass(f"pass.json is no JSON: {fault}") from fault
    findings = check(document, set(files), allow_http=allow_http)
    if rejections := [f"{finding.where}: {finding.what}" for finding in findings if finding.rejects]:
        raise InvalidPass("; ".join(rejections))
    if (document["passTypeIdentifier"], document["teamIdentifier"]) != (
        signature.pass_type_identifier,
        signature.team_identifier,
    ):
        raise InvalidPass(
            "The passTypeIdentifier or teamIdentifier provided may not match your certificate, "
            "or the certificate trust chain could not be verified."
        )
    for name, content in files.items():
        if name.endswith("pass.strings"):
            try:
                read_strings(content)
            except UnicodeDecodeError as fault:
                raise InvalidPass(f"{name}: {fault}") from fault
    return Pkpass(document, files, manifest_hash, signature.signed_at, tuple(findings))


def _unzip(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            if len(set(names)) != len(names):
                raise InvalidPass("a file is in the archive twice")
            files = {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as fault:
        raise InvalidPass(f"not a zip archive: {fault}") from fault
    for name in ("pass.json", "manifest.json", "signature"):
        if name not in files:
            raise InvalidPass(f"{name} is missing")
    return files


def _check_manifest(files: dict[str, bytes]) -> str:
    try:
        manifest = json.loads(files["manifest.json"])
    except ValueError as fault:
        raise InvalidPass(f"manifest.json is no JSON: {fault}") from fault
    if not isinstance(manifest, dict):
        raise InvalidPass("manifest.json is no dictionary")
    inside = set(files) - _OUTSIDE
    if missing := sorted(inside - set(manifest)):
        raise InvalidPass(f"not in manifest.json: {', '.join(missing)}")
    if absent := sorted(set(manifest) - inside):
        raise InvalidPass(f"in manifest.json and not in the archive: {', '.join(absent)}")
    for name in sorted(inside):
        if hashlib.sha1(files[name]).hexdigest() != manifest[name]:  # noqa: S324  # Apple's manifest hash
            raise InvalidPass(f"manifest.json has another hash for {name}")
    return hashlib.sha256(files["manifest.json"]).hexdigest()
