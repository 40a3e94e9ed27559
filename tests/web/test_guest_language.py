"""Russian and English: chosen by the browser or by hand, complete, and with the plurals each asks for."""

from __future__ import annotations

import re

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask_babel import ngettext

from app.db import Database
from app.web.language import TRANSLATIONS
from tests.web.guests import World, form_fields, open_world

pytestmark = pytest.mark.once  # in which language a page speaks is no question of the database

WEB = TRANSLATIONS.parent
RUSSIAN = TRANSLATIONS / "ru" / "LC_MESSAGES"


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def catalogue() -> Catalog:
    with (RUSSIAN / "messages.po").open("rb") as file:
        return read_po(file, locale="ru")


def spoken(catalogue: Catalog) -> dict[tuple[object, ...], tuple[object, ...]]:
    def listed(words: object) -> tuple[object, ...]:
        return tuple(words) if isinstance(words, (list, tuple)) else (words,)

    return {listed(message.id): listed(message.string) for message in catalogue if message.id}


def test_every_text_is_translated_and_none_is_left_over() -> None:
    with (WEB / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = {words for _, _, words, _, _ in extract_from_dir(WEB, methods, options, keywords={
        "_": None, "gettext": None, "ngettext": (1, 2),
    })}  # fmt: skip
    told = {tuple(m.id) if isinstance(m.id, (list, tuple)) else m.id: m for m in catalogue() if m.id}
    assert found == set(told)
    for message in told.values():
        words = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
        assert len(words) == (3 if message.pluralizable else 1)
        assert all(words), message.id
        assert not message.fuzzy
        assert not list(message.check(catalogue())), message.id
        names = set(re.findall(r"%\((\w+)\)s", str(message.id)))
        assert all(set(re.findall(r"%\((\w+)\)s", str(form))) == names for form in words), message.id


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (RUSSIAN / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    written = catalogue()
    assert spoken(compiled) == spoken(written)
    assert compiled.plural_forms == written.plural_forms


@pytest.mark.parametrize(
    ("accepted", "asked", "language"),
    [
        ("ru-RU,ru;q=0.9", "", "ru"), ("en-GB,en;q=0.9,ru;q=0.5", "", "en"), ("de-DE,de", "", "ru"),
        ("de,en;q=0.4", "", "en"), ("ru", "?lang=en", "en"), ("en", "?lang=ru", "ru"),
        ("en", "?lang=xx", "en"), ("", "", "ru"),
    ],
)  # fmt: skip
def test_the_page_speaks_the_guests_language_or_the_brands(
    world: World, accepted: str, asked: str, language: str
) -> None:
    guest = world.phone(language=accepted)
    page = guest.get(guest.get(world.cafe.path + asked).location)
    assert f'<html lang="{language}">' in page.text
    assert page.headers["Content-Language"] == language
    assert ("Получить карту" in page.text) == (language == "ru")


def test_a_chosen_language_goes_along_to_the_card(world: World) -> None:
    guest = world.phone(language="en")
    page = guest.get(guest.get(world.cafe.path).location)
    switched = guest.get(
        page.text.split('hreflang="ru"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    )
    assert form_fields(switched)["lang"] == "ru"
    assert form_fields(switched)["form"].split(".")[0] == form_fields(page)["form"].split(".")[0]
    card = guest.get(guest.send(switched, data="yes").location)
    assert '<html lang="ru">' in card.text
    assert "Добавить в Apple Wallet" in card.text


@pytest.mark.parametrize("form", [(1, "минуту"), (2, "минуты"), (5, "минут"), (11, "минут"), (21, "минуту")])
def test_russian_counts_minutes_as_people_do(world: World, form: tuple[int, str]) -> None:
    number, noun = form
    with world.app.test_request_context("/?lang=ru"):
        words = ngettext(
            "Many people are here at once. Please try again in %(num)s minute.",
            "Many people are here at once. Please try again in %(num)s minutes.",
            number,
        )
    assert words.endswith(f"через {number} {noun}.")
