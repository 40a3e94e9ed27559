"""Posters to draw, and prints read back by programs that share nothing with what drew them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pypdfium2
import pypdfium2.raw as pdfium
import zxingcpp
from PIL import Image

from app.posters.poster import Poster, Spot, Words

RU = Words("ru", "Клуб «Печка»", "Возвращаем до 10 % баллами с каждого счёта")
EN = Words("en", "Pechka Club", "Up to 10% of every bill back in points")
URL = "https://cards.example.com/i/bcdf2345"


def a_logo() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (150, 150), (222, 184, 135, 255)).save(file, "PNG")
    return file.getvalue()


DARK = Poster(
    words=(RU,), brand="Печка", venue="Печка на Невском", address="Санкт-Петербург, Невский проспект, 100",
    spot=Spot("table", "7"), url=URL, ground=(74, 28, 20), ink=(255, 247, 235), label=(240, 190, 140),
    logo=a_logo(), version="1.3", printed_on=date(2026, 11, 22),
)  # fmt: skip
LIGHT = replace(
    DARK, words=(EN,), brand="Zerno", venue="Zerno on Rubinstein", spot=None, staff_member="Anna Ivanova",
    ground=(250, 225, 120), ink=(255, 255, 255), label=(200, 160, 40), logo=None,
)  # fmt: skip
WHITE = replace(DARK, words=(RU, EN), ground=(255, 255, 255), ink=(255, 255, 255), label=(250, 250, 250))
LONG = replace(
    DARK,
    words=(Words("ru", "Клуб гостей ресторанов «Старая мельница» " * 2, "Дарим баллы всем. " * 28),),
    venue="Ресторан «Старая мельница на набережной реки Фонтанки» " * 2,
    address="191023, Санкт-Петербург, набережная реки Фонтанки, дом 100, литера А, вход со двора " * 3,
    url="https://loyalty-cards.staraya-melnitsa-restaurants.example.com/i/bcdf2345",
    logo=None,
)  # fmt: skip
LOOKS = {"dark": DARK, "light": LIGHT, "white": WHITE, "long": LONG}


def picture(pdf: bytes, *, page: int = 0, dpi: float = 150) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf)
    drawn: Image.Image = document[page].render(scale=dpi / 72).to_pil()
    return drawn


def codes(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


def text(pdf: bytes, *, page: int = 0) -> str:
    """The page's words, as a reader copies them: each kind of space is one."""
    words = pypdfium2.PdfDocument(pdf)[page].get_textpage().get_text_bounded()
    return " ".join(words.replace("\u200b", "").replace("\u00a0", " ").split())


def fonts(pdf: bytes) -> dict[str, bool]:
    """The fonts of the first page's words, and whether the file carries them."""
    document = pypdfium2.PdfDocument(pdf)
    found = [each.get_font() for each in document[0].get_objects([pdfium.FPDF_PAGEOBJ_TEXT])]
    return {font.get_base_name(): font.is_embedded for font in found}


def pictures(pdf: bytes) -> int:
    """How many pictures of pixels the first page has."""
    return len(list(pypdfium2.PdfDocument(pdf)[0].get_objects([pdfium.FPDF_PAGEOBJ_IMAGE])))
