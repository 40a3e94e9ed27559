"""Whether an uploaded file is a picture, told by its content, and opened only as far as it is harmless.

Nothing of an upload is ever kept or served as it came: pixels are read within limits, and written anew.
What is more than a picture (a page, a script, an archive behind an image) is refused all the same, with what
to do, since somebody either made it on purpose or took the wrong file.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final

from PIL import Image, ImageCms, ImageOps

from app.errors import BadInput
from app.passes.lint_rules_images import is_whole, size_of

MOST_UPLOAD: Final = 7 * 1024 * 1024
"""Bytes of an upload: a photograph of a phone has three to six million."""
MOST_PIXELS: Final = 50_000_000
"""Of a photograph (JPEG), told by its header: it is unpacked no larger than a card needs."""
MOST_UNPACKED: Final = 12_000_000
"""Of what is unpacked, told before that is done: it takes some 100 MB for a moment."""
MOST_KEPT: Final = 2_000_000
"""Pixels of an image that is kept as it is: a strip at three pixels a point has 486,000."""
_ENOUGH: Final = (1320, 1320)
_MOST_PROFILE: Final = 64 * 1024
_KINDS: Final = ("PNG", "JPEG", "WEBP")
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HARMLESS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # PNG specification, 11.2.2: by colour type
_SCRIPTS: Final = (b"<script", b"<!doctype html", b"<iframe", b"javascript:", b"<?php", b"<foreignobject")
_FAULTS = (OSError, SyntaxError, ValueError, TypeError, IndexError, MemoryError, OverflowError, EOFError)
_SAVE = "save it as PNG, JPEG or WebP and upload that"


def opened(upload: bytes, *, field: str = "image") -> Image.Image:
    """The picture in RGBA and sRGB, upright, without anything that is not a pixel.

    Raises :class:`BadInput` naming ``field`` with what to do.
    """
    kind = _recognised(upload, field)
    try:
        with Image.open(io.BytesIO(upload), formats=_KINDS) as image:
            _refuse_extent(image, MOST_PIXELS, field)
            image.draft("RGB", _ENOUGH)  # a JPEG alone can do that
            _refuse_extent(image, MOST_UNPACKED, field)
            # A telephone's JPEG may have a second, smaller picture behind it; the first is the picture.
            if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
                raise BadInput(
                    "picture-moves", "Cards show still pictures: save one picture of it.", field=field
                )
            return _plain(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(field) from None
    except _FAULTS as fault:
        raise BadInput(
            "picture-damaged", f"The picture is damaged and cannot be read: {_SAVE} once more.", field=field
        ) from fault


def kept(data: bytes, *, where: str) -> bytes:
    """A template's PNG: as it came where it is pixels and nothing else, otherwise written anew.

    So what was exported comes back byte for byte. Raises :class:`BadInput` naming the file.
    """
    field = where
    if not data.startswith(_SIGNATURE):
        _recognised(data, field)
        raise BadInput("picture-no-png", f"{where} is no PNG: save it as PNG.", field=field)
    size = size_of(data)
    if size is None or size[0] * size[1] > MOST_KEPT:
        raise BadInput(
            "picture-too-large",
            f"{where} is no card's picture: save it with at most {MOST_KEPT // 1_000_000} million pixels.",
            field=field,
        )
    picture = opened(data, field=field)
    if _only_pixels(data):
        return data
    return encoded(picture)


def encoded(image: Image.Image) -> bytes:
    """PNG with pixels alone; what is opaque everywhere has no transparency."""
    out = io.BytesIO()
    if is_opaque(image):
        image = image.convert("RGB")
    image.info.clear()
    image.save(out, "PNG", compress_level=7)  # level 9 takes four times as long to save a twentieth
    return out.getvalue()


def is_opaque(image: Image.Image) -> bool:
    """Whether an RGBA picture covers what lies behind it."""
    return image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)


def _recognised(upload: bytes, field: str) -> str:
    """Which of the kinds it is; raises BadInput with what it is instead."""
    if not upload:
        raise BadInput("picture-empty", "The file is empty: choose a picture.", field=field)
    if len(upload) > MOST_UPLOAD:
        raise BadInput(
            "picture-too-heavy",
            f"The file has more than {MOST_UPLOAD // 1024 // 1024} MB: save the picture smaller.",
            field=field,
        )
    start = upload[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\0").lower()
    kind = _kind(upload)
    if kind is None:
        what = _instead(upload, start)
        raise BadInput("picture-of-another-kind", f"This is {what}: {_SAVE}.", field=field)
    lower = upload.lower()
    if (
        any(script in lower for script in _SCRIPTS)
        or zipfile.is_zipfile(io.BytesIO(upload))
        or b"%PDF-" in upload[:1024]
        or _has_more(upload, kind)
    ):
        raise BadInput(
            "picture-and-more", f"The file holds something besides its picture: {_SAVE}.", field=field
        )
    return kind


def _kind(upload: bytes) -> str | None:
    if upload.startswith(_SIGNATURE):
        return "PNG"
    if upload.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if upload[:4] == b"RIFF" and upload[8:12] == b"WEBP":
        return "WEBP"
    return None


def _instead(upload: bytes, start: bytes) -> str:
    if b"<svg" in start or start.startswith(b"<?xml"):
        return "an SVG drawing, which may hold programs"
    if start.startswith(b"<"):
        return "a web page"
    if upload[4:8] == b"ftyp" and upload[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif"):
        return "a HEIC or AVIF photograph"
    for signature, what in (
        (b"GIF8", "a GIF"),
        (b"%PDF", "a PDF"),
        (b"PK\x03\x04", "an archive"),
        (b"8BPS", "a Photoshop file"),
        (b"II*\0", "a TIFF"),
        (b"MM\0*", "a TIFF"),
        (b"BM", "a bitmap"),
    ):
        if upload.startswith(signature):
            return what
    return "no picture that cards can show"


def _has_more(upload: bytes, kind: str) -> bool:
    """Whether bytes follow the picture; behind a JPEG telephones put a second one, so there they may."""
    if kind == "WEBP":
        size = int.from_bytes(upload[4:8], "little")
        return len(upload) > size + 8 + size % 2
    if kind == "PNG":
        end = upload.find(b"IEND\xaeB`\x82")
        return end >= 0 and end + 8 < len(upload)
    return False


def _refuse_extent(image: Image.Image, most: int, field: str) -> None:
    width, height = image.size
    if width * height > most:
        raise _too_many_pixels(field)


def _too_many_pixels(field: str) -> BadInput:
    return BadInput(
        "picture-too-large",
        f"The picture has more than {MOST_UNPACKED // 1_000_000} million pixels: save it smaller;"
        " a strip needs 1125 by 432.",
        field=field,
    )


def _plain(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    deep = upright.mode in ("I", "I;16", "I;16B", "F")
    # Sixteen bits a channel would be cut at 255: scaled, a grey picture stays one.
    plain = (upright.convert("I").point(lambda value: value / 256, "L") if deep else upright).convert("RGBA")
    plain.info.clear()
    if isinstance(profile, bytes) and len(profile) <= _MOST_PROFILE and image.mode in ("RGB", "RGBA", "P"):
        plain = _in_srgb(plain, profile)
    return plain


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours as a telephone's camera meant them; as they are written where its profile cannot be read."""
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        colours = image.convert("RGB")
        ImageCms.profileToProfile(colours, own, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, *_FAULTS):
        return image
    colours.putalpha(image.getchannel("A"))
    colours.info.clear()
    return colours


def _only_pixels(data: bytes) -> bool:
    """Whether a PNG has no chunk but those of its pixels, and no byte beyond them, unpacked or not."""
    if not is_whole(data):
        return False
    at, pixels, transparency = len(_SIGNATURE), [], 0
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name not in _HARMLESS:
            return False
        if name == b"IDAT":
            pixels.append(data[at + 8 : at + 8 + length])
        transparency += name == b"tRNS"
        at += 12 + length
        if name == b"IEND" and (length or at != len(data)):
            return False
    width, height = size_of(data) or (0, 0)
    depth, colour, interlaced = data[24], data[25], data[28]
    if interlaced or colour not in _CHANNELS or transparency > 1:
        return False
    expected = (1 + -(-width * depth * _CHANNELS[colour] // 8)) * height
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(b"".join(pixels), expected + 1)
    except zlib.error:
        return False
    return len(unpacked) == expected and unpacking.eof and not unpacking.unused_data
