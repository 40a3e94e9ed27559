"""A marketer's campaigns over HTTP: written without losing a word, reviewed in numbers that come true, tried
on a card without counting, sent, paused, told of on a guest's page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import audit
from app.campaigns import limits, store_campaigns, work
from app.campaigns.limits import Limits
from app.campaigns.store_campaigns import Campaign
from app.campaigns.store_recipients import Due
from app.campaigns.tables import recipient
from app.db import Database, Tx
from app.db.identifiers import CampaignId
from app.delivery.quiet_hours import QuietHours
from app.loyalty.enrolment import Enrolment
from app.passes import issuing
from app.reports import campaign_progress
from app.reports.campaign_outlook import outlook
from app.sms.book import PriceRule
from tests.web.console.house import Desk, House, open_house
from tests.web.console.members_guests import guest, with_phone
from tests.web.texting import a_book, sent

HOME = "/console/cafe/campaigns"
NEW = f"{HOME}/new"
FORM = {
    "do": "save", "name": "Half price", "kind": "advertising", "preset": "everybody", "timing": "at_once",
    "texts_to": "nobody", "deadline_minutes": "30", "patience_hours": "24", "holdout": "0", "days": "14",
    "google_accepted_suffices": "yes", "arms": "1", "arm.0.name": "A", "arm.0.weight": "1",
    "arm.0.ru": "{name|Гость}, кофе за полцены", "arm.0.en": "{name|Guest}, coffee at half price",
}  # fmt: skip


def no_texts(_tx: Tx, campaign: Campaign, due: Sequence[Due], _now: datetime) -> None:
    """Nobody is texted here."""
    raise AssertionError(f"{len(due)} texts of {campaign.name}")


def send_out(house: House) -> None:
    """What a worker does until nothing is left."""
    while True:
        with house.database.write() as tx:
            if not work.is_due(tx, house.clock()):
                return
            work.step(tx, no_texts, now=house.clock())


def phones(house: House, names: Sequence[str], *, agrees: bool = True) -> list[Enrolment]:
    """Guests with the card on an iPhone each."""
    with house.database.write() as tx:
        found = [guest(tx, house.cafe, name, agrees=agrees) for name in names]
        for card in found:
            with_phone(tx, card, f"phone of {card.id}")
    return found


def written(desk: Desk, **changed: str) -> int:
    """The number of a draft that was sent through the form."""
    answer = desk.send(NEW, NEW, **(FORM | changed))
    assert answer.status_code == 303, re.findall(r'class="fault"[^>]*>.*?</strong>', answer.text)
    found = re.search(r"/campaigns/(\d+)/review$", answer.location)
    assert found
    return int(found[1])


def stands(house: House, campaign_id: int) -> Campaign:
    """The campaign as it is kept."""
    with house.database.read() as tx:
        found = store_campaigns.by_id(tx, CampaignId(campaign_id))
    assert found
    return found


def said(page: str) -> dict[str, str]:
    """Names and numbers of a page's lists."""
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", page, re.S)
    return {re.sub(r"<.*?>", "", name).strip(): unescape(value).strip() for name, value in pairs}


