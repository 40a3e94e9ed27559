"""The .pkpass: prepared once per design version, then built for each pass in about the time of its signature.

A bundle is a pure function of content, design version and identity: equal input gives an equal manifest,
and the manifest is what iOS compares. A signature made anew is not a change.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from app.db.identifiers import DesignId, PassTypeIdentifier
from app.errors import Misconfigured
from app.passes.archive import Beginning, Member, beginning, complete
from app.passes.content import Language, PassContent, PassIdentity
from app.passes.layout import LANGUAGES, Design, Layout, other
from app.passes.lint_rules_values import web_service_url_fault
from app.passes.looks import bundle_paths, common_files, look_number, looks
from app.passes.pass_json import PassTemplate, check_content
from app.passes.strings import render

if TYPE_CHECKING:
    from hashlib import _Hash

MEDIA_TYPE = "application/vnd.apple.pkpass"


class Signs(Protocol):
    """What a bundle needs of :class:`app.passes.signing.Signer`; a proof that nobody signs has its own."""

    @property
    def pass_type_identifier(self) -> PassTypeIdentifier: ...  # noqa: D102
    @property
    def team_identifier(self) -> str: ...  # noqa: D102
    def sign(self, manifest: bytes, *, signing_time: datetime) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What all bundles of one design and one holder's language share."""

    template: PassTemplate
    files: Beginning  # the images that all looks share, and the holder's own strings
    manifest: str  # their hashes, open at its end
    strings_title: str  # of the language that the holder did not choose
    strings_name: bytes
    strings: bytes  # its static part
    strings_crc: int
    strings_hash: _Hash


class _Look(NamedTuple):
    """The images that cards of one look have beside the common ones: these stamps, this tier."""

    members: list[Member]
    manifest: str  # their hashes, with a comma in front of each


@dataclass(frozen=True, slots=True)
class PreparedDesign:
    """A design version ready to be built from; immutable, shared by threads."""

    design_id: DesignId
    pass_type_identifier: PassTypeIdentifier
    signer: Signs = field(repr=False)
    layout: Layout = field(repr=False)
    looks: tuple[_Look, ...] = field(repr=False)  # one at least, by app.passes.looks.look_number
    by_language: Mapping[Language, _Prepared] = field(repr=False)


def prepare(design: Design, signer: Signs, *, web_service_url: str) -> PreparedDesign:
    """Hash, checksum and lay out everything that the passes of this design have in common.

    ``web_service_url`` is the public URL with ``/passkit``, without ``/v1``; http only where it is loopback.
    Raises :class:`Misconfigured` where the signer's certificate is not the design's.
    """
    faults = []
    if fault := web_service_url_fault(web_service_url):
        faults.append(f"webServiceURL {web_service_url}: {fault}")
    for what, ours, theirs in (
        ("pass type identifier", design.pass_type_identifier, signer.pass_type_identifier),
        ("team identifier", design.team_identifier, signer.team_identifier),
    ):
        if ours != theirs:
            faults.append(
                f"design version {design.version} is for the {what} {ours}, the certificate for {theirs}; "
                f"publish a new design version, or load the certificate of {ours}"
            )
    if faults:
        raise Misconfigured(*faults)
    own = _own_files(design)
    replaced = {path for files in own for path in files}
    common = {path: data for path, data in common_files(design.files).items() if path not in replaced}
    by_language = {
        language: _prepare(
            common, PassTemplate(design.layout, language, web_service_url=web_service_url), language
        )
        for language in LANGUAGES
    }
    return PreparedDesign(
        design.id,
        design.pass_type_identifier,
        signer,
        design.layout,
        tuple(_look({path: design.files[source] for path, source in files.items()}) for files in own),
        by_language,
    )


def _own_files(design: Design) -> list[dict[str, str]]:
    """Of each look: the images that the looks do not share, by path in the bundle to path in the design."""
    every = [bundle_paths(look, design.files) for look in looks(design.layout, design.files)]
    all_paths = {path for paths in every for path in paths}
    differing = sorted(path for path in all_paths if any(paths.get(path) != path for paths in every))
    return [{path: paths[path] for path in differing if path in paths} for paths in every]


def _look(files: dict[str, bytes]) -> _Look:
    return _Look(
        [Member.of(path, content) for path, content in files.items()],
        "".join(f',"{path}":"{_sha1(content)}"' for path, content in files.items()),
    )


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _prepare(common: Mapping[str, bytes], template: PassTemplate, language: Language) -> _Prepared:
    files = dict(sorted(common.items()))
    files[_strings_name(language)] = render(template.own_strings).encode()
    hashes = {path: _sha1(content) for path, content in files.items()}
    strings = render(template.other_strings).encode()
    return _Prepared(
        template=template,
        files=beginning([Member.of(path, content) for path, content in files.items()]),
        manifest=json.dumps(hashes, separators=(",", ":"))[:-1],
        strings_title=_strings_name(other(language)),
        strings_name=_strings_name(other(language)).encode(),
        strings=strings,
        strings_crc=zlib.crc32(strings),
        strings_hash=hashlib.sha1(strings, usedforsecurity=False),
    )


def _strings_name(language: Language) -> str:
    return f"{language}.lproj/pass.strings"


def build(
    content: PassContent, identity: PassIdentity, prepared: PreparedDesign, *, signing_time: datetime
) -> bytes:
    """The signed .pkpass. ``signing_time`` (aware) goes into the signature alone.

    Raises :class:`app.errors.BadInput` for content that iOS would refuse, ValueError for an identity of
    another pass type identifier.
    """
    if identity.pass_type_identifier != prepared.pass_type_identifier:
        raise ValueError(
            f"a pass of {identity.pass_type_identifier} cannot be built from design {prepared.design_id} "
            f"of {prepared.pass_type_identifier}"
        )
    check_content(content)
    shared = prepared.by_language[content.language]
    look = prepared.looks[look_number(prepared.layout, content)]
    rendered = shared.template.render(content, identity)
    # A lone surrogate has no UTF-8; a question mark in its place beats a card that cannot be fetched.
    document = rendered.document.encode("utf-8", "replace")
    words = render(rendered.translations).encode("utf-8", "replace")
    strings_hash = shared.strings_hash.copy()
    strings_hash.update(words)
    manifest = (
        f'{shared.manifest}{look.manifest},"{shared.strings_title}":"{strings_hash.hexdigest()}",'
        f'"pass.json":"{hashlib.sha1(document, usedforsecurity=False).hexdigest()}"}}'
    ).encode()
    signature = prepared.signer.sign(manifest, signing_time=signing_time)
    return complete(
        shared.files,
        [
            *look.members,
            Member(shared.strings_name, shared.strings + words, zlib.crc32(words, shared.strings_crc)),
            Member(b"pass.json", document, zlib.crc32(document)),
            Member(b"manifest.json", manifest, zlib.crc32(manifest)),
            Member(b"signature", signature, zlib.crc32(signature)),
        ],
    )
