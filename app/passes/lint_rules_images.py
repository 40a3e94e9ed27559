"""The images of a card: iOS insists on an icon alone; the rest is about looking right and staying small."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping

from app.passes.findings import Finding, refuse, warn

# Apple's sizes in points; times two and three for @2x and @3x.
_POINTS: dict[str, tuple[int, int]] = {
    "icon": (29, 29),
    "logo": (160, 50),
    "strip": (375, 144),
    "thumbnail": (90, 90),
    "background": (180, 220),
    "footer": (286, 15),
    "personalizationLogo": (150, 40),
    "primaryLogo": (160, 50),
    "secondaryLogo": (160, 50),
}
_STYLES: dict[str, tuple[str, ...]] = {
    "strip": ("storeCard", "coupon", "eventTicket"),
    "thumbnail": ("generic", "eventTicket"),
    "background": ("eventTicket",),
    "footer": ("boardingPass",),
    "personalizationLogo": (),  # Apple's reward enrolment is for NFC passes alone; ours is a page
}
_STRIP_HEIGHTS = {"eventTicket": 98}
_NAME = re.compile(r"(?:[a-z]{2}(?:-[A-Za-z]+)?\.lproj/)?([A-Za-z]+)(@[23]x)?\.png")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 4 * 3 * 375
"""Of a side: four times Apple's widest picture, a strip at three pixels a point. More is not even opened."""

LARGEST_BUNDLE = 100 * 1024  # bytes: every campaign is fetched by every phone


def size_of(image: bytes) -> tuple[int, int] | None:
    """Width and height in pixels from the header of a PNG; None where it is not one.

    Neither is zero in a PNG (PNG specification, 11.2.2).
    """
    if not image.startswith(_SIGNATURE) or image[12:16] != b"IHDR" or len(image) < 33:
        return None
    width, height = int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")
    return (width, height) if width and height else None


def is_whole(image: bytes) -> bool:
    """Whether every chunk of a PNG is there and as it was written (PNG specification, 5.3)."""
    at = len(_SIGNATURE)
    while at + 12 <= len(image):
        end = at + 12 + int.from_bytes(image[at : at + 4], "big")
        if zlib.crc32(image[at + 4 : end - 4]) != int.from_bytes(image[end - 4 : end], "big"):
            return False
        if image[at + 4 : at + 8] == b"IEND":
            return end <= len(image)
        at = end
    return False


def check_extent(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Pictures whose header announces more than any card shows: a small file may unfold to gigabytes."""
    for path, content in files.items():
        if (size := size_of(content)) and max(size) > MOST_PIXELS:
            yield refuse(
                "image-too-large",
                path,
                f"is {size[0]} by {size[1]} pixels, more than {MOST_PIXELS} a side; save it smaller",
            )


def check_images(files: Mapping[str, bytes], style: str | None) -> Iterator[Finding]:
    """Every image, what is missing, and the weight of all."""
    scales: dict[str, set[str]] = {}
    for path, content in files.items():
        match = _NAME.fullmatch(path)
        if match is None or match[1] not in _POINTS:
            yield warn("image-unknown", path, f"iOS does not show it; it knows {', '.join(_POINTS)}")
            continue
        name, scale = match[1], match[2] or ""
        scales.setdefault(path.removesuffix(f"{scale}.png"), set()).add(scale)
        size = size_of(content)
        if size is None:
            yield refuse("image-unreadable", path, "is not a PNG; save it as PNG")
            continue
        if not is_whole(content):
            yield refuse("image-damaged", path, "is cut short or damaged; save it anew")
        yield from _size(path, name, int(scale[1]) if scale else 1, size, style)
    if "icon" not in scales:
        yield refuse("icon-missing", "icon.png", "iOS refuses a card without an icon; add icon.png, 29 by 29")
    for name, present in scales.items():
        if missing := [scale for scale in ("@2x", "@3x") if scale not in present]:
            yield warn(
                "image-scale-missing",
                f"{name}.png",
                "looks blurred on most iPhones; add "
                + " and ".join(f"{name}{scale}.png" for scale in missing),
            )
    common = {name for name in scales if "/" not in name}
    used = {name for name in common if style is None or style in _STYLES.get(name, (style,))}
    for name in sorted(common - used):
        yield warn("image-unused", f"{name}.png", f"a {style} shows no {name}; leave it out")
    if "strip" in used and used & {"background", "thumbnail"}:
        yield warn("strip-alone", "strip.png", "a card with a strip shows no background and no thumbnail")
    weight = sum(map(len, files.values()))
    if weight > LARGEST_BUNDLE:
        yield warn(
            "bundle-large",
            "images",
            f"weigh {weight // 1024} KB, wanted at most {LARGEST_BUNDLE // 1024} KB: every phone "
            "fetches them with every change; reduce their colours",
        )


def _size(path: str, name: str, scale: int, size: tuple[int, int], style: str | None) -> Iterator[Finding]:
    width, height = _POINTS[name]
    if name == "strip" and style in _STRIP_HEIGHTS:
        height = _STRIP_HEIGHTS[style]
    most = (width * scale, height * scale)
    exact = name in ("icon", "strip")
    fits = size == most if exact else size[0] <= most[0] and size[1] <= most[1]
    if name == "thumbnail" and not 2 / 3 <= size[0] / size[1] <= 3 / 2:
        yield warn("image-size", path, "is cropped: a thumbnail is between 2 : 3 and 3 : 2")
    if not fits:
        yield warn(
            "image-size",
            path,
            f"is {size[0]} by {size[1]} pixels, iOS wants {'' if exact else 'at most '}{most[0]} by "
            f"{most[1]} and scales or crops it",
        )