def test_a_draft_is_what_was_written_and_opens_as_it_was(house: House) -> None:
    desk = house.desk("marketer")
    assert "Write the first campaign" in desk.get(HOME).text
    own = written(
        desk, **{
            "preset": "own", "activity": "asleep", "asleep_days": "45", "holdout": "12,5", "arms": "2",
            "arm.1.name": "B", "arm.1.weight": "3", "arm.1.ru": "{balance} ждут", "arm.1.en": "",
            "canary": "yes", "canary_minutes": "15",
        },
    )  # fmt: skip
    plan = stands(house, own).plan
    assert (plan.audience.activity, plan.audience.asleep_days) == (("asleep",), 45)
    assert (plan.holdout, plan.canary_minutes, plan.split.weights) == (1_250, 15, (1, 3))
    assert (plan.arms[1].line.ru, plan.arms[1].line.en) == ("{balance} ждут", "{balance} ждут")
    page = desk.get(f"{HOME}/{own}/edit").text
    for kept in (
        'value="12.5"',
        'value="own" data-count checked',
        'value="asleep" checked',
        "{balance} ждут",
    ):
        assert kept in page
    again = desk.send(
        f"{HOME}/{own}/edit", f"{HOME}/{own}/edit", **(FORM | {"name": "Third", "revision": "1"})
    )
    assert again.status_code == 303
    assert (stands(house, own).name, stands(house, own).revision) == ("Third", 2)
    late = desk.send(f"{HOME}/{own}/edit", f"{HOME}/{own}/edit", **(FORM | {"name": "Mine", "revision": "1"}))
    assert late.status_code == 422
    assert "Somebody else changed this campaign meanwhile" in late.text
    assert 'value="Mine"' in late.text
    assert "Third" in desk.get(HOME).text


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"name": ""}, "name", "Please fill this in"),
        ({"arm.0.ru": "{balanse} ждут"}, "arm.0.ru", "There is no such field"),
        ({"arm.0.en": "{name}, come"}, "arm.0.en", "Some guests have none"),
        ({"arm.0.ru": "", "arm.0.en": ""}, "arm.0.", "Please fill this in"),
        ({"holdout": "60"}, "holdout", "From 0 to 50"),
        ({"holdout": "0.5"}, "holdout", "per cent"),
        ({"texts_to": "unreached"}, "texts_to", "No text messages leave"),
        ({"preset": "own", "asleep_days": "0"}, "asleep_days", "This makes no sense here"),
        ({"patience_hours": "1", "deadline_minutes": "90"}, "patience_hours", "as long as the phone"),
        ({"canary": "yes", "canary_minutes": "1"}, "canary_minutes", "From 5|from 5"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    house: House, changed: dict[str, str], field: str, words: str
) -> None:
    page = house.desk("owner").send(NEW, NEW, **(FORM | changed))
    assert page.status_code == 422
    fault = re.search(rf'class="fault"( id="{re.escape(field)}[^"]*")?>.*?</strong>', page.text, re.S)
    assert fault, page.text
    assert re.search(words, page.text)
    kept = (FORM | changed)["arm.0.en"]
    assert kept in unescape(page.text)
    assert stands_none(house)


def stands_none(house: House) -> bool:
    """Whether the cafe has no campaign."""
    with house.database.read() as tx:
        return not store_campaigns.of_brand(tx, house.cafe.brand.id, limit=1)


def test_the_preview_follows_without_saving_and_texts_are_added_and_dropped(house: House) -> None:
    phones(house, ["Анна"])
    desk = house.desk("marketer")
    look = desk.send(NEW, NEW, **(FORM | {"do": "look", "see.reader": "en"}))
    assert look.status_code == 200
    assert "Анна, coffee at half price" in look.text
    assert said(look.text)["Guests"] == "1"
    long = desk.send(NEW, NEW, **(FORM | {"do": "words", "arm.0.en": "word " * 30}))
    assert "The lock screen ends it here" in long.text
    assert "figures" not in long.text, "counting takes the longest: not while somebody types"
    more = desk.send(NEW, NEW, **(FORM | {"do": "add"}))
    assert 'name="arm.1.ru"' in more.text
    fewer = desk.send(
        NEW, NEW, **(FORM | {"do": "drop.0", "arms": "2", "arm.1.name": "B", "arm.1.ru": "Чай"})
    )
    assert "Чай" in fewer.text
    assert 'name="arm.1.ru"' not in fewer.text
    assert stands_none(house)


