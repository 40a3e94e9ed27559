"""From a scan to a card: what is recorded, what is kept, and what a guest reads when something is wrong."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from app.accounts import brands
from app.db import Database
from app.loyalty import programmes
from app.loyalty.programmes import ProgrammeDraft
from app.loyalty.tables import consent, enrolment, member
from app.places import funnel
from app.places import links as install_links
from app.places.tables import visit, visit_event
from tests.web.guests import ANDROID, DESKTOP, IPHONE, NOW, TELEGRAM, World, form_fields, open_world
from tests.web.user_agents import APPS


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def steps(world: World) -> list[tuple[str, ...]]:
    """The steps of every visit, each sorted."""
    with world.database.read() as tx:
        taken: dict[str, list[str]] = {row.id: [] for row in tx.execute(select(visit.c.id))}
        for row in tx.execute(select(visit_event.c.visit_id, visit_event.c.kind)):
            taken[row.visit_id].append(row.kind)
    return sorted(tuple(sorted(kinds)) for kinds in taken.values())


def count(world: World) -> int:
    with world.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(enrolment)).scalar_one())


def test_a_scan_becomes_a_visit_a_page_and_a_card(world: World) -> None:
    page = world.phone().join(world.cafe, name="  Анна   Ивановна ", advertising="yes")
    assert page.status_code == 200
    assert "Add to Apple Wallet" in page.text
    assert "Анна Ивановна" in page.text
    assert steps(world) == [("form", "page", "scan")]
    with world.database.read() as tx:
        row = tx.execute(select(visit)).one()
        enrolled = tx.execute(select(enrolment)).one()
        assert (row.device_kind, row.language, row.install_link_id) == ("iphone", "en", world.cafe.link.id)
        assert enrolled.visit_id == row.id
        assert enrolled.venue_id == world.cafe.venue.id
        assert enrolled.balance == 30000
        assert tx.execute(select(member.c.name)).scalar_one() == "Анна Ивановна"


def test_reload_back_and_a_second_tap_are_one_visit_and_one_card(world: World) -> None:
    guest = world.phone()
    page = guest.scan(world.cafe)
    again = guest.get(page.request.path + "?" + page.request.query_string.decode())
    assert again.status_code == 200
    first = guest.send(page, data="yes")
    second = guest.send(page, data="yes")
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert steps(world) == [("form", "page", "scan")]
    assert count(world) == 1


def test_a_friend_who_got_the_pages_address_gets_a_card_of_their_own(world: World) -> None:
    guest, friend = world.phone(), world.phone(ANDROID)
    page = guest.scan(world.cafe)
    address = f"{page.request.path}?{page.request.query_string.decode()}"
    friends = friend.get(address)
    mine = guest.send(page, data="yes", name="Анна")
    theirs = friend.send(friends, data="yes", name="Борис")
    assert theirs.location != mine.location
    assert friend.send(friends, data="yes", name="Борис").location == theirs.location
    assert count(world) == 2
    late = world.phone().get(address)
    assert late.status_code == 200
    assert "<form" not in late.text
    assert mine.location not in late.text
    assert 'href="' + world.cafe.path + '"' in late.text


def test_a_friends_steps_are_none_of_the_guests(world: World) -> None:
    guest, friend = world.phone(), world.phone(APPS[0].user_agent)
    page = guest.scan(world.cafe)
    friends = friend.get(f"{page.request.path}?{page.request.query_string.decode()}")
    guest.send(page, data="yes")
    friend.send(friends, data="yes")
    assert steps(world) == [("form", "in_app", "page", "scan"), ("form", "page", "scan")]


def test_a_page_that_is_loaded_again_waits_for_no_writer(world: World) -> None:
    guest = world.phone()
    page = guest.scan(world.cafe)
    pixel = page.text.split('class="seen" src="')[1].split('"')[0]
    with world.database.write() as tx:
        tx.execute(update(visit).values(language="ru"))
        assert guest.get(pixel).status_code == 200


def test_forms_sent_at_the_same_moment_make_one_card_a_guest(world: World) -> None:
    guest = world.phone()
    mine = guest.scan(world.cafe)
    friends = guest.get(f"{mine.request.path}?{mine.request.query_string.decode()}")

    def send(page: TestResponse) -> str:
        return world.phone().send(page, data="yes").location

    with ThreadPoolExecutor(4) as threads:
        cards = list(threads.map(send, [mine, friends] * 4))
    assert len(set(cards)) == 2
    assert cards == cards[:2] * 4
    assert count(world) == 2


def test_a_form_from_a_browser_without_pictures_still_saw_its_page(world: World) -> None:
    guest = world.phone()
    guest.send(guest.client.get(world.cafe.path, follow_redirects=True), data="yes")
    assert steps(world) == [("form", "page", "scan")]


def test_a_robot_and_a_head_request_leave_no_visit(world: World) -> None:
    robot = world.phone(TELEGRAM)
    page = robot.get(world.cafe.path)
    assert page.status_code == 200
    assert 'property="og:title"' in page.text
    assert "<form" not in page.text
    assert world.phone().client.head(world.cafe.path).status_code == 200
    assert steps(world) == []
    # Who was taken for a robot wrongly finds the way in.
    begun = robot.get(f"{world.cafe.path}?start=1")
    assert begun.status_code == 303
    assert steps(world) == [("scan",)]


def test_a_prefetch_is_neither_scan_nor_page(world: World) -> None:
    guest = world.phone()
    assert guest.get(world.cafe.path, **{"Sec-Purpose": "prefetch"}).status_code == 503
    assert steps(world) == []
    page = guest.get(guest.get(world.cafe.path).location)
    pixel = page.text.split('class="seen" src="')[1].split('"')[0]
    assert guest.get(pixel, **{"Sec-Purpose": "prefetch"}).status_code == 200
    assert guest.client.head(pixel).status_code == 200
    assert steps(world) == [("scan",)]
    picture = guest.get(pixel)
    assert (picture.status_code, picture.mimetype) == (200, "image/gif")
    assert steps(world) == [("page", "scan")]


def test_the_evidence_of_consent_is_the_words_that_were_read(world: World) -> None:
    world.phone(language="ru").join(world.cafe)
    with world.database.read() as tx:
        kept = {row.purpose: row for row in tx.execute(select(consent))}
    assert (kept["data"].granted, kept["advertising"].granted) == (True, False)
    assert kept["data"].language == "ru"
    assert "Кофейня «Зерно»" in kept["data"].text
    assert "https://zerno.example/privacy" in kept["data"].text
    assert kept["data"].text_version.startswith("data-")
    assert kept["advertising"].text_version != kept["data"].text_version


def test_both_consents_are_asked_apart_and_unticked(world: World) -> None:
    page = world.phone().scan(world.cafe)
    assert page.text.count('type="checkbox"') == 2
    assert "checked" not in page.text
    assert 'name="data"' in page.text
    assert 'name="advertising"' in page.text
    consent_to_data = page.text.split('for="data"')[1].split("</label>")[0]
    assert 'href="https://zerno.example/en/privacy"' in consent_to_data


def test_a_link_of_a_programme_without_a_design_is_not_ready_yet(world: World) -> None:
    with world.database.write() as tx:
        bare = programmes.create_programme(
            tx,
            ProgrammeDraft(
                brand_id=world.cafe.brand.id, slug="bare", name="Bare", rules=world.cafe.programme.rules
            ),
            now=NOW,
            actor="test",
        )
        link = install_links.create_link(
            tx, programme_id=bare.id, venue_id=world.cafe.venue.id, now=NOW, actor="test"
        )
    guest = world.phone()
    page = guest.get(guest.get(f"/i/{link.code}").location)
    assert page.status_code == 503
    assert "The card is not ready yet" in page.text


def test_without_the_needed_consent_the_form_comes_back_as_it_was_filled(world: World) -> None:
    guest = world.phone()
    back = guest.send(guest.scan(world.cafe), name='Анна "A" <b>', advertising="yes")
    assert back.status_code == 422
    assert "Without this consent we cannot make your card." in back.text
    assert "Анна &#34;A&#34; &lt;b&gt;" in back.text
    assert back.text.count(" checked") == 1
    assert 'aria-invalid="true"' in back.text
    assert count(world) == 0
    assert guest.send(back, data="yes", name="Анна").status_code == 303


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "words"),
    [("я" * 61, "shorten"), ("a\u202eb", "cannot be printed"), ("a\ue000b", "cannot be printed")],
)
def test_a_name_that_does_not_fit_is_told_beside_its_field(world: World, name: str, words: str) -> None:
    guest = world.phone()
    back = guest.send(guest.scan(world.cafe), name=name, data="yes")
    assert back.status_code == 422
    assert words in back.text
    assert 'id="name-wrong"' in back.text
    assert count(world) == 0


def test_an_emoji_that_is_newer_than_this_python_is_a_name(world: World) -> None:
    guest = world.phone()
    guest.send(guest.scan(world.cafe), name="Аня \U0001faea", data="yes")
    assert count(world) == 1


def test_consent_to_words_that_changed_meanwhile_is_asked_again(world: World) -> None:
    guest = world.phone()
    page = guest.scan(world.cafe)
    draft = world.cafe.brand.draft()
    texts = {language: dict(words) for language, words in draft.texts.items()}
    texts["en"]["privacy_url"] = "https://zerno.example/en/privacy-2"
    with world.database.write() as tx:
        changed = type(draft)(**{key: getattr(draft, key) for key in draft.__slots__} | {"texts": texts})
        brands.update_brand(tx, world.cafe.brand.id, changed, now=NOW, actor="test")
    back = guest.send(page, data="yes", advertising="yes")
    assert back.status_code == 422
    assert "These words have changed" in back.text
    assert " checked" not in back.text
    assert count(world) == 0
    assert guest.send(back, data="yes").status_code == 303


@pytest.mark.parametrize("spoil", ["", "nonsense", "other link", "late"])
def test_a_form_without_its_visit_stores_nothing_and_offers_a_fresh_start(world: World, spoil: str) -> None:
    guest = world.phone()
    page = guest.scan(world.cafe)
    fields = form_fields(page) | {"data": "yes"}
    before = steps(world)
    if spoil == "late":
        world.clock.forward(timedelta(hours=24, seconds=1))
    elif spoil == "other link":
        fields["form"] = form_fields(guest.scan(world.bakery))["form"]
        before = steps(world)
    else:
        fields["form"] = spoil
    answer = guest.client.post(world.cafe.path, data=fields)
    assert answer.status_code == 400
    assert "Start again" in answer.text
    assert f'href="{world.cafe.path}?lang=en"' in answer.text
    assert steps(world) == before
    assert count(world) == 0


def test_an_old_address_begins_a_new_visit(world: World) -> None:
    guest = world.phone()
    old = guest.get(world.cafe.path).location
    world.clock.forward(timedelta(days=2))
    again = guest.get(old)
    assert again.status_code == 303
    assert again.location != old
    assert steps(world) == [("scan",), ("scan",)]


def test_a_retired_link_names_the_brand_and_an_unknown_one_nobody(world: World) -> None:
    with world.database.write() as tx:
        install_links.retire_link(tx, world.cafe.link.id, now=NOW, actor="test")
    guest = world.phone()
    for answer in (guest.get(world.cafe.path), guest.client.post(world.cafe.path)):
        assert answer.status_code == 410
        assert "Кофейня «Зерно»" in answer.text
        assert "This link has ended" in answer.text
    unknown = guest.get("/i/zzzzzzzz")
    assert unknown.status_code == 404
    assert "Nothing here" in unknown.text
    assert steps(world) == []


def test_a_code_typed_in_capitals_leads_to_the_same_link(world: World) -> None:
    answer = world.phone().get(f"/i/{world.cafe.link.code.upper()}")
    assert answer.location.startswith(f"{world.cafe.path}?v=")


def test_the_funnel_counts_by_placement(world: World) -> None:
    guest = world.phone()
    guest.client.get(f"/i/{world.cafe.table.code}")
    guest.join(world.cafe)
    today = funnel.period(NOW.date(), NOW.date())
    with world.database.read() as tx:
        (venue,) = funnel.funnel(tx, world.cafe.brand.id, by="venue", period=today, now=NOW).entries
        (table,) = funnel.funnel(tx, world.cafe.brand.id, by="placement", period=today, now=NOW).entries
    assert (venue.counts.scan, venue.counts.page, venue.counts.form) == (2, 1, 1)
    assert (table.id, table.counts.scan, table.counts.form) == (world.cafe.table.placement_id, 1, 0)


@pytest.mark.once
def test_a_form_larger_than_a_form_can_be_is_refused(world: World) -> None:
    guest = world.phone()
    answer = guest.send(guest.scan(world.cafe), name="x" * 20_000, data="yes")
    assert answer.status_code == 413
    assert "That was too much" in answer.text
    assert count(world) == 0


@pytest.mark.once
def test_pages_are_private_and_run_no_scripts_but_ours(world: World) -> None:
    guest = world.phone()
    page = guest.scan(world.cafe)
    for answer in (page, guest.send(page), guest.get("/i/zzzzzzzz")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (
            "'self'" in policy.split("script-src")[1] if "<script" in answer.text else "script" not in policy
        )
        assert all(name == "/i/-/" for name in re.findall(r'<script src="(/i/-/)?', answer.text))
        assert not re.search(r"<script(?! src=)|\son\w+=|javascript:", answer.text)
        assert "style=" not in answer.text
        assert "Set-Cookie" not in answer.headers
        assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.once
def test_a_brands_words_stay_words(world: World) -> None:
    page = world.phone().scan(world.bakery)
    assert "Bakery <One>" not in page.text
    assert page.text.count("Bakery &lt;One&gt;") >= 3


@pytest.mark.once
@pytest.mark.parametrize(
    ("user_agent", "words"),
    [(IPHONE, "goes into Apple Wallet"), (ANDROID, "opens in your browser"), (DESKTOP, "on your phone")],
)
def test_the_page_says_what_comes_next_on_this_device(world: World, user_agent: str, words: str) -> None:
    assert words in world.phone(user_agent).scan(world.cafe).text
