"""A print scans, can be read, and is a proper page: told by PDFium and ZXing, which know nothing of us."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops

from app.errors import Unavailable
from app.posters import press, sizes
from app.posters.drawing import code, draw_pdf, draw_svg
from app.posters.poster import Poster, Spot, Words
from app.posters.sizes import SHEETS, SIZES, Size
from tests.posters.prints import (
    DARK,
    EN,
    LIGHT,
    LONG,
    LOOKS,
    RU,
    URL,
    WHITE,
    codes,
    fonts,
    picture,
    pictures,
    text,
)

MILLIMETRE = 72 / 25.4
SVG = "{http://www.w3.org/2000/svg}"
DPI: dict[Size, int] = {"a4": 120, "a5": 150, "tent": 200, "sticker": 300, "square": 300}
HOSTILE = (
    "<script>alert(1)</script> #panic() $x$ *b* _i_ `c` \\ @ref [content] https://evil.example",
    "مقهى النخيل مرحبا بكم",
    "☕️ Кофе 👨‍👩‍👧 и 🥐",
    "a\u202eb\u2066c\u0000d\u200d",
    "Ы" * 120,
    "%" * 60 + "&amp;" * 12,
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", LOOKS)
def test_every_print_scans_also_small_grey_and_faded(size: Size, look: str) -> None:
    poster = LOOKS[look]
    whole = picture(draw_pdf([poster], size), dpi=DPI[size])
    wanted = [poster.url] * SHEETS[size].faces
    assert codes(whole) == wanted
    small = whole.convert("L").resize((whole.width * 3 // 10, whole.height * 3 // 10), Image.Resampling.BOX)
    assert codes(small) == wanted
    faded = small.point([96 + value * 112 // 255 for value in range(256)])
    assert codes(faded) == wanted


@pytest.mark.parametrize("size", SIZES)
def test_nothing_stands_in_the_quiet_zone(size: Size) -> None:
    dpi, sheet = 2 * DPI[size], SHEETS[size]
    page = picture(draw_pdf([DARK], size), dpi=dpi).convert("L")
    module = sizes.module_width(size, len(code(URL).matrix)) / 25.4 * dpi
    ring = round(module * sizes.QUIET_ZONE) - 2
    left, top, right, bottom = _code_box(page, module)
    around = page.crop((left - ring, top - ring, right + ring, bottom + ring))
    # The edge itself is neither black nor white.
    around.paste(255, (ring - 1, ring - 1, around.width - ring + 1, around.height - ring + 1))
    assert around.getextrema() == (255, 255), sheet


def _code_box(page: Image.Image, module: float) -> tuple[int, int, int, int]:
    """Where the last code of the page stands, to the pixel, from where its finder patterns are."""
    at = zxingcpp.read_barcodes(page)[-1].position
    xs = [point.x for point in (at.top_left, at.top_right, at.bottom_left, at.bottom_right)]
    ys = [point.y for point in (at.top_left, at.top_right, at.bottom_left, at.bottom_right)]
    slack = round(module)
    near = page.crop((min(xs) - slack, min(ys) - slack, max(xs) + slack, max(ys) + slack))
    found = ImageChops.invert(near.point(lambda value: 0 if value < 128 else 255)).getbbox()
    assert found is not None
    return (
        min(xs) - slack + found[0], min(ys) - slack + found[1],
        min(xs) - slack + found[2], min(ys) - slack + found[3],
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_pages_have_the_size_that_they_are_cut_to(size: Size) -> None:
    sheet = SHEETS[size]
    page = pypdfium2.PdfDocument(draw_pdf([DARK], size))[0]
    whole = [
        0,
        0,
        (sheet.width + 2 * sheet.bleed) * MILLIMETRE,
        (sheet.height + 2 * sheet.bleed) * MILLIMETRE,
    ]
    assert page.get_mediabox() == pytest.approx(whole, abs=0.01)
    cut = sheet.bleed * MILLIMETRE
    assert page.get_trimbox() == pytest.approx([cut, cut, whole[2] - cut, whole[3] - cut], abs=0.01)


@pytest.mark.parametrize("size", ["a4", "a5", "tent"])
def test_a_print_says_its_promise_its_steps_and_where_it_belongs(size: Size) -> None:
    words = text(draw_pdf([replace(DARK, words=(RU, EN))], size))
    for said in (
        RU.programme, RU.promise, EN.promise,
        "Наведите камеру на код", "Fill in the form, get the card", "Покажите карту на кассе",
        "cards.example.com/i/bcdf2345", "Печка на Невском · стол 7", "v1.3 · 22.11.2026",
    ):  # fmt: skip
        assert said in words, words
    assert "Anna Ivanova invites you" in text(draw_pdf([LIGHT], size))


@pytest.mark.parametrize("size", ["sticker", "square"])
def test_a_sticker_says_whose_it_is_and_what_to_type(size: Size) -> None:
    words = text(draw_pdf([DARK], size))
    for said in ("Печка", "Карта гостя в телефоне", "cards.example.com/i/", "bcdf2345", "v1.3 · 22.11.2026"):
        assert said in words, words


@pytest.mark.parametrize("size", SIZES)
def test_a_print_is_vectors_with_its_fonts_in_it(size: Size) -> None:
    used = fonts(draw_pdf([DARK], size))
    assert used
    assert all(embedded and "Manrope" in name for name, embedded in used.items()), used
    assert pictures(draw_pdf([LIGHT], size)) == 0
    assert len(draw_pdf([DARK], size)) < 100_000


def test_the_code_is_printed_with_black_alone() -> None:
    """Four colours a little beside one another would blur it."""
    assert picture(draw_pdf([WHITE], "a4")).convert("RGB").getpixel((150, 1000)) == (255, 255, 255)
    at = picture(draw_pdf([DARK], "a4"), dpi=72).convert("RGB")
    assert (0, 0, 0) in {at.getpixel((x, 500)) for x in range(60, 320)}


@pytest.mark.parametrize("size", SIZES)
def test_a_code_is_large_enough_for_where_it_hangs(size: Size) -> None:
    least = {"a4": 800, "a5": 550, "tent": 400, "sticker": 200, "square": 250}[size]
    modules = len(code(URL).matrix)
    assert sizes.reading_distance(size, modules) >= least
    assert sizes.module_width(size, modules) >= sizes.LEAST_MODULE
    assert sizes.module_width(size, len(code(LONG.url).matrix)) >= sizes.LEAST_MODULE


def test_the_tables_of_a_venue_are_one_document_a_page_each() -> None:
    tables = [
        replace(DARK, spot=Spot("table", str(n)), url=f"https://cards.example.com/i/bcdf23{n:02}")
        for n in range(1, 13)
    ]
    pdf = draw_pdf(tables, "tent")
    assert len(pypdfium2.PdfDocument(pdf)) == 12
    for page, table in enumerate(tables):
        assert codes(picture(pdf, page=page, dpi=150)) == [table.url, table.url]
        assert f"стол {page + 1} ·" in text(pdf, page=page)
    assert len(pdf) < 12 * len(draw_pdf(tables[:1], "tent"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_are_drawn_as_words(size: Size, name: str) -> None:
    poster = replace(
        DARK, brand=name, venue=name, address=name, spot=Spot("other", name), staff_member=name,
        words=(Words("ru", name, name), Words("en", name, name)),
    )  # fmt: skip
    pdf = draw_pdf([poster], size)
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert codes(picture(pdf, dpi=DPI[size] / 2)) == [URL] * SHEETS[size].faces
    _assert_harmless(draw_svg(poster, size))


def test_markup_in_a_name_is_read_as_it_was_written() -> None:
    name = "#let x = 1; *bold* $e$ <b>& [x]"
    assert name in text(draw_pdf([replace(DARK, words=(replace(RU, promise=name),))], "a4"))


def test_what_no_font_draws_is_left_out() -> None:
    assert "Кофе и круассаны №1 ·" in text(
        draw_pdf([replace(DARK, venue="☕️ Кофе 👨‍👩‍👧\u202e и круассаны №1 🥐")], "a4")
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("poster", [DARK, WHITE], ids=["dark", "white"])
def test_an_svg_is_the_same_page_without_script_and_fonts(size: Size, poster: Poster) -> None:
    root = _assert_harmless(draw_svg(poster, size))
    sheet = SHEETS[size]
    assert root.get("viewBox") is not None
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    assert (width, height) == pytest.approx((sheet.width * MILLIMETRE, sheet.height * MILLIMETRE), abs=0.01)


def _assert_harmless(svg: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    for element in root.iter():
        known = {"svg", "g", "path", "defs", "symbol", "use", "image", "clipPath"}
        assert element.tag.removeprefix(SVG) in known, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            if name.endswith("href"):
                assert value.startswith(("#", "data:image/png;base64,")), value
    return root


def test_equal_posters_are_equal_bytes_wherever_they_are_drawn() -> None:
    assert draw_pdf([DARK], "a4") == draw_pdf([DARK], "a4", press=press.apart)
    assert draw_svg(DARK, "a4") == draw_svg(DARK, "a4", press=press.apart)


def test_a_press_that_fails_says_so_in_a_sentence() -> None:
    with pytest.raises(Unavailable, match="could not be drawn"):
        press.apart("{}", "pdf", date(2026, 11, 22))


def test_typst_is_loaded_with_the_first_drawing() -> None:
    program = "import sys, app.posters.drawing; sys.exit('typst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
