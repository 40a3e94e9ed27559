"""What the editor says while one types, whose card it shows, and what can be undone."""

from __future__ import annotations

import io
import re
from html import unescape

from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.db.identifiers import VenueId
from app.loyalty import rules
from app.loyalty.rules import Tier, TieredRules
from app.loyalty.tables import programme
from app.passes.content import LocalizedText
from app.passes.tables import draft_revision
from app.web.console.designs_guests import guests_of
from app.web.console.forms import Form
from tests.web.console import designs_stage
from tests.web.console.designs_form import AT, DRAFT, edit, inputs, now_is, png, visit_of
from tests.web.console.house import Desk, House
from tests.web.console.members_guests import guest


def preview(desk: Desk, **changed: str) -> TestResponse:
    typed = {name.replace("__", "."): value for name, value in changed.items()}
    return desk.client.post(f"{DRAFT}/preview", data=inputs(desk.get(DRAFT)) | typed)


def faults(page: TestResponse) -> dict[str, str]:
    found = re.findall(r'data-fault="([^"]+)">(.*?)</div>', page.text, re.S)
    return {name: re.sub(r"<[^>]+>", "", words).strip() for name, words in found}


def undo(desk: Desk) -> TestResponse:
    """Press what the notice offers."""
    page = desk.get(DRAFT)
    form = re.search(r'<div class="done".*?<form[^>]*action="([^"]+)"(.*?)</form>', page.text, re.S)
    assert form, page.text[:3000]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[2]))
    return desk.client.post(unescape(form[1]), data=fields)


def keys(house: House) -> list[str]:
    return [each["key"] for each in now_is(house).template.document["storeCard"]["backFields"]]


