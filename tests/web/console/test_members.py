"""The guests' pages: found, shown, explained, in as few questions for a long past as for a short one."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import event

from app.loyalty import card_acts, merging
from app.loyalty.enrolment import Enrolment
from app.simulators.authority import Authority
from tests.web.console.house import House
from tests.web.console.members_desk import ALL, act, page_of
from tests.web.console.members_guests import guest, ring_up, with_phone
from tests.web.guests import NOW


@pytest.mark.parametrize("query", ["петр", "4567", "8 903 123-45-67", "code"])
def test_a_guest_is_found_and_shown(house: House, anna: Enrolment, query: str) -> None:
    desk = house.desk("marketer")
    found = desk.client.get(ALL, query_string={"q": anna.card_code if query == "code" else query})
    assert "Анна Петрова" in found.text
    assert f'href="{page_of(anna)}"' in found.text
    shown = unescape(desk.get(page_of(anna)).text)
    assert "+7 903 123-45-67" in shown
    assert "345 points" in shown
    assert "No phone has this card" in shown
    assert "Receipt R-1: RUB\u00a0900, Main" in shown
    assert "Proved the number by a code" in shown


def test_who_may_not_see_numbers_sees_their_end_and_only_guests_of_their_venues(
    house: House, anna: Enrolment
) -> None:
    with house.database.write() as tx:
        other = guest(tx, house.cafe, "Анна Чужая", "+79035550000", venue_id=house.second["cafe"].id)
    manager = house.desk("manager")
    found = unescape(manager.get(f"{ALL}?q=анна").text)
    assert "+• ••• •••-45-67" in found
    assert "123-45" not in found
    assert "Чужая" not in found
    assert manager.get(page_of(other)).status_code == 404
    assert manager.get(f"{act(other, '').rstrip('/')}.svg").status_code == 404
    assert house.desk("owner", "bakery").get(f"/console/bakery/members/{anna.member_id}").status_code == 404
    with house.database.write() as tx:
        ring_up(tx, house.cafe, other, "R-2")
    assert manager.get(page_of(other)).status_code == 200
    assert house.desk("cashier").get(ALL).status_code == 403


def test_a_phone_that_holds_the_newest_card_is_said_so(house: House, anna: Enrolment) -> None:
    with house.database.write() as tx:
        with_phone(tx, anna)
    shown = unescape(house.desk().get(page_of(anna)).text)
    assert "The phone holds the newest card" in shown
    picture = house.desk().get(f"{page_of(anna)}/cards/{anna.id}.svg")
    assert picture.mimetype == "image/svg+xml"
    assert "Анна Петрова" in picture.text


def test_a_certificate_that_is_missing_or_over_is_the_cause(
    house: House, anna: Enrolment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.database.write() as tx:
        with_phone(tx, anna)
        ring_up(tx, house.cafe, anna, "R-2")
    brand = house.cafe.brand
    assert "certificate cannot be used" in verdict(house, anna)
    folder = Authority.create(tmp_path / "authority", now=NOW - timedelta(days=1)).pass_credentials(
        tmp_path / "own",
        pass_type_identifier=brand.pass_type_identifier,
        team_identifier=brand.team_identifier,
        organization="Cafe",
    )
    prefix = brand.credentials.removeprefix("env:")
    for name, file in (("CERTIFICATE", "certificate.pem"), ("KEY", "key.pem"), ("WWDR", "wwdr.pem")):
        monkeypatch.setenv(f"{prefix}_{name}", (folder / file).read_text())
    assert "certificate" not in verdict(house, anna)
    house.clock.forward(timedelta(days=500))
    assert "certificate has expired" in verdict(house, anna)


def verdict(house: House, card: Enrolment) -> str:
    """What stands above the card."""
    shown = unescape(house.new_desk(house.team["cafe", "owner"]).get(page_of(card)).text)
    return shown.partition('<section class="member-card"')[2].partition("member-sides")[0]


def test_a_guest_who_was_found_twice_is_shown_as_the_one_who_lives_on(house: House, anna: Enrolment) -> None:
    with house.database.write() as tx:
        other = guest(tx, house.cafe, "Анна")
        merging.merge(tx, living=anna.id, ending=other.id, now=house.clock())
    shown = house.desk().get(page_of(other))
    assert shown.status_code == 303
    assert shown.headers["Location"].endswith(page_of(anna))
    assert "The card was united" in unescape(house.desk().get(page_of(anna)).text)


def test_a_page_asks_as_many_questions_for_a_long_past_as_for_a_short_one(house: House) -> None:
    def questions(card: Enrolment) -> int:
        asked: list[str] = []

        def hear(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            asked.append(statement)

        event.listen(house.database.engine, "before_cursor_execute", hear)
        try:
            assert house.desk().get(page_of(card)).status_code == 200
        finally:
            event.remove(house.database.engine, "before_cursor_execute", hear)
        return len(asked)

    with house.database.write() as tx:
        newcomer, regular = guest(tx, house.cafe, "Яна"), guest(tx, house.cafe, "Анна", "+79031234567")
        with_phone(tx, newcomer, "only")
        for number in range(30):
            ring_up(tx, house.cafe, regular, f"R-{number}")
        for number in range(5):
            reason = {"reason": "Ошибка", "form_key": f"form-{number:04}", "now": NOW, "actor": "x"}
            card_acts.correct(tx, regular.id, points=100, **reason)  # type: ignore[arg-type]
            with_phone(tx, regular, f"phone-{number}")
    questions(newcomer)  # the first that somebody asks looks at their session
    assert questions(regular) <= questions(newcomer) + 2  # whose pushes, and which codes went to the number
    page = house.desk().get(page_of(regular)).text
    assert (
        page.count('<li class="row"><time') == 12
    )  # of a phone's screen and a half, and the way to the rest
    assert re.search("Show [0-9]+ more", page)
    for folded in ("Download everything", "Downloaded"):  # seldom needed
        at = page.index(folded)
        assert page.rfind("<details", 0, at) > page.rfind("</details>", 0, at)


def test_hostile_names_and_queries_are_words_like_others(house: House) -> None:
    with house.database.write() as tx:
        card = guest(tx, house.cafe, '<script>alert("x")</script>')
    desk = house.desk()
    for address in (ALL, f"{ALL}?q=<script>", page_of(card)):
        assert "<script>alert" not in desk.get(address).text
    assert desk.get(f"{ALL}?q=%ff'--").status_code == 200
    assert desk.get(f"{ALL}?q=%00").status_code == 404  # no page asks so
    assert desk.get(f"{ALL}/99999999").status_code == 404
    assert desk.get(f"{page_of(card)}?topic=nothing").status_code == 200


def test_what_shares_a_minute_is_told_to_the_second_and_in_the_order_of_its_causes(house: House) -> None:
    with house.database.write() as tx:
        card = guest(tx, house.cafe, "Анна")
        with_phone(tx, card)
    house.clock.forward(timedelta(hours=1))
    page = house.desk("owner").get(f"/console/cafe/members/{card.member_id}").text
    held, downloaded = (page.index(said) for said in ("confirmed that it holds", "A phone downloaded"))
    assert held < downloaded, "the newest comes first"
    shown = re.findall(r'<time class="soft small" datetime="[^"]+">([^<]+)</time>', page)
    seconds = [time for time in shown if re.search(r"\d:\d\d:\d\d$", time)]
    assert len(seconds) == len(shown) > 3, shown
    with house.database.write() as tx:
        card_acts.block(tx, card.id, reason="x", form_key="form-0001", now=house.clock(), actor="user:1")
    page = house.desk("owner").get(f"/console/cafe/members/{card.member_id}").text
    first = re.findall(r'<time class="soft small" datetime="[^"]+">([^<]+)</time>', page)
    assert first[-1] == shown[-1]
