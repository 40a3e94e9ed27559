"""A template as the files of its folder, to take away and to bring back: a directory, or a zip archive.

What is exported is what ``pass_templates/`` holds, so it can be changed by hand, kept under version control
and published from the command line; brought back it gives an equal design. An archive that somebody uploads
is read within limits, and each of its pictures is checked.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import tomli_w

from app.errors import BadInput, Conflict
from app.passes.findings import DesignRefused, Finding, refusals
from app.passes.layout import FIELD_GROUPS, LANGUAGES
from app.passes.lint_rules_images import size_of
from app.passes.picture_checks import kept
from app.passes.pictures import most_of
from app.passes.strings import render
from app.passes.template import GOOGLE_LAYOUT, LAYOUT, STRINGS, TEXTS, WORDS, Template, is_image, read_files

MOST_ARCHIVE: Final = 8 * 1024 * 1024
MOST_ENTRIES: Final = 300
MOST_IMAGE, MOST_WORDS = 2 * 1024 * 1024, 64 * 1024
MOST_PIXELS: Final = 20_000_000
"""Of all pictures together: a card with nine tiers in two languages has twelve million."""
MOST_UNPACKED: Final = 16 * 1024 * 1024
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NOT_OURS = re.compile(r"(?:^|/)(?:__MACOSX/|\.)|/$")  # what desktops leave in archives; folders
_BACK_TO_1980 = (1980, 1, 1, 0, 0, 0)  # equal designs, equal archives
_FIRST: Final = ("key", "id", "label", "value", "header", "body", *FIELD_GROUPS)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class Imported:
    """A folder that was read; ``findings`` refuse nothing."""

    template: Template
    findings: tuple[Finding, ...]


def files_of(template: Template) -> dict[str, bytes]:
    """The folder's files by their path."""
    files = {LAYOUT: _toml(template.document)}
    if template.google is not None:
        files[GOOGLE_LAYOUT] = _toml(template.google)
    if template.texts:
        files[TEXTS] = _toml({name: text.to_json() for name, text in template.texts.items()})
    for language, where in zip(LANGUAGES, STRINGS, strict=True):
        files[where] = render(dict(sorted(template.strings[language].items()))).encode()
    return files | dict(sorted(template.files.items()))


def to_zip(template: Template) -> bytes:
    """The folder as an archive; equal templates give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in files_of(template).items():
            entry = zipfile.ZipInfo(f"{_folder_name(template.name)}/{path}", _BACK_TO_1980)
            entry.compress_type = zipfile.ZIP_STORED if is_image(path) else zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, data)
    return out.getvalue()


def to_folder(template: Template, directory: Path) -> None:
    """Write the folder; raises Conflict where there is something in it already."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Conflict("folder-not-empty", f"{directory} is there already: name a new folder.")
    for path, data in files_of(template).items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)


def from_zip(data: bytes, name: str) -> Imported:
    """What an uploaded archive holds; ``name`` is its file's, for a template that lies in no folder.

    Raises :class:`BadInput` for the field "archive" with what to do, and :class:`DesignRefused` where its
    layout or words cannot be read.
    """
    if len(data) > MOST_ARCHIVE:
        raise _refused("archive-too-large", f"has more than {_mb(MOST_ARCHIVE)} MB")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = dict(_entries(archive))
    except _BROKEN as fault:
        raise _refused("archive-unreadable", "is no zip archive, or is damaged") from fault
    folder = _only_folder(files)
    if folder:
        files = {path.removeprefix(f"{folder}/"): content for path, content in files.items()}
    return from_files(folder or PurePosixPath(name).stem, files)


def from_folder(directory: Path) -> Imported:
    """What a directory of the operator's own holds; raises as :func:`from_zip`."""
    files: dict[str, bytes] = {}
    for path in sorted(directory.rglob("*")):
        where = path.relative_to(directory).as_posix()
        if path.is_file() and not _NOT_OURS.search(where):
            _refuse_size(where, path.stat().st_size)
            files[where] = path.read_bytes()
    return from_files(directory.resolve().name, files)


