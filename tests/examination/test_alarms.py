"""Alarms: what asks for a person, said once in the log when it begins and once when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from app.db import Database
from app.delivery import breaker, stopped
from app.delivery.tables import job
from app.examination.alarms import Alarms
from app.passes.press import Press
from app.passes.sealing import Safe
from app.simulators.authority import Authority
from app.sms import logins
from app.worker.ticks import alarm_tick
from tests.examination import installation as rig
from tests.examination.installation import Installation, install

DAY = timedelta(days=1)
SAFE = Safe.of(b"of keys that lie in no database..")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("apple"), now=datetime.now(UTC))


@pytest.fixture
def healthy(tmp_path: Path, database: Database, authority: Authority) -> Installation:
    return install(tmp_path, database, authority)


def _raised(of: Installation, slug: str | None = "kofe", later: timedelta = timedelta(0)) -> dict[str, str]:
    settings, now = of.settings, of.now + later
    book = logins.read(settings.sms_file) if settings.sms_file else None
    alarms = Alarms(Press("https://x.example/passkit", clock=lambda: now), book, SAFE)
    with of.database.read() as tx:
        return {str(look.subject): look.verdict for look in alarms.raised(tx, slug, now)}


def test_where_all_is_well_nothing_is_raised(healthy: Installation) -> None:
    assert _raised(healthy) == {}
    assert _raised(healthy, None) == {}
    assert _raised(healthy, "another") == {}


def test_a_certificate_is_told_of_from_a_month_before(healthy: Installation) -> None:
    healthy.credentials(valid=45 * DAY)
    assert _raised(healthy) == {}
    healthy.credentials(valid=20 * DAY)
    assert _raised(healthy) == {"certificate of kofe": "warning"}
    (healthy.certificates / "key.pem").unlink()
    assert _raised(healthy) == {"certificate of kofe": "fault"}


def test_what_stands_still_is_told(healthy: Installation) -> None:
    rig.promise(healthy, late=timedelta(minutes=9))
    assert _raised(healthy) == {"queue of pushes": "warning"}
    with healthy.database.write() as tx:
        breaker.trip(tx, healthy.brand.pass_type_identifier, reason="BadCertificate", now=healthy.now)
        tx.execute(update(job).values(done_at=healthy.now - timedelta(minutes=20)))
    assert _raised(healthy) == {
        "queue of pushes": "warning",
        f"pushes of {rig.TYPE}": "fault",
        "worker": "fault",
    }


def test_texts_that_a_gateway_holds_back_concern_the_brand(healthy: Installation) -> None:
    with_texts = rig.sms_file(healthy, "https://127.0.0.1:1")
    assert _raised(with_texts) == {}
    with healthy.database.write() as tx:
        stopped.stop(tx, "main", reason="3: no money", now=healthy.now)
    assert _raised(with_texts) == {"texts of kofe": "fault"}


def test_the_log_says_when_it_begins_and_when_it_is_over(healthy: Installation) -> None:
    alarms = Alarms(Press("https://x.example/passkit", clock=lambda: healthy.now), None, SAFE)
    tick = alarm_tick(lambda tx, now: alarms.raised(tx, None, now))

    def said() -> Iterator[tuple[str, str]]:
        with capture_logs() as lines, healthy.database.write() as tx:
            assert tick.step(tx, healthy.now) is False
        return ((line["event"], line["subject"]) for line in lines)

    assert list(said()) == []
    with healthy.database.write() as tx:
        breaker.trip(tx, healthy.brand.pass_type_identifier, reason="BadCertificate", now=healthy.now)
    assert list(said()) == [("alarm_raised", f"pushes of {rig.TYPE}")]
    assert list(said()) == []
    with healthy.database.write() as tx:
        breaker.close(tx, healthy.brand.pass_type_identifier)
    assert list(said()) == [("alarm_over", f"pushes of {rig.TYPE}")]