def test_the_review_says_what_then_happens(house: House) -> None:
    with house.database.write() as tx:
        never = QuietHours(time(0), time(0))
        limits.save(tx, house.cafe.brand.id, Limits(1, 7, never), now=house.clock(), actor="test")
        guest(tx, house.cafe, "No phone", agrees=True)
    heard = phones(house, ["Heard 1", "Heard 2"])
    desk = house.desk("marketer")
    first = written(desk, name="First")
    assert desk.send(f"{HOME}/{first}/review", f"{HOME}/{first}/send").status_code == 303
    send_out(house)
    phones(house, ["No word"], agrees=False)
    fresh = phones(house, [f"Fresh {n}" for n in range(4)])
    house.clock.forward(timedelta(hours=1))
    own = written(desk)
    coming = said(desk.get(f"{HOME}/{own}/review").text)
    assert {name: value for name, value in coming.items() if name[0] in "INHT" and value[-1].isdigit()} == {
        "In the audience": "8", "No consent to advertising": "−1",
        "No card in a wallet, and no text allowed": "−1",
        "Heard from you often enough lately": "−2", "Told": "4",
    }  # fmt: skip
    assert "Send now to 4 guests" in desk.get(f"{HOME}/{own}/review").text
    desk.send(f"{HOME}/{own}/review", f"{HOME}/{own}/send")
    send_out(house)
    with house.database.read() as tx:
        groups = {
            (one.state, one.because): one.guests for one in campaign_progress.progress(tx, CampaignId(own))
        }
    assert groups == {
        ("said", None): 4, ("held_back", "no_consent"): 1, ("held_back", "no_way"): 1,
        ("held_back", "cap"): 2,
    }  # fmt: skip
    page = desk.get(f"{HOME}/{own}")
    assert said(page.text)["In all"] == "8"
    assert "heard from you often enough lately: 2" in page.text
    assert "4 told, 0 reached" in desk.get(HOME).text
    told = desk.get(f"/console/cafe/members/{heard[0].member_id}").text
    assert "Held back: heard from you often enough lately" in told
    assert (
        "Card changed, phone not heard of yet" in desk.get(f"/console/cafe/members/{fresh[0].member_id}").text
    )
    assert "Held back" not in house.desk("manager").get(f"/console/cafe/members/{heard[0].member_id}").text


def test_a_test_changes_one_card_and_counts_for_nothing(house: House) -> None:
    anna, _other = phones(house, ["Анна", "Борис"])
    desk = house.desk("marketer")
    own = written(desk)
    review = f"{HOME}/{own}/review"
    with house.database.read() as tx:
        before = issuing.wallet_pass(tx, anna.pass_id).version
    nobody = desk.send(review, f"{HOME}/{own}/test", who="0000")
    assert nobody.status_code == 422
    assert "No card is found" in nobody.text
    assert desk.send(review, f"{HOME}/{own}/test", who=anna.card_code).status_code == 303
    with house.database.read() as tx:
        now = issuing.wallet_pass(tx, anna.pass_id)
        assert tx.execute(select(recipient)).first() is None
        actions = [one.action for one in audit.entries(tx, brand_id=house.cafe.brand.id, limit=5)]
    assert now.version == before + 1
    assert now.content.messages[0].text.ru == "Анна, кофе за полцены"
    assert now.content.messages[0].announcement.startswith(f"campaign:test:{own}:")
    assert "campaign.tested" in actions
    assert stands(house, own).state == "draft"
    theirs = house.desk("marketer", "bakery")
    assert (
        theirs.send(
            "/console/account", f"/console/bakery/campaigns/{own}/test", who=anna.card_code
        ).status_code
        == 404
    )