def from_files(name: str, files: Mapping[str, bytes]) -> Imported:
    """The same for files by their paths; raises BadInput for pictures that are none, and DesignRefused."""
    template, findings = read_files(_folder_name(name), files)
    if refused := refusals(findings):
        raise DesignRefused(refused)
    _refuse_pictures(template.files)
    images = {path: kept(content, where=path) for path, content in template.files.items()}
    return Imported(
        Template(template.name, template.document, template.google, template.strings, images, template.texts),
        tuple(findings),
    )


def _refuse_pictures(files: Mapping[str, bytes]) -> None:
    """By names and headers, before one is opened: a few bytes may unfold to millions of pixels."""
    pixels = 0
    for path, content in files.items():
        width, height = most_of(path)
        size = size_of(content) or (0, 0)  # what is no PNG at all is told when it is opened
        if size[0] > width or size[1] > height:
            raise BadInput(
                "picture-too-large",
                f"{path} has {size[0]} by {size[1]} pixels: save it with {width} by {height}.",
                field=path,
            )
        pixels += size[0] * size[1]
    if pixels > MOST_PIXELS:
        raise _refused("archive-too-large", f"has more than {MOST_PIXELS // 1_000_000} million pixels")


def _entries(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise _refused("archive-too-many", f"holds more than {MOST_ENTRIES} files")
    seen: set[str] = set()
    unpacked = 0
    for entry in entries:
        _refuse_path(entry)
        if _NOT_OURS.search(entry.filename):
            continue
        if entry.filename in seen:
            raise _refused("archive-twice", f"holds {entry.filename} twice")
        seen.add(entry.filename)
        if entry.flag_bits & 0x1:
            raise _refused("archive-locked", "is locked with a password")
        if entry.compress_type not in _METHODS:
            raise _refused("archive-unreadable", "is packed in a way that is not read here")
        _refuse_size(entry.filename, entry.file_size)
        with archive.open(entry) as packed:  # what the directory says need not be so
            content = packed.read(MOST_IMAGE + 1)
        _refuse_size(entry.filename, len(content))
        unpacked += len(content)
        if unpacked > MOST_UNPACKED:
            raise _refused("archive-too-large", f"unpacks to more than {_mb(MOST_UNPACKED)} MB")
        yield entry.filename, content


def _refuse_path(entry: zipfile.ZipInfo) -> None:
    name, kind = entry.orig_filename, stat.S_IFMT(entry.external_attr >> 16)
    parts = PurePosixPath(name).parts
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused("archive-link", f"holds {_said(name)}, which is a link and no file")
    if (
        name.startswith("/")
        or ".." in parts
        or "\\" in name
        or ":" in name
        or not name.isprintable()
        or len(name) > 200
    ):
        raise _refused("archive-path", f"holds a file named {_said(name)}, which leads elsewhere")


def _refuse_size(where: str, size: int) -> None:
    most = MOST_IMAGE if where.endswith(".png") else MOST_WORDS
    if size > most:
        raise _refused(
            "archive-file-too-large", f"holds {_said(where)}, which has more than {most // 1024} KB"
        )


def _refused(code: str, what: str) -> BadInput:
    return BadInput(
        code, f"The archive {what}: pack the template's folder anew, as an export has it.", field="archive"
    )


def _said(name: str) -> str:
    return ascii(name[:60])


def _mb(size: int) -> int:
    return size // 1024 // 1024


def _only_folder(files: Mapping[str, bytes]) -> str | None:
    """The folder that everything lies in, unless the template's own files lie at the top."""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or tops & set(WORDS) or not all("/" in path for path in files):
        return None
    return tops.pop()


def _folder_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("._")[:60] or "card"


def _toml(document: Mapping[str, Any]) -> bytes:
    return tomli_w.dumps(_in_order(document)).encode()


def _in_order(value: Any) -> Any:
    """Keys as people look for them: databases keep no order."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))
        return {key: _in_order(value[key]) for key in keys}
    return [_in_order(each) for each in value] if isinstance(value, list) else value
