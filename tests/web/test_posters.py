"""Prints from the web: drawn for whoever has a code, and rationed, so that nobody makes it draw for ever."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from queue import Queue
from threading import Event, Thread
from xml.etree import ElementTree

import pytest
from flask import Blueprint, Flask
from limits import RateLimitItemPerMinute

from app.db import Database
from app.places import links as install_links
from app.posters import press
from app.posters.press import Form
from app.posters.sizes import SHEETS, SIZES, Size
from app.web.guest_pages import Designs
from app.web.language import init_languages
from app.web.links import Links
from app.web.posters import NotDrawn, Posters, later
from tests.posters.prints import codes, picture, text
from tests.web.guests import NOW, World, open_world

pytestmark = pytest.mark.once  # sheets are drawn the same whatever keeps their links


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


@pytest.mark.parametrize("size", SIZES)
def test_a_poster_of_each_size_leads_to_the_install_page(world: World, size: Size) -> None:
    answer = world.phone().get(f"{world.cafe.path}/poster.pdf?size={size}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    wanted = f"https://cards.example{world.cafe.path}"
    assert codes(picture(answer.data, dpi=200)) == [wanted] * SHEETS[size].faces


def test_a_poster_speaks_the_language_that_was_asked_for(world: World) -> None:
    guest = world.phone()
    said = {
        language: text(guest.get(f"{world.cafe.path}/poster.pdf?language={language}").data)
        for language in ("ru", "en", "both")
    }
    russian, english = "Наведите камеру на код", "Point your camera at the code"
    assert [(russian in words, english in words) for words in said.values()] == [
        (True, False), (False, True), (True, True),
    ]  # fmt: skip
    own = text(guest.get(f"{world.cafe.path}/poster.pdf").data)
    assert own == said["ru"]
    assert "300 баллов сразу, потом до 10 % с каждой чашки. 1 балл — 1 рубль." in own
    assert "v1.1 · 01.07.2026" in own


def test_the_poster_of_a_table_names_the_table(world: World) -> None:
    answer = world.phone().get(f"/i/{world.cafe.table.code}/poster.pdf?size=tent")
    assert codes(picture(answer.data))[0] == f"https://cards.example/i/{world.cafe.table.code}"
    assert "· стол 7 ·" in text(answer.data)


def test_an_svg_opened_by_itself_may_do_nothing(world: World) -> None:
    answer = world.phone().get(f"{world.cafe.path}/poster.svg?size=sticker")
    assert answer.mimetype == "image/svg+xml"
    assert ElementTree.fromstring(answer.data).tag.endswith("svg")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    guest = world.phone()
    tag = guest.get(f"{world.cafe.path}/poster.pdf").headers["ETag"]
    again = guest.get(f"{world.cafe.path}/poster.pdf", **{"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_what_nobody_offers_is_refused(world: World) -> None:
    guest = world.phone()
    for wrong in ("size=a3", "size=", "language=de", "language=ru%00", "size=a4%0d%0a"):
        assert guest.get(f"{world.cafe.path}/poster.pdf?{wrong}").status_code == 400, wrong
    assert guest.get("/i/nothing0/poster.pdf").status_code == 404
    with world.database.write() as tx:
        install_links.retire_link(tx, world.cafe.link.id, now=NOW, actor="t")
    assert guest.get(f"{world.cafe.path}/poster.pdf").status_code == 410


def _app(world: World, draw: press.Press, most: int, most_of_all: int = 100) -> Flask:
    app = Flask("app.web.posters", template_folder="templates", static_folder=None)
    init_languages(app)
    parts = (world.services, Links(b"k" * 32, "https://cards.example"), Designs())
    mine, all_ = (RateLimitItemPerMinute(most),), (RateLimitItemPerMinute(most_of_all),)
    posters = Posters(*parts, drawings=mine, all_drawings=all_, press=draw)
    blueprint = Blueprint("guest", __name__)
    posters.add_to(blueprint)
    app.register_blueprint(blueprint)
    return app


def test_each_address_has_so_many_drawn_and_what_was_drawn_is_kept(world: World) -> None:
    drawn: list[Form] = []

    def draw(given: str, form: Form, day: date) -> bytes:
        drawn.append(form)
        return press.here(given, form, day)

    client = _app(world, draw, 2).test_client()

    def ask(size: str, address: str = "192.0.2.1") -> int:
        answer = client.get(
            f"{world.cafe.path}/poster.pdf?size={size}", environ_base={"REMOTE_ADDR": address}
        )
        return answer.status_code

    assert [ask("a4"), ask("a4"), ask("a5")] == [200, 200, 200]
    assert len(drawn) == 2
    assert ask("tent") == 429
    page = client.get(
        f"{world.cafe.path}/poster.pdf?size=tent&lang=en", environ_base={"REMOTE_ADDR": "192.0.2.1"}
    )
    assert 1 <= int(page.headers["Retry-After"]) <= 60
    assert "Many prints" in page.text
    assert [ask("a4"), ask("tent", "192.0.2.2")] == [200, 200]
    assert len(drawn) == 3


def test_all_addresses_together_have_so_many_drawn(world: World) -> None:
    client = _app(world, lambda *_: b"a print", 2, most_of_all=3).test_client()

    def ask(size: str, address: str) -> int:
        answer = client.get(
            f"{world.cafe.path}/poster.pdf?size={size}", environ_base={"REMOTE_ADDR": address}
        )
        return answer.status_code

    assert [ask("a4", "192.0.2.1"), ask("a5", "192.0.2.2"), ask("tent", "192.0.2.3")] == [200] * 3
    assert ask("sticker", "192.0.2.4") == 429
    assert ask("a4", "192.0.2.4") == 200


@pytest.mark.parametrize(
    ("wait", "seconds", "words"),
    [
        (5, "5", "через 5 секунд."),
        (58.2, "59", "через 59 секунд."),
        (61, "61", "через 2 минуты."),
    ],
)
def test_who_has_to_wait_is_told_for_how_long(wait: float, seconds: str, words: str) -> None:
    app = Flask("app.web.posters", template_folder="templates", static_folder=None)
    init_languages(app)
    with app.test_request_context(headers={"Accept-Language": "ru"}):
        answer = later(NotDrawn("press-busy", "", retry_after=timedelta(seconds=wait)))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, seconds)
    assert words in answer.get_data(as_text=True)


def test_one_is_drawn_at_a_time_and_only_half_of_the_threads_wait_for_it(world: World) -> None:
    go_on, drawn, answers = Event(), list[Form](), Queue[tuple[int, bytes]]()

    def draw(given: str, form: Form, day: date) -> bytes:
        assert go_on.wait(30)
        drawn.append(form)
        return press.here(given, form, day)

    app = _app(world, draw, 100)

    def ask() -> None:
        answer = app.test_client().get(f"{world.cafe.path}/poster.pdf?lang=en")
        answers.put((answer.status_code, answer.data))

    guests = [Thread(target=ask) for _ in range(world.services.threads // 2 + 1)]
    try:
        for guest in guests:
            guest.start()
        status, said = answers.get(timeout=30)
        assert status == 429
        assert b"being drawn. Please try again in 5 seconds." in said
    finally:
        go_on.set()
        for guest in guests:
            guest.join(30)
    found = {answers.get(timeout=30) for _ in guests[1:]}
    assert [status for status, _ in found] == [200], found
    assert len(drawn) == 1


def test_the_web_does_not_load_typst() -> None:
    program = "import sys, app.web.application; sys.exit('typst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