def test_texts_are_counted_by_the_gateway_priced_and_tried(database: Database, tmp_path: Path) -> None:
    """450 kopecks a part: 15 letters of Russian are one part, 71 are two, as the gateway counts them."""
    house = open_house(database, sms_book=a_book(tmp_path))
    with house.database.write() as tx:
        reached, bare = (
            guest(tx, house.cafe, name, f"+790312345{n}0", agrees=True)
            for n, name in enumerate(("Анна", "Без карты"))
        )
        guest(tx, house.cafe, "Numberless", agrees=True)
        with_phone(tx, reached)
    desk = house.desk("marketer")
    texting = {"texts_to": "unreached_and_cardless", "arm.0.sms_ru": "П" * 71, "arm.0.sms_en": "Come"}
    look = desk.send(NEW, NEW, **(FORM | texting | {"do": "look"})).text
    assert "2 parts" in look
    assert "RUB\N{NO-BREAK SPACE}9" in look
    assert desk.send(NEW, NEW, **(FORM | texting)).status_code == 422, "neither money nor a number"
    braced = desk.send(NEW, NEW, **(FORM | texting | {"arm.0.sms_ru": "{x}", "most_texts": "9"}))
    assert 'id="arm.0.sms_ru-fault"' in braced.text
    own = written(desk, **texting, budget="13,5", most_texts="10")
    assert (stands(house, own).plan.budget, stands(house, own).plan.most_texts) == (1_350, 10)
    page = desk.get(f"{HOME}/{own}/review").text
    coming = said(page)
    assert (coming["In the audience"], coming["Told"]) == ("3", "2")
    assert (coming["Apple Wallet"], coming["Texts, at most"]) == ("1", "2")
    with house.database.read() as tx:
        found = outlook(
            tx, house.cafe.brand.id, stands(house, own).plan, kind="advertising", own=None, at=house.clock(),
            now=house.clock(), prices=(PriceRule("+7", 450, "RUB"), PriceRule("+7903", 500, "RUB")),
            parts={"ru": 2, "en": 1},
        )  # fmt: skip
    assert found.texts is not None
    assert (found.texts.certain, found.texts.most, found.texts.bounded) == (1, 2, True)
    assert (found.texts.price_least, found.texts.price_most) == (1_000, 1_350), (
        "the longest prefix, the budget"
    )
    assert "The bound you set may end the texts" in page
    sent_before = len(sent(house.world))
    tried = desk.send(f"{HOME}/{own}/review", f"{HOME}/{own}/test", who=reached.card_code, text_too="yes")
    assert tried.status_code == 303
    assert sent(house.world)[sent_before:] == [("+79031234500", "Come")], "in the words of who asks"
    assert bare.member_id


def test_scheduled_by_the_brands_clock_paused_resumed_cancelled(house: House) -> None:
    phones(house, ["Анна"])
    desk = house.desk("owner")
    own = written(desk)
    review = f"{HOME}/{own}/review"
    past = desk.send(review, f"{HOME}/{own}/schedule", starts_at="2020-01-01T10:00")
    assert past.status_code == 422
    assert "between now and a year from now" in past.text
    assert desk.send(review, f"{HOME}/{own}/schedule", starts_at="2026-07-03T18:30").status_code == 303
    assert stands(house, own).starts_at == datetime(2026, 7, 3, 15, 30, tzinfo=UTC)
    assert "3 Jul 2026, 18:30" in desk.get(review).text
    assert desk.get(f"{HOME}/{own}/edit").status_code == 409
    for deed, state in (
        ("unschedule", "draft"),
        ("send", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
    ):
        assert desk.send("/console/account", f"{HOME}/{own}/{deed}").status_code == 303, deed
        assert stands(house, own).state == state
    assert desk.send("/console/account", f"{HOME}/{own}/pause").status_code == 409
    draft = written(desk, name="Gone")
    assert desk.send("/console/account", f"{HOME}/{draft}/delete").status_code == 303
    assert "Gone" not in desk.get(HOME).text
    assert desk.get(f"/console/bakery/campaigns/{own}").status_code in (403, 404)


def test_limits_are_the_brands_and_checked(house: House) -> None:
    desk = house.desk("marketer")
    address = "/console/cafe/settings/limits"
    assert address in desk.get("/console/cafe/settings").text
    good = {"most": "3", "days": "14", "quiet_since": "22:00", "quiet_until": "09:30"}
    for wrong in ({"most": "0"}, {"days": "91"}, {"quiet_since": "25:00"}, {"quiet_until": ""}):
        assert desk.send(address, **(good | wrong)).status_code == 422, wrong
    assert desk.send(address, **good).status_code == 303
    with house.database.read() as tx:
        assert limits.of_brand(tx, house.cafe.brand.id) == Limits(3, 14, QuietHours(time(22), time(9, 30)))
    assert house.desk("manager").get(address).status_code == 403
