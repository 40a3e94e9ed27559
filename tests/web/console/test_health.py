"""Health: of a brand for its people, of the installation for who runs it, alarms above every page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from app.db import Tx
from app.delivery import breaker
from app.examination.alarms import Alarms
from app.examination.looks import Look
from app.passes.google_tables import google_account
from app.sentences import say
from app.web.console.health import KEPT_FOR
from tests.web.console.house import House

PAGE = "/console/cafe/health"


@pytest.fixture
def wired(house: House) -> House:
    """As bootstrap wires it."""
    alarms = Alarms(house.services.press, None, house.services.safe)
    object.__setattr__(house.services, "alarms", alarms.raised)
    return house


def _sound(house: House) -> None:
    """No alarm of the certificate: the tests' brands have none."""
    alarms = Alarms(house.services.press, None, house.services.safe)

    def raised(tx: Tx, slug: str | None, now: datetime) -> Sequence[Look]:
        return [look for look in alarms.raised(tx, slug, now) if not look.subject.startswith("certificate")]

    object.__setattr__(house.services, "alarms", raised)


def test_a_brand_without_a_usable_certificate_is_told_on_every_page(wired: House) -> None:
    shown = wired.desk().get("/console/cafe/people").text
    assert "PERKPASS_TEST_CERTIFICATE" in shown
    assert "certificate of cafe" not in shown  # whose else
    assert f'alarm" href="{PAGE}"' in shown
    health = wired.desk().get(PAGE)
    assert health.status_code == 200
    assert "Needs somebody" in health.text
    assert "cannot be used" in health.text


def test_where_all_is_well_nothing_is_said(house: House) -> None:
    _sound(house)
    assert "Everything works" in house.desk().get(PAGE).text
    assert 'class="notice wrong alarm"' not in house.desk().get("/console/cafe/people").text


def test_a_google_key_that_cannot_be_read_is_told(house: House) -> None:
    _sound(house)
    with house.database.write() as tx:
        tx.execute(
            insert(google_account).values(
                brand_id=house.cafe.brand.id, issuer_id="3388000000012345678", changed_at=house.clock(),
                credentials="file:/nowhere/google.json", email="perkpass@kofe.example", changed_by="test",
            )
        )  # fmt: skip
    shown = house.desk().get(PAGE).text
    assert "Google account of cafe" in shown
    assert "/nowhere/google.json" in shown


def test_stopped_pushes_alarm_their_own_brand_within_seconds(house: House) -> None:
    _sound(house)
    assert "Everything works" in house.desk().get(PAGE).text
    with house.database.write() as tx:
        breaker.trip(
            tx, house.cafe.brand.pass_type_identifier, reason="ExpiredCertificate", now=house.clock()
        )
    house.clock.now += KEPT_FOR
    people = "/people"
    shown = house.desk().get("/console/cafe" + people).text
    assert "pushes of pass.example.cafe: stopped since" in shown
    assert "ExpiredCertificate." in shown
    assert "Nothing is lost" not in shown  # what to do stands on its own page
    assert "Nothing is lost" in house.desk().get(PAGE).text
    assert "stopped by Apple" in house.desk().get(PAGE).text
    assert "ExpiredCertificate" not in house.desk("owner", "bakery").get("/console/bakery" + people).text


def test_a_manager_is_not_bothered(wired: House) -> None:
    assert wired.desk("manager").get(PAGE).status_code == 403
    assert 'alarm"' not in wired.desk("manager").get("/console/cafe/places").text


def test_the_installation_is_its_operators(house: House) -> None:
    asked: list[bool] = []

    def examine(_now: datetime, outside: bool) -> Sequence[Look]:
        asked.append(outside)
        return [
            Look(say("disk"), "ok", say("%(space)s GB are left", space="5.0")),
            Look(say("backup"), "warning", say("none was made yet")),
            Look(say("redis"), "fault", "<b>no</b>"),
        ]

    object.__setattr__(house.services, "examine", examine)
    assert house.desk().get("/console/health").status_code in (403, 404)
    assert not asked
    shown = house.desk(house.operator).get("/console/health").text
    assert "1 fault to put right" in shown
    assert shown.index("redis") < shown.index("backup") < shown.index("disk")
    assert "&lt;b&gt;no" in shown
    assert house.desk(house.operator).get("/console/health?outside=yes").status_code == 200
    assert asked == [False, True]


def test_alarms_are_looked_for_once_in_a_while(house: House) -> None:
    looks: list[datetime] = []

    def raised(_tx: Tx, _slug: str | None, now: datetime) -> Sequence[Look]:
        looks.append(now)
        return ()

    object.__setattr__(house.services, "alarms", raised)
    desk = house.desk()
    for _ in range(3):
        desk.get("/console/cafe/people")
    assert len(looks) == 1
    house.clock.now += KEPT_FOR + timedelta(seconds=1)
    desk.get("/console/cafe/people")
    assert len(looks) == 2
