"""The card's page and its download: one card, on as many phones as the guest has, for as long as it lives."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from app.accounts import audit
from app.db import Database
from app.db.identifiers import EnrolmentId
from app.errors import Misconfigured, NotFound
from app.loyalty import members
from app.loyalty.enrolment import Enrolment, enrolment
from app.loyalty.tables import enrolment as enrolment_table
from app.passes import issuing
from app.passes.content import LocalizedText, Message
from app.passes.issuing import Revision
from app.web.links import Links
from tests.passes.shop import saying
from tests.web.guests import ANDROID, DESKTOP, NOW, SECRET, World, open_world


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def the_enrolment(world: World) -> Enrolment:
    with world.database.read() as tx:
        return enrolment(tx, EnrolmentId(tx.execute(select(enrolment_table.c.id)).scalar_one()))


def download_address(page: str) -> str:
    found = re.search(r'href="(/i/[^"]+\.pkpass[^"]*)"', page)
    assert found, page
    return unescape(found[1])


def test_an_iphone_gets_the_button_and_the_signed_pass(world: World) -> None:
    guest = world.phone()
    page = guest.join(world.cafe)
    answer = guest.get(download_address(page.text))
    assert answer.status_code == 200
    assert answer.mimetype == "application/vnd.apple.pkpass"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data == b"PK a pass"
    assert world.built == [the_enrolment(world).pass_id]
    head = guest.client.head(download_address(page.text))
    assert (head.status_code, head.data, head.mimetype) == (200, b"", "application/vnd.apple.pkpass")
    assert head.headers["Content-Length"] == str(len(b"PK a pass"))


def test_an_android_phone_gets_the_card_itself(world: World) -> None:
    page = world.phone(ANDROID).join(world.cafe)
    assert 'class="qr"' in page.text
    assert the_enrolment(world).card_code in page.text
    assert "Show this page at the till" in page.text


def test_a_desktop_hands_over_to_the_phone_and_the_phone_goes_on_with_the_same_card(world: World) -> None:
    page = world.phone(DESKTOP).join(world.cafe)
    shut = re.search(r"<details>.*?</details>", page.text, re.DOTALL)
    assert shut
    assert the_enrolment(world).card_code in shut[0]  # for the till, on who asks for it
    assert page.text.count('class="qr"') == 1 + shut[0].count('class="qr"') == 2
    assert ".pkpass" not in page.text
    phone = world.phone().get(page.request.path)
    assert phone.status_code == 200
    assert "Add to Apple Wallet" in phone.text
    assert the_enrolment(world).card_code in phone.text


def test_the_page_says_what_the_card_says_now(world: World) -> None:
    guest = world.phone(ANDROID, "ru")
    page = guest.join(world.cafe)
    pass_id = the_enrolment(world).pass_id
    with world.database.write() as tx:
        content = issuing.wallet_pass(tx, pass_id).content
        told = Message(LocalizedText("+12,5 балла <b>", "+12.5 points"), NOW, "receipt:1")
        changed = replace(
            content,
            balance=123456_50,
            tier=LocalizedText("Друг", "Friend"),
            messages=(told, *content.messages),
        )
        issuing.revise(tx, [Revision(pass_id, saying(changed))], kind="receipt", now=NOW)
    now = guest.get(page.request.path)
    assert "123\N{NO-BREAK SPACE}456,5" in now.text
    assert "Друг" in now.text
    assert "+12,5 балла &lt;b&gt;" in now.text
    assert "1 июля, 12:30" in now.text  # the brand's own time, Moscow
    english = guest.get(page.request.path + "?lang=en")
    assert "123,456.5" in english.text
    assert "Friend" in english.text
    assert "+12.5 points" in english.text


def test_an_expired_download_says_so_and_gives_nothing_away(world: World) -> None:
    guest = world.phone()
    page = guest.join(world.cafe)
    world.clock.forward(timedelta(hours=24, seconds=1))
    late = guest.get(download_address(page.text))
    assert late.status_code == 410
    assert "This download has expired" in late.text
    assert "/card/" not in late.text
    # The card's own page lives on, and with it a new button.
    assert guest.get(download_address(guest.get(page.request.path).text)).status_code == 200


@pytest.mark.parametrize("what", ["card", "pass"])
def test_a_made_up_address_leads_nowhere(world: World, what: str) -> None:
    guest = world.phone()
    page = guest.join(world.cafe)
    address = page.request.path if what == "card" else download_address(page.text).split("?")[0]
    assert guest.get(address.replace("~", "~A")).status_code == (404 if what == "card" else 410)
    elsewhere = address.replace(world.cafe.link.code, world.bakery.link.code)
    assert guest.get(elsewhere).status_code == 404
    assert world.built == []


def test_any_link_of_the_programme_leads_to_the_card(world: World) -> None:
    guest = world.phone()
    page = guest.join(world.cafe)
    other = page.request.path.replace(world.cafe.link.code, world.cafe.table.code)
    assert guest.get(other).status_code == 200


def test_a_removed_members_card_is_gone_everywhere(world: World) -> None:
    guest = world.phone()
    page = guest.join(world.cafe, name="Анна")
    with world.database.write() as tx:
        members.remove(tx, the_enrolment(world).member_id, now=NOW, actor="test")
    for address in (page.request.path, download_address(page.text)):
        answer = guest.get(address)
        assert answer.status_code == 410
        assert "Кофейня «Зерно»" in answer.text
        assert "Анна" not in answer.text


def test_a_revoked_link_leads_nowhere_and_the_card_gets_a_new_one(world: World) -> None:
    guest = world.phone()
    page = guest.join(world.cafe)
    known = the_enrolment(world)
    with world.database.write() as tx:
        after = members.revoke_card_link(tx, known.id, now=NOW, actor="test")
        newest = audit.entries(tx, limit=1)[0]
    assert guest.get(page.request.path).status_code == 410
    assert guest.get(download_address(page.text)).status_code == 410
    assert the_enrolment(world) == after == replace(known, card_link_version=2)
    assert (newest.action, newest.subject) == ("card.link-revoked", f"member {known.member_id}")
    fresh = Links(SECRET, "https://cards.example").card_token(known.id, after.card_link_version)
    reopened = guest.get(f"{world.cafe.path}/card/{fresh}")
    assert reopened.status_code == 200
    assert guest.get(download_address(reopened.text)).status_code == 200


def test_the_card_of_a_removed_member_has_no_link_to_revoke(world: World) -> None:
    world.phone().join(world.cafe)
    known = the_enrolment(world)
    with world.database.write() as tx:
        members.remove(tx, known.member_id, now=NOW, actor="test")
        with pytest.raises(NotFound):
            members.revoke_card_link(tx, known.id, now=NOW, actor="test")


def test_a_certificate_that_does_not_work_is_told_plainly(database: Database) -> None:
    def refuse(*_: object) -> bytes:
        raise Misconfigured("certificate.pem expired on 1 June; renew it")

    world = open_world(database, build=refuse)
    guest = world.phone()
    answer = guest.get(download_address(guest.join(world.cafe).text))
    assert answer.status_code == 503
    assert "not your fault" in answer.text
    assert "certificate.pem" not in answer.text
    assert int(answer.headers["Retry-After"]) > 0
