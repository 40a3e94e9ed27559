"""Uploaded pictures: told by their content, opened within limits, written anew, light in every scale."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from app.errors import BadInput
from app.passes import picture_checks, pictures
from app.passes.lint_rules_images import check_images, size_of
from app.passes.picture_checks import kept


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def a_photo(width: int = 1600, height: int = 1200) -> Image.Image:
    """Colours that run into one another, with specks: nothing that a palette likes."""
    tones = [Image.effect_noise((width // 50 + 1, height // 50 + 1), 60) for _ in range(3)]
    smooth = Image.merge("RGB", [tone.resize((width, height), Image.Resampling.BICUBIC) for tone in tones])
    return Image.blend(smooth, Image.merge("RGB", [Image.effect_noise((width, height), 40)] * 3), 0.15)


def refused(upload: bytes, slot: str = "strip") -> BadInput:
    with pytest.raises(BadInput) as caught:
        pictures.take(upload, slot)
    assert caught.value.field == "image"
    return caught.value


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_that_says(width: int, height: int, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "slot"), [("JPEG", "strip"), ("PNG", "icon"), ("WEBP", "logo")])
def test_a_photograph_becomes_images_of_apples_sizes_within_their_weight(kind: str, slot: str) -> None:
    made = pictures.take(saved(a_photo(), kind), slot)
    assert set(made) <= set(pictures.paths_of(slot))
    assert f"{slot}@2x.png" in made
    assert sum(map(len, made.values())) <= pictures.SLOTS[slot].weight
    icons = {"icon.png": saved(Image.new("RGB", (29, 29)))} if slot != "icon" else {}
    codes = {finding.code for finding in check_images(made | icons, "storeCard")}
    assert codes <= {"image-scale-missing"}  # that of the black icon, or of a photo that weighed too much
    assert all(kept(data, where=path) == data for path, data in made.items())


def test_a_calm_picture_is_taken_in_three_scales_without_loss() -> None:
    picture = Image.new("RGB", (1125, 432), "#204060")
    ImageDraw.Draw(picture).ellipse((300, 60, 800, 400), fill="#c0a060")
    made = pictures.take(saved(picture), "strip")
    assert [size_of(made[path]) for path in pictures.paths_of("strip")] == [
        (375, 144), (750, 288), (1125, 432),
    ]  # fmt: skip
    assert Image.open(io.BytesIO(made["strip@3x.png"])).convert("RGB").tobytes() == picture.tobytes()


def test_a_logo_keeps_its_shape_and_loses_its_margins() -> None:
    picture = Image.new("RGBA", (1000, 1000), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((100, 450, 899, 549), fill=(255, 0, 0, 255))
    made = pictures.take(saved(picture), "logo")
    assert [size_of(made[path]) for path in pictures.paths_of("logo")] == [(160, 20), (320, 40), (480, 60)]


def test_a_telephones_photo_stands_upright_and_tells_nothing_of_where_it_was_taken() -> None:
    picture = Image.new("RGB", (1400, 1000), "white")
    ImageDraw.Draw(picture).rectangle((0, 0, 400, 999), fill="red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: its left is the top
    exif[0x010F] = "SECRET-CAMERA"
    made = pictures.take(saved(picture, "JPEG", exif=exif, quality=95, comment=b"SECRET-PLACE"), "icon")
    assert b"SECRET" not in b"".join(made.values())
    shown = Image.open(io.BytesIO(made["icon@3x.png"])).convert("RGB")
    red, white = shown.getpixel((40, 2)), shown.getpixel((40, 80))
    assert isinstance(red, tuple)
    assert isinstance(white, tuple)
    assert red[1] < 60 < 200 < white[1]


def test_a_small_picture_makes_the_scales_that_it_has_pixels_for_and_a_tiny_one_none() -> None:
    assert set(pictures.take(saved(Image.new("RGB", (60, 60))), "icon")) == {"icon.png", "icon@2x.png"}
    fault = refused(saved(Image.new("RGB", (20, 20))), "icon")
    assert fault.code == "picture-too-small"
    assert "87 by 87" in str(fault)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PICTURE = saved(Image.new("RGB", (400, 400), "#804020"))


@pytest.mark.parametrize(
    ("upload", "code", "said"),
    [
        (b"", "picture-empty", "empty"),
        (SVG, "picture-of-another-kind", "SVG drawing"),
        (b"\xef\xbb\xbf  <svg onload=alert(1)>", "picture-of-another-kind", "SVG drawing"),
        (b"<!DOCTYPE html><p>hello", "picture-of-another-kind", "web page"),
        (saved(Image.new("P", (400, 400)), "GIF"), "picture-of-another-kind", "GIF"),
        (b"%PDF-1.7 \x89PNG", "picture-of-another-kind", "PDF"),
        (b"MZ" + bytes(400), "picture-of-another-kind", "no picture"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "picture-of-another-kind", "HEIC"),
        (saved(Image.new("RGB", (400, 400)), "TIFF"), "picture-of-another-kind", "TIFF"),
        (bytes(picture_checks.MOST_UPLOAD + 1), "picture-too-heavy", "7 MB"),
        (PICTURE + b"<script>alert(1)</script>", "picture-and-more", "besides"),
        (PICTURE + b"more", "picture-and-more", "besides"),
        (PICTURE[:-100], "picture-damaged", "damaged"),
        (PICTURE[:60] + b"\0\0\0\0" + PICTURE[64:], "picture-damaged", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "picture-damaged", "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "picture-damaged", "damaged"),
        (png_that_says(30_000, 30_000), "picture-too-large", "million pixels"),
        (png_that_says(4000, 4000), "picture-too-large", "million pixels"),
        (png_that_says(2_000_000_000, 2_000_000_000), "picture-too-large", "million pixels"),
    ],
)  # fmt: skip
def test_what_is_no_picture_for_a_card_is_refused_with_what_to_do(
    upload: bytes, code: str, said: str
) -> None:
    fault = refused(upload)
    assert fault.code == code
    assert said in str(fault)


def test_a_picture_with_an_archive_behind_it_is_refused() -> None:
    archive = io.BytesIO(saved(Image.new("RGB", (400, 400)), "JPEG"))
    with zipfile.ZipFile(archive, "a") as written:
        written.writestr("evil.txt", "hello")
    assert refused(archive.getvalue()).code == "picture-and-more"


def test_a_bomb_of_packed_words_is_refused() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 * 1024 * 1024)))
    assert len(bomb) < 200_000
    assert refused(PICTURE[:33] + bomb + PICTURE[33:]).code == "picture-damaged"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(kind: str) -> None:
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "blue")]
    assert refused(saved(frames[0], kind, save_all=True, append_images=frames[1:])).code == "picture-moves"


def test_a_telephones_largest_photo_is_taken_and_one_that_is_long_and_thin_is_not() -> None:
    made = pictures.take(saved(Image.new("RGB", (8064, 6048), "#804020"), "JPEG"), "strip")
    assert size_of(made["strip@3x.png"]) == (1125, 432)
    assert refused(saved(Image.new("RGB", (20_000, 1000)), "JPEG")).code == "picture-too-large"


def test_an_unknown_slot_is_refused() -> None:
    for slot in ("../icon", "tiers/0/strip", "de.lproj/logo", "ru.lproj/google/hero", "stamps/3/strip", "x"):
        with pytest.raises(BadInput, match="no image"):
            pictures.take(PICTURE, slot)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gets_past_with_anything_but_a_sentence(data: st.DataObject) -> None:
    upload = bytearray(data.draw(st.sampled_from([PICTURE, _JPEG, _WEBP])))
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(upload) - 1), st.integers(0, 255)), max_size=8)
    ):
        upload[at] = byte
    end = data.draw(st.integers(1, len(upload)))
    try:
        made = pictures.take(bytes(upload[:end]), "icon")
    except BadInput:
        return
    assert all(size_of(image) for image in made.values())


_JPEG, _WEBP = (saved(Image.new("RGB", (120, 120), "#804020"), kind) for kind in ("JPEG", "WEBP"))


def test_a_templates_picture_is_kept_byte_for_byte_only_where_it_is_pixels_alone() -> None:
    assert kept(PICTURE, where="icon.png") == PICTURE
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", "<b>SECRET</b>")
    with_words = saved(Image.new("RGB", (40, 40), "red"), pnginfo=said)
    assert b"SECRET" not in kept(with_words, where="icon.png")
    image = zlib.compress((b"\0" + b"\x80\x40\x20" * 4) * 4)
    for hidden in (image + b"SECRET", zlib.compress((b"\0" + b"\x80\x40\x20" * 4) * 4 + b"SECRET")):
        header = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
        smuggled = (
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", hidden) + chunk(b"IEND", b"")
        )
        anew = kept(smuggled, where="icon.png")
        assert anew != smuggled
        assert kept(anew, where="icon.png") == anew
    for upload, code in ((SVG, "picture-of-another-kind"), (_JPEG, "picture-no-png"), (b"", "picture-empty")):
        with pytest.raises(BadInput) as caught:
            kept(upload, where="logo.png")
        assert (caught.value.code, caught.value.field) == (code, "logo.png")
    with pytest.raises(BadInput, match="million pixels"):
        kept(png_that_says(5000, 5000), where="logo.png")
