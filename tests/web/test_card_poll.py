"""Asking whether a card's page has changed: answered beside Flask where nothing did, and as Flask would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, update
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse

from app.accounts.tables import brand
from app.db import Database, connect
from app.loyalty import members
from app.passes import issuing
from app.passes.issuing import Revision
from app.web.card_poll import CardPoll
from app.web.links import Links
from app.web.passkit_reader import Reader
from tests.web.guests import ANDROID, IPHONE, NOW, SECRET, World, open_world
from tests.web.test_guest_card import the_enrolment


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


class Asker:
    """A page that is open in a browser, and the callable that it asks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.page = world.phone(ANDROID).join(world.cafe)
        self.reader = Reader(world.database, most_kept=1)
        self.links = Links(SECRET, "https://cards.example")
        self.headers = {"User-Agent": ANDROID, "Accept-Language": "en"}

    def ask(
        self, address: str = "", *, method: str = "GET", etag: str | None = None, **headers: str
    ) -> Headers | None:
        """The headers of a 304; None where the question goes on to Flask."""
        known = self.page.headers["ETag"] if etag is None else etag
        environ = EnvironBuilder(
            address or self.page.request.full_path.rstrip("?"),
            method=method,
            headers=Headers(self.headers | {"If-None-Match": known} | headers),
        ).get_environ()
        started: list[tuple[str, Headers]] = []
        poll = CardPoll(self.reader, self.links, clock=self.world.clock)
        body = poll.answer(environ, lambda status, said, _=None: started.append((status, Headers(said))))  # type: ignore[arg-type]
        if body is None:
            assert started == []
            return None
        ((status, said),) = started
        assert (status, b"".join(body)) == ("304 Not Modified", b"")
        return said

    def flask(self) -> TestResponse:
        return self.world.phone(ANDROID).get(
            self.page.request.full_path.rstrip("?"), If_None_Match=self.page.headers["ETag"]
        )


@pytest.fixture
def asker(world: World) -> Iterator[Asker]:
    made = Asker(world)
    yield made
    made.reader.close()


def test_nothing_changed_is_said_as_flask_says_it(asker: Asker) -> None:
    said, flask = asker.ask(), asker.flask()
    assert flask.status_code == 304
    assert said is not None
    assert dict(said) == {name: words for name, words in flask.headers.items() if name in said}
    assert said["ETag"] == asker.page.headers["ETag"]
    assert "script-src 'self'" in said["Content-Security-Policy"]


def test_it_takes_one_statement(asker: Asker) -> None:
    asker.ask()
    asked: list[str] = []

    def note(*words: object) -> None:
        asked.append(str(words[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert asker.ask() is not None
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(asked) == 1


@pytest.mark.parametrize("what", ["card", "brand", "half a day", "revoked", "removed"])
def test_whatever_changed_goes_on_to_flask(asker: Asker, what: str) -> None:
    world, card = asker.world, the_enrolment(asker.world)
    with world.database.write() as tx:
        if what == "card":
            change = Revision(card.pass_id, lambda content: replace(content, balance=999_00))
            issuing.revise(tx, [change], kind="receipt", now=NOW)
        elif what == "brand":
            texts = {"ru": {"promise": "Новое"}, "en": {"promise": "New"}}
            tx.execute(update(brand).where(brand.c.id == world.cafe.brand.id).values(texts=texts))
        elif what == "revoked":
            members.revoke_card_link(tx, card.id, now=NOW, actor="test")
        elif what == "removed":
            members.remove(tx, card.member_id, now=NOW, actor="test")
    if what == "half a day":
        world.clock.forward(timedelta(hours=12))
    assert asker.ask() is None


def test_only_the_question_of_a_page_is_answered(asker: Asker) -> None:
    page, world = asker.page.request.full_path, asker.world
    assert asker.ask() is not None
    assert asker.ask(etag="W/" + asker.page.headers["ETag"]) is not None
    assert asker.ask(etag='"another", ' + asker.page.headers["ETag"]) is not None
    assert asker.ask(etag='"another"') is None
    assert asker.ask(etag="*") is None
    assert asker.ask(method="HEAD") is None
    assert asker.ask(method="POST") is None
    assert asker.ask(page.replace("~", "~A")) is None
    assert asker.ask(page.replace(world.cafe.link.code, world.bakery.link.code)) is None
    assert asker.ask(page.replace("lang=en", "lang=ru")) is None
    assert asker.ask(**{"User-Agent": IPHONE}) is None
    assert asker.ask(**{"Accept-Language": "ru"}) is None


def test_where_the_database_does_not_answer_flask_says_so(asker: Asker) -> None:
    asker.reader.close()
    nowhere = connect("sqlite:////nowhere/at/all.db")
    asker.reader = Reader(nowhere, most_kept=1)
    assert asker.ask() is None
    nowhere.close()
