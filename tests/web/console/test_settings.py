"""Settings: a brand's words, and programmes as their rules are typed."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.accounts import brands
from app.accounts.tables import brand
from app.loyalty import programmes
from app.loyalty.programmes import Programme
from app.loyalty.rules import BonusRules, PointRules, StampRules, TieredRules
from app.web.console.sums import money, typed
from app.web.console.time_zones import TIME_ZONES
from tests.web.console.house import House

SETTINGS = "/console/cafe/settings"
NEW = f"{SETTINGS}/programme"


def _programme(house: House, slug: str) -> Programme:
    with house.database.read() as tx:
        return programmes.programme_by_slug(tx, house.cafe.brand.id, slug)


def test_the_brands_words_change_and_its_identifiers_stay(house: House) -> None:
    desk, before = house.desk("owner"), house.cafe.brand
    words = {
        f"{key}_{language}": before.texts[language][key]
        for language in ("ru", "en")
        for key in before.texts[language]
    }
    given = {
        "name": "Зерно и Ко", "time_zone": "Europe/Moscow", "currency": "RUB", "language": "en",
        "asks_phone": "optional", **words,
    }  # fmt: skip
    wrong = desk.send(f"{SETTINGS}/brand", **given | {"privacy_url_en": "javascript:alert(1)"})
    assert wrong.status_code == 422
    assert 'id="privacy_url_en-fault"' in wrong.text
    saved = desk.send(f"{SETTINGS}/brand", **given | {"pass_type_identifier": "pass.evil", "slug": "x"})
    assert saved.status_code == 303
    with house.database.read() as tx:
        after = brands.brand(tx, before.id)
    assert (after.name, after.language, after.asks_phone) == ("Зерно и Ко", "en", "optional")
    assert (after.slug, after.pass_type_identifier) == (before.slug, before.pass_type_identifier)
    assert house.desk("marketer").get(f"{SETTINGS}/brand").status_code == 403


def test_a_bonus_programme_is_made_of_per_cents_and_points(house: House) -> None:
    made = house.desk("marketer").send(
        f"{NEW}?kind=bonus", NEW, kind="bonus", name="Bonus", cashback="7,5", welcome="150",
        lifetime_days="", maximum_share="50",
    )  # fmt: skip
    assert made.status_code == 303
    assert _programme(house, "bonus").rules == BonusRules(
        cashback=750, points=PointRules(welcome=150_00, lifetime_days=None, maximum_share=5_000)
    )
    # The back button, and the form once more: there is one programme still.
    again = house.desk("marketer").send(
        f"{NEW}?kind=bonus", NEW, kind="bonus", name=" bonus", cashback="7,5", welcome="150",
        lifetime_days="", maximum_share="50",
    )  # fmt: skip
    assert again.status_code == 422
    assert 'id="name-fault"' in again.text
    with house.database.read() as tx:
        names = [p.name for p in programmes.programmes_of_brand(tx, house.cafe.brand.id)]
    assert names.count("Bonus") == 1


def test_tiers_are_told_apart_from_the_lowest_up(house: House) -> None:
    desk = house.desk("owner")
    tiers = {
        "tier_name_ru_1": "Гость", "tier_name_en_1": "Guest", "tier_from_1": "0", "tier_cashback_1": "3",
        "tier_name_ru_2": "Друг", "tier_name_en_2": "Friend", "tier_from_2": "15 000,50",
        "tier_cashback_2": "5", "tier_name_ru_3": "", "tier_from_3": "",
    }  # fmt: skip
    common = {"kind": "tiered", "name": "Levels", "window_days": "365", "welcome": "", "maximum_share": ""}
    for change, field in (
        ({"tier_from_2": "0"}, "tier_from_2"),
        ({"tier_from_1": "5"}, "tier_from_1"),
        ({"tier_name_en_2": ""}, "tier_name_en_2"),
        ({"tier_cashback_2": "101"}, "tier_cashback_2"),
        ({"window_days": "0"}, "window_days"),
        ({"welcome": "1e9999"}, "welcome"),
        ({"welcome": "NaN"}, "welcome"),
        ({"welcome": "0.001"}, "welcome"),
    ):
        wrong = desk.send(f"{NEW}?kind=tiered", NEW, **(common | tiers | change))
        assert wrong.status_code == 422, change
        assert f'id="{field}-fault"' in wrong.text, change
    assert desk.send(f"{NEW}?kind=tiered", NEW, **(common | tiers)).status_code == 303
    rules = _programme(house, "levels").rules
    assert isinstance(rules, TieredRules)
    assert [(t.name.en, t.spend_from, t.cashback) for t in rules.tiers] == [
        ("Guest", 0, 300),
        ("Friend", 15_000_50, 500),
    ]
    assert "2 tiers, 3 to 5 % back" in desk.get(SETTINGS).text


def test_a_programme_keeps_its_kind_and_what_the_form_does_not_show(house: House) -> None:
    desk = house.desk("owner")
    desk.send(
        f"{NEW}?kind=stamp", NEW, kind="stamp", name="Coffee", for_reward="6", reward_ru="Кофе",
        reward_en="Coffee",
    )  # fmt: skip
    found = _programme(house, "coffee")
    page = f"{NEW}/{found.id}"
    assert 'value="6"' in desk.get(page).text
    changed = desk.send(
        page, kind="bonus", name="Coffee!", for_reward="8", reward_ru="Кофе", reward_en="Coffee"
    )
    assert changed.status_code == 303
    after = _programme(house, "coffee")
    assert (after.name, after.kind) == ("Coffee!", "stamp")
    assert isinstance(after.rules, StampRules)
    assert after.rules.for_reward == 8
    assert desk.get(f"{NEW}/{house.bakery.programme.id}").status_code == 404


@pytest.mark.parametrize(
    ("amount", "currency", "language", "said"),
    [
        (880_00, "RUB", "en", "RUB_880"), (1505_50, "RUB", "en", "RUB_1,505.50"), (500, "JPY", "en", "¥500"),
        (1880_00, "RUB", "ru", "1_880_₽"), (505_50, "USD", "ru", "505,50_$"),
    ],
)  # fmt: skip
def test_money_is_spelt_as_people_of_the_language_do(
    house: House, amount: int, currency: str, language: str, said: str
) -> None:
    with house.application.test_request_context("/", headers={"Accept-Language": language}):
        assert money(amount, currency) == said.replace("_", "\u00a0")


def test_a_zone_is_offered_by_its_present_name_and_a_former_one_is_kept(house: House) -> None:
    assert {"Europe/Moscow", "Europe/Kyiv", "Asia/Kolkata", "Europe/Oslo"} < set(TIME_ZONES)
    assert [zone for zone in TIME_ZONES if zone.startswith(("US/", "Etc/", "Canada/"))] == []
    assert not {"Europe/Kiev", "Asia/Calcutta", "America/Buenos_Aires"} & set(TIME_ZONES)
    assert 380 < len(TIME_ZONES) < 440  # of Unicode's places
    with house.database.write() as tx:
        tx.execute(update(brand).where(brand.c.id == house.cafe.brand.id).values(time_zone="Europe/Kiev"))
    desk = house.desk("owner")
    shown = desk.get("/console/cafe/settings/brand").text
    assert '<option value="Europe/Kiev" selected>' in shown
    assert '<option value="Europe/Kiev"' not in house.desk(house.operator).get("/console/-/brand").text


def test_shares_stand_in_fields_as_people_write_them() -> None:
    assert [typed(value, 2) for value in (0, 500, 750, 1_000, 10_000, 5)] == [
        "0", "5", "7.5", "10", "100", "0.05",
    ]  # fmt: skip
