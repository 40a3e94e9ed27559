"""An uploaded picture made into a card's images: the right sizes at one, two and three pixels a point.

A slot is an image's path without scale and ending: "strip", "tiers/2/strip", "ru.lproj/logo", "google/hero",
"stamps/earned". Every phone fetches every image with every change of its card, so each slot has a weight
that it is brought under: first by fewer colours, then without the largest scale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageFilter

from app.errors import BadInput
from app.passes.layout import LANGUAGES
from app.passes.picture_checks import encoded, is_opaque, opened

Fit = Literal["cover", "contain", "square", "portrait"]


@dataclass(frozen=True, slots=True)
class Slot:
    """What an image is for."""

    width: int  # points; pixels where there is one scale
    height: int
    fit: Fit  # cover: cropped to the size; contain: whole within it; square: whole, transparent around
    weight: int  # bytes of all scales together, at most
    scales: tuple[int, ...] = (1, 2, 3)


SLOTS: Final[dict[str, Slot]] = {
    # Apple, "Pass Design and Creation". With the bundle's other 8 KB these three stay below 60 KB.
    "icon": Slot(29, 29, "cover", 6 * 1024),
    "logo": Slot(160, 50, "contain", 10 * 1024),
    "strip": Slot(375, 144, "cover", 36 * 1024),
    "thumbnail": Slot(90, 90, "portrait", 30 * 1024),
    "background": Slot(180, 220, "cover", 30 * 1024),
    "footer": Slot(286, 15, "contain", 6 * 1024),
    # Google fetches its own, and shows them in one size.
    "google/logo": Slot(660, 660, "cover", 80 * 1024, (1,)),
    "google/hero": Slot(1032, 336, "cover", 150 * 1024, (1,)),
    # In no bundle: strips are drawn from them.
    "stamps/earned": Slot(192, 192, "square", 60 * 1024, (1,)),
    "stamps/empty": Slot(192, 192, "square", 60 * 1024, (1,)),
    "stamps/reward": Slot(192, 192, "square", 60 * 1024, (1,)),
    "stamps/reward_earned": Slot(192, 192, "square", 60 * 1024, (1,)),
}
_IN_FOLDER = re.compile(rf"(?:(?:{'|'.join(LANGUAGES)})\.lproj|tiers/[1-9]\d?)/([a-z]+)")
_AT: Final = re.compile(r"(.+?)(?:@([23])x)?\.png")
_COLOURS: Final = (256, 96, 40)
_SEEN_FOR_COLOURS: Final = (128, 128)
_FEW_COLOURS: Final = (32, 16, 8)
_MOST_OBLONG: Final = 3 / 2  # Apple: a thumbnail is between 2 : 3 and 3 : 2


def slot_of(name: str) -> Slot:
    """The slot of that name; raises BadInput for one that no card shows."""
    match = _IN_FOLDER.fullmatch(name)
    found = SLOTS.get(match[1] if match else name)
    if found is None or (match and len(found.scales) == 1):
        raise BadInput("no-such-image", f"Cards show no image {name}.", field="slot")
    return found


def paths_of(name: str) -> tuple[str, ...]:
    """Where the images of a slot lie in a template, whether they are there or not."""
    return tuple(_path(name, scale) for scale in slot_of(name).scales)


def most_of(path: str) -> tuple[int, int]:
    """Width and height in pixels that an image at this path may have: twice what its slot and scale show.

    People bring drawings of their own, so a little more is let in. Raises BadInput naming ``path`` for what
    no card shows.
    """
    if match := _AT.fullmatch(path):
        scale = int(match[2] or 1)
        with suppress(BadInput):
            slot = slot_of(match[1])
            if scale in slot.scales:
                return 2 * slot.width * scale, 2 * slot.height * scale
    raise BadInput("no-such-image", f"Cards show no image {path}: leave it out.", field=path)


def take(upload: bytes, name: str) -> dict[str, bytes]:
    """The images of a slot, by their path, made from an uploaded PNG, JPEG or WebP.

    Scales that the upload has not enough pixels for are left out: enlarged they would be blurred. Raises
    :class:`BadInput` for the field "image" with what to do: another kind of file, too large, too small.
    """
    slot = slot_of(name)
    picture = _cut(opened(upload), name, slot)
    sizes = {scale: _size(picture, slot, scale) for scale in slot.scales}
    scales = [scale for scale in slot.scales if _enough(picture, sizes[scale])]
    if not scales:
        width, height = sizes[slot.scales[0]]
        most = slot.scales[-1]
        raise BadInput(
            "picture-too-small",
            f"The picture has only {picture.width} by {picture.height} pixels, and here {width * most} by"
            f" {height * most} look sharp: choose a larger one.",
            field="image",
        )
    drawn = {scale: _drawn(picture, sizes[scale], slot) for scale in scales}
    return {_path(name, scale): data for scale, data in _light(drawn, slot.weight).items()}


def _path(name: str, scale: int) -> str:
    return f"{name}.png" if scale == 1 else f"{name}@{scale}x.png"


def _cut(picture: Image.Image, name: str, slot: Slot) -> Image.Image:
    """The part that is shown."""
    if name.endswith("logo") and slot.fit == "contain" and (box := picture.getchannel("A").getbbox()):
        picture = picture.crop(box)  # margins of a logo's file would make the logo small
    width, height = picture.size
    if slot.fit == "cover":
        ratio = slot.width / slot.height
        width, height = min(width, round(height * ratio)), min(height, round(width / ratio))
    elif slot.fit == "portrait":
        width, height = min(width, round(height * _MOST_OBLONG)), min(height, round(width * _MOST_OBLONG))
    width, height = max(width, 1), max(height, 1)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _size(picture: Image.Image, slot: Slot, scale: int) -> tuple[int, int]:
    """Of the image in pixels."""
    most = (slot.width * scale, slot.height * scale)
    if slot.fit in ("cover", "square"):
        return most
    share = min(most[0] / picture.width, most[1] / picture.height)
    return (
        min(most[0], max(1, round(picture.width * share))),
        min(most[1], max(1, round(picture.height * share))),
    )


def _enough(picture: Image.Image, size: tuple[int, int]) -> bool:
    return picture.width >= size[0] or picture.height >= size[1]


def _drawn(picture: Image.Image, size: tuple[int, int], slot: Slot) -> Image.Image:
    if slot.fit != "square":
        return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    share = min(size[0] / picture.width, size[1] / picture.height)
    inner = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    whole = Image.new("RGBA", size, (0, 0, 0, 0))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    whole.paste(picture.resize(inner, Image.Resampling.LANCZOS, reducing_gap=3.0), (left, top))
    return whole


def _light(drawn: dict[int, Image.Image], weight: int) -> dict[int, bytes]:
    """The finest that weighs no more; the lightest where nothing does."""
    made: dict[int, bytes] = {}
    for images, colours in _coarser(drawn):
        made, weighs = {}, 0
        for scale in sorted(images, reverse=True):
            made[scale] = encoded(images[scale]) if colours is None else _reduced(images[scale], colours)
            weighs += len(made[scale])
            if weighs > weight and colours != _FEW_COLOURS[-1]:
                break  # the largest alone may tell
        else:
            break
    return {scale: made[scale] for scale in sorted(made)}


def _coarser(drawn: dict[int, Image.Image]) -> Iterator[tuple[dict[int, Image.Image], int | None]]:
    """Images and colours: ever fewer colours, then without the largest, at last without their specks."""
    yield drawn, None
    for colours in _COLOURS:
        yield drawn, colours
    smaller = {scale: image for scale, image in drawn.items() if scale < max(drawn)} or drawn
    for colours in _COLOURS:
        yield smaller, colours
    calm = {scale: image.filter(ImageFilter.MedianFilter(5)) for scale, image in smaller.items()}
    for colours in _FEW_COLOURS:
        yield calm, colours


def _reduced(image: Image.Image, colours: int) -> bytes:
    if not is_opaque(image):
        return encoded(image.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
    plain = image.convert("RGB")
    few = plain.copy()
    few.thumbnail(_SEEN_FOR_COLOURS, Image.Resampling.BOX)  # choosing them takes long, finding them does not
    palette = few.quantize(colours, method=Image.Quantize.MEDIANCUT)
    return encoded(plain.quantize(palette=palette, dither=Image.Dither.NONE))
