"""Texts in numbers, for Prometheus: queues, money, codes and their bounds, stopped logins."""

from __future__ import annotations

from pathlib import Path

from app.db import Database
from app.delivery import stopped
from app.web.probes import probes_blueprint
from tests.web.guests import World, open_world
from tests.web.test_guest_code import asked
from tests.web.texting import a_book, prove_numbers


def gauges(world: World) -> dict[str, float]:
    told = world.phone().get("/metrics").text.splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in told if line[:1] != "#")
    }


def test_what_texts_cost_and_who_waits_is_told(database: Database, tmp_path: Path) -> None:
    world = open_world(database, sms_book=a_book(tmp_path, codes=7, budget=5000))
    world.app.register_blueprint(probes_blueprint(world.services))
    prove_numbers(world, world.cafe)
    for number in (1, 2):
        asked(world, phone=f"+7 912 345-67-0{number}")
    with world.database.write() as tx:
        stopped.stop(tx, "twilio", reason="20003", now=world.clock())
    told = gauges(world)
    assert told['perkpass_sms_queue{login="smsc",state="due"}'] == 2
    assert told['perkpass_sms_spent_today{brand="cafe",currency="RUB",kind="code"}'] == 900
    assert told['perkpass_sms_texts_today{brand="cafe",kind="code"}'] == 2
    assert told['perkpass_sms_budget_a_day{brand="cafe"}'] == 5000
    assert told['perkpass_sms_codes_a_day{brand="cafe"}'] == 2
    assert told['perkpass_sms_codes_bound{brand="cafe"}'] == 7
    assert told['perkpass_sms_login_stopped{login="smsc"}'] == 0
    assert told['perkpass_sms_login_stopped{login="twilio"}'] == 1


def test_who_sends_no_texts_has_no_such_numbers(database: Database) -> None:
    world = open_world(database)
    world.app.register_blueprint(probes_blueprint(world.services))
    assert not [name for name in gauges(world) if name.startswith("perkpass_sms")]