def test_what_is_refused_is_said_beside_its_field_and_the_rest_is_still_drawn(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()
    edit(desk, act="link.backFields")
    address = f"f.backFields.{len(keys(house)) - 1}.words.en"
    wrong = preview(desk, **{address.replace(".", "__"): "menu", "text__programme__en": "Typed beside"})
    assert wrong.status_code == 422
    assert list(faults(wrong).values()) == ["Write the whole address, like https://example.com."]
    assert list(faults(wrong)) == [address]  # the language that is wrong, not the other one
    assert '<div data-picture class="stale">' in wrong.text
    assert "Typed beside" in wrong.text
    assert '<svg class="proof"' in wrong.text
    sent = edit(desk, **{address.replace(".", "__"): "menu"})  # without scripts: the same
    assert sent.status_code == 422
    assert '<div data-picture class="stale">' in sent.text
    assert 'role="status"' in sent.text
    assert "last good state" in sent.text
    assert f'id="{address}-fault"' in sent.text
    mended = preview(desk, **{address.replace(".", "__"): "https://zerno.example"})
    assert mended.status_code == 200
    assert faults(mended) == {}
    assert 'class="stale"' not in mended.text
    words = preview(desk, f__secondaryFields__0__label__en="{balance}", text__programme__en="x" * 4001)
    assert faults(words) == {
        "text.programme.en": "This is too long.",
        "f.secondaryFields.0.label.en": ("Words hold no {…}: choose what the field shows from the list."),
    }
    colour = preview(desk, colour__labelColor="blue-ish")
    assert faults(colour) == {"colour.labelColor": "This is no colour."}
    assert 'id="colour.labelColor-fault"' in edit(desk, colour__labelColor="blue-ish").text


def test_a_real_guests_card_is_shown_and_kept_nowhere(house: House) -> None:
    designs_stage.begin(house)
    with house.database.write() as tx:
        anna = guest(tx, house.cafe, "Аглая Петрова", "+79031234567")
        guest(tx, house.cafe, "Аглая Смирнова")
        theirs = guest(tx, house.bakery, "Аглая Чужая")
    desk = house.desk("marketer")
    found = preview(desk, guest__who="аглая")
    assert re.findall(r'name="see.guest" value="(c\d+)"', found.text) == [f"c{anna.id}", f"c{anna.id + 1}"]
    assert "Чужая" not in found.text
    for asked in ("+7 903 123-45-67", anna.card_code, "петрова"):
        shown = preview(desk, guest__who=asked, act="show")
        assert f'value="c{anna.id}" checked' in shown.text, asked
        assert anna.card_code in shown.text.partition("<template")[0]
    chosen = preview(desk, see__guest=f"c{anna.id}")
    assert "Аглая" in chosen.text.partition("<template")[0]
    assert "Чужая" not in preview(desk, see__guest=f"c{theirs.id}").text
    assert "No guest with such a card" in preview(desk, guest__who="Никого").text
    saved = edit(desk, guest__who="+79031234567", see__guest=f"c{anna.id}", colour__backgroundColor="#102030")
    assert saved.status_code == 303
    assert "9031234567" not in saved.headers["Location"]
    assert f"see.guest=c{anna.id}" in saved.headers["Location"]
    with house.database.read() as tx:
        kept = tx.execute(select(draft_revision.c.source)).scalars().all()
    assert "Аглая" not in str(kept)
    assert f'value="c{anna.id}" checked' in desk.get(saved.headers["Location"]).text


def test_who_sees_one_venue_finds_its_guests_alone(house: House) -> None:
    designs_stage.begin(house)
    with house.database.write() as tx:
        here = guest(tx, house.cafe, "Аглая Здешняя")
        there = guest(tx, house.cafe, "Аглая Тамошняя", venue_id=house.second["cafe"].id)
    visit = visit_of(house, frozenset({VenueId(house.cafe.venue.id)}))
    with house.application.test_request_context("/"):
        found = guests_of(visit, house.cafe.programme, Form(values={"guest.who": "аглая"}))
        assert [each.value for each in found.found] == [f"c{here.id}"]
        chosen = Form(values={"see.guest": f"c{there.id}"})
        assert guests_of(visit, house.cafe.programme, chosen).chosen is None


def test_a_tiers_own_picture_is_told_and_gives_way(house: House) -> None:
    with house.database.write() as tx:
        tiered = TieredRules(
            tiers=tuple(
                Tier(key=key, name=LocalizedText(ru, en), spend_from=number * 1000, cashback=300)
                for number, (key, ru, en) in enumerate(
                    (("one", "Первый", "First"), ("two", "Второй", "Second"))
                )
            ),
            window_days=365,
        )
        tx.execute(
            update(programme).where(programme.c.id == house.cafe.programme.id)
            .values(kind="tiered", rules=rules.to_json(tiered))
        )  # fmt: skip
    designs_stage.begin(house, template="tiered_card")
    desk = house.desk()

    def beside() -> str:
        noted = re.findall(r'data-of="picture.strip">(.*?)</div>', preview(desk).text, re.S)
        return re.sub(r"<[^>]+>", "", noted[0]).strip() if noted else ""

    files = {"picture.strip": (io.BytesIO(png(colour="#123456")), "x.png")}
    desk.client.post(DRAFT, data=inputs(desk.get(DRAFT)) | {"act": "save"} | files)
    assert beside().startswith("No card shows it: every tier has a picture of its own")
    edit(desk, act="clear.tiers/1/strip")
    assert beside() == "Not seen on: “Second”. They have a picture of their own."
    before = now_is(house).template
    assert edit(desk, act="bare.strip").status_code == 303
    assert not [path for path in now_is(house).template.files if path.startswith("tiers/")]
    assert undo(desk).status_code == 303
    assert now_is(house).template == before
    edit(desk, act="bare.strip")
    assert beside() == ""


def test_everything_that_is_taken_away_is_undone_from_its_notice(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()
    for act in ("remove.backFields.2", "clear.strip", "clear.logo"):
        before = now_is(house).template
        edit(desk, act=act)
        after = now_is(house).template
        assert after != before, act
        assert undo(desk).status_code == 303
        assert now_is(house).template == before, act
        undo(desk)  # and that again
        assert now_is(house).template == after, act
        undo(desk)
    edit(desk, act="remove.backFields.1")
    assert "The field “Latest messages” is removed." in desk.get(DRAFT).text
    exported = desk.get(f"{AT}/draft.zip").data
    edit(desk, colour__backgroundColor="#102030")
    changed = now_is(house).template
    brought = desk.send(DRAFT, f"{AT}/import", files={"zip": (io.BytesIO(exported), "design.zip")})
    assert brought.status_code == 303
    assert now_is(house).template.document["backgroundColor"] != "rgb(16, 32, 48)"
    undo(desk)
    assert now_is(house).template == changed
    laid_aside = now_is(house).id
    desk.send(DRAFT, f"{AT}/discard")
    page = desk.get(AT)
    assert "The draft is laid aside" in page.text
    desk.send(AT, f"{AT}/reopen", draft=str(laid_aside))
    assert now_is(house).id == laid_aside


def test_a_field_is_dragged_to_any_place_of_its_group(house: House) -> None:
    designs_stage.begin(house)
    desk, before = house.desk(), keys(house)
    moved = edit(desk, act="to.backFields.1.4")
    assert moved.headers["Location"].endswith("#f.backFields.4")
    assert keys(house) == [before[0], *before[2:5], before[1], *before[5:]]
    for nonsense in ("to.backFields.1", "to.backFields.1.99", "to.backFields.99.1", "to.backFields.1.1"):
        edit(desk, act=nonsense)
    assert keys(house) == [before[0], *before[2:5], before[1], *before[5:]]


def test_a_version_that_another_overtook_can_be_taken_back(house: House) -> None:
    designs_stage.issue_cards(house, house.cafe, 200)
    desk = house.desk()

    def out(colour: str) -> None:
        designs_stage.begin(house)
        edit(desk, colour__backgroundColor=colour)
        desk.send(f"{DRAFT}/publish")
        desk.send(AT, f"{AT}/rollout/start")
        designs_stage.all_steps(house)

    out("#102030")
    out("#203010")
    desk.send(AT, f"{AT}/rollout/back")
    designs_stage.all_steps(house)
    page = desk.get(AT)
    assert "left half-way" in page.text
    assert "Begin with 1 %" in page.text
    assert "Take it back" in page.text
    assert desk.send(AT, f"{AT}/rollout/back").status_code == 303
    designs_stage.all_steps(house)
    assert ">200 cards<" in desk.get(AT).text.replace(" · ", ">").replace("</small>", "<")
