"""Faults that were put there on purpose: each is named with its fix, and nothing else is blamed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from app.accounts import brands
from app.accounts.tables import audit_entry
from app.db import Database
from app.delivery import breaker, stopped
from app.delivery.tables import job
from app.examination import surroundings
from app.examination.looks import Verdict
from app.sentences import Sentence
from app.simulators.apns import running as push_service
from app.simulators.apns import settings_for
from app.simulators.authority import Authority
from app.simulators.sms_gateways import SmsSettings
from app.simulators.sms_gateways import running as gateway
from tests.examination import installation as rig
from tests.examination.installation import TYPE, Installation, install
from tests.servers import free_port

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("apple"), now=datetime.now(UTC))


@pytest.fixture
def healthy(tmp_path: Path, database: Database, authority: Authority) -> Installation:
    return install(tmp_path, database, authority)


def _write(where: Callable[[Installation], Path], content: str, mode: int = 0o600) -> Seed:
    def act(of: Installation) -> None:
        where(of).write_text(content)
        where(of).chmod(mode)

    return act


def _sql(statement: object) -> Seed:
    def act(of: Installation) -> None:
        with of.database.write() as tx:
            tx.execute(statement)  # type: ignore[call-overload]

    return act


def _asks_for_codes(of: Installation) -> None:
    with of.database.write() as tx:
        draft = of.brand.draft()
        values = {name: getattr(draft, name) for name in draft.__dataclass_fields__} | {
            "asks_phone": "proved"
        }
        brands.update_brand(tx, of.brand.id, brands.BrandDraft(**values), now=of.now, actor="t")


def _trip(of: Installation) -> None:
    with of.database.write() as tx:
        breaker.trip(tx, of.brand.pass_type_identifier, reason="BadCertificate", now=of.now)


def _no_badge(of: Installation) -> None:
    (of.data / "badges").mkdir()
    (of.data / "badges" / "apple-ru.svg").write_text("<html/>")


def _of_another(of: Installation) -> None:
    stranger = Authority.create(of.data.parent / "stranger", now=of.now)
    shutil.copy(stranger.wwdr, of.certificates / "wwdr.pem")


def _another_key(of: Installation) -> None:
    kept = (of.certificates / "key.pem").read_bytes()
    of.credentials()
    (of.certificates / "key.pem").write_bytes(kept)


Seed = Callable[[Installation], Installation | None]
# What is done, the subject that is blamed, how hard, and a part of the fix.
SEEDS: dict[str, tuple[Seed, str, Verdict, str]] = {
    "public URL without TLS": (
        lambda of: of.with_settings(public_url="http://cards.example.com"),
        "public URL",
        "fault",
        "put a proxy with TLS in front",
    ),
    "data directory open to others": (
        lambda of: of.data.chmod(0o755),
        "data directory",
        "fault",
        "chmod 700",
    ),
    "data directory is a file": (
        lambda of: of.with_settings(data_dir=of.certificates / "key.pem"),
        "data directory",
        "fault",
        "PERKPASS_DATA_DIR",
    ),
    "a restore was interrupted": (
        _write(lambda of: of.data / "restoring", ""),
        "data directory",
        "fault",
        "perkpass restore --force",
    ),
    "pass key lost": (lambda of: (of.data / "pass_key").unlink(), "pass key", "fault", "out of a backup"),
    "pass key of another": (
        _write(lambda of: of.data / "pass_key", "x" * 43),
        "pass key",
        "fault",
        "is not the pass key",
    ),
    "secret key readable": (
        lambda of: (of.data / "secret_key").chmod(0o644),
        "secret key",
        "fault",
        "chmod 600",
    ),
    "templates gone": (
        lambda of: of.with_settings(templates_dir=of.data / "none"),
        "templates",
        "fault",
        "PERKPASS_TEMPLATES_DIR",
    ),
    "a badge that is no picture": (
        _no_badge,
        "badge apple-ru.svg",
        "warning",
        "perkpass badge add",
    ),
    "Redis away": (
        lambda of: of.with_settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"),
        "redis",
        "fault",
        "PERKPASS_REDIS_URL",
    ),
    "database away": (
        lambda of: of.with_settings(database_url=f"postgresql://p:s@127.0.0.1:{free_port()}/p"),
        "database",
        "fault",
        "PERKPASS_DATABASE_URL",
    ),
    "schema of another version": (
        _sql(text("UPDATE alembic_version SET version_num = '9999'")),
        "database",
        "fault",
        "newer",
    ),
    "certificate gone": (
        lambda of: (of.certificates / "certificate.pem").unlink(),
        "certificate of kofe",
        "fault",
        "put the pass certificate from Apple there",
    ),
    "certificate expired": (
        lambda of: of.credentials(begins=of.now - 400 * DAY, valid=300 * DAY),
        "certificate of kofe",
        "fault",
        "renew it at developer.apple.com",
    ),
    "certificate ends soon": (
        lambda of: of.credentials(valid=20 * DAY),
        "certificate of kofe",
        "warning",
        "Replace it before",
    ),
    "certificate of another pass type": (
        lambda of: of.credentials(pass_type_identifier="pass.another"),
        "certificate of kofe",
        "fault",
        "(subject UID) is pass.another",
    ),
    "certificate of another team": (
        lambda of: of.credentials(team_identifier="ZZZZZZZZZZ"),
        "certificate of kofe",
        "fault",
        "(subject OU) is ZZZZZZZZZZ",
    ),
    "wrong WWDR intermediate": (_of_another, "certificate of kofe", "fault", "fetch the WWDR intermediate"),
    "key of another certificate": (
        _another_key,
        "certificate of kofe",
        "fault",
        "take the key that made the certificate signing request",
    ),
    "certificate's key readable": (
        lambda of: (of.certificates / "key.pem").chmod(0o640),
        "files of kofe",
        "fault",
        "chmod 600",
    ),
    "nothing uploaded": (
        _sql(text("UPDATE brand SET credentials = 'stored:'")),
        "certificate of kofe",
        "fault",
        "upload it in the console",
    ),
    "programme without a design": (
        rig.bare_programme,
        "programme kofe points",
        "fault",
        "perkpass design publish",
    ),
    "codes without texts": (_asks_for_codes, "brand kofe", "fault", "PERKPASS_SMS_FILE"),
    "texts of an unknown login": (
        lambda of: rig.text_for(of, "gone"),
        "texts by gone",
        "fault",
        "name it there again",
    ),
    "pushes late": (
        lambda of: rig.promise(of, late=8 * MINUTE),
        "queue of pushes",
        "fault",
        "perkpass worker",
    ),
    "leases stuck": (
        lambda of: rig.promise(of, late=9 * MINUTE, lease=5 * MINUTE),
        "leases",
        "fault",
        "start perkpass worker",
    ),
    "Apple refuses us": (_trip, f"pushes of {TYPE}", "fault", "renew the certificate"),
    "worker silent": (
        _sql(update(job).values(done_at=datetime.now(UTC) - 20 * MINUTE)),
        "worker",
        "fault",
        "start perkpass worker",
    ),
    "worker's clock ahead": (
        _sql(update(job).values(done_at=datetime.now(UTC) + DAY)),  # of when this file was read, long before
        "worker",
        "fault",
        "timedatectl set-ntp true",
    ),
    "no worker ever": (_sql(delete(job)), "worker", "warning", "perkpass run"),
    "backup old": (
        _sql(update(audit_entry).values(at=datetime.now(UTC) - 5 * DAY)),
        "backup",
        "warning",
        "run each night",
    ),
    "backup never": (
        _sql(delete(audit_entry).where(audit_entry.c.action == "backup.made")),
        "backup",
        "warning",
        "perkpass backup FILE",
    ),
}


def test_nothing_is_blamed_where_nothing_is_wrong(healthy: Installation) -> None:
    blamed = {
        name: looks for name, looks in healthy.look().items() if any(look.verdict != "ok" for look in looks)
    }
    assert set(blamed) <= {"redis"}, blamed  # PostgreSQL without Redis is worth a word


@pytest.mark.parametrize("seed", SEEDS)
def test_each_seeded_fault_is_named_with_its_fix(seed: str, healthy: Installation) -> None:
    act, subject, verdict, fix = SEEDS[seed]
    changed = act(healthy)
    looks = (changed if isinstance(changed, Installation) else healthy).look()
    assert subject in looks, looks
    blamed = [look for look in looks[subject] if look.verdict == verdict]
    assert blamed, looks[subject]
    assert any(fix in look.words for look in blamed), blamed
    assert isinstance(blamed[0].subject, Sentence)


def test_a_disk_that_fills_is_told_twice(healthy: Installation) -> None:
    everything = 1 << 60
    (low,) = surroundings.disk(healthy.settings, low=everything)
    (full,) = surroundings.disk(healthy.settings, low=everything, full=everything)
    assert (low.verdict, full.verdict) == ("warning", "fault")
    assert "a backup needs twice" in low.words
    assert "free some space at once" in full.words


def test_a_machine_whose_clock_runs_apart_from_the_databases(healthy: Installation) -> None:
    looks = healthy.look(later=timedelta(seconds=90))
    if healthy.database.is_sqlite:
        assert "clock" not in looks
    else:
        assert looks["clock"][0].verdict == "fault"
        assert "timedatectl" in looks["clock"][0].words


@pytest.mark.once
def test_accounts_at_gateways(healthy: Installation) -> None:
    with gateway(SmsSettings(balance=50_00)) as server:
        good = rig.sms_file(healthy, server.url)
        assert [look.verdict for look in good.look(reach_out=True)["texts by main"]] == ["ok"]
        (low,) = rig.sms_file(healthy, server.url, low_balance=100_00).look(reach_out=True)["texts by main"]
        assert (low.verdict, "pay in" in low.words) == ("warning", True)
        (refused,) = rig.sms_file(healthy, server.url, secret="wrong").look(reach_out=True)["texts by main"]
        assert (refused.verdict, "does not let us in" in refused.words) == ("fault", True)
        with healthy.database.write() as tx:
            stopped.stop(tx, "main", reason="3: no money", now=healthy.now)
        (stop,) = good.look()["texts by main"]
        assert (stop.verdict, "3: no money" in stop.words) == ("fault", True)


@pytest.mark.once
def test_whether_apple_lets_us_in(healthy: Installation, tmp_path: Path, authority: Authority) -> None:
    with push_service(settings_for(authority, tmp_path / "server")) as apple:
        there = healthy.with_settings(apns_url=apple.url)
        (look,) = there.look(reach_out=True)["APNs for kofe"]
        assert look.verdict == "ok", look.words
        assert look.brand == "kofe"
    (away,) = there.look(reach_out=True)["APNs for kofe"]
    assert away.verdict == "fault"
    assert "refuses connections" in away.words
    assert "port 443" in away.words
    stranger = Authority.create(tmp_path / "stranger", now=healthy.now)
    with push_service(settings_for(stranger, tmp_path / "other")) as apple:
        untrusted = healthy.with_settings(apns_url=apple.url).look(reach_out=True)["APNs for kofe"][0]
        assert "is not trusted" in untrusted.words
        ours = healthy.with_settings(apns_url=apple.url, apns_ca=stranger.root)
        (refused,) = ours.look(reach_out=True)["APNs for kofe"]
    assert refused.verdict == "fault"
    assert "certificate" in refused.words


# How the public address answers, the subject that is blamed, how hard, and a part of the fix.
ANSWERS: dict[str, tuple[dict[str, object], str, Verdict, str]] = {
    "well": ({}, "webServiceURL", "ok", "/passkit answers"),
    "something else": ({"answer": b"<h1>nginx"}, "webServiceURL", "fault", "pass every path on"),
    "not found": ({"status": 404}, "webServiceURL", "fault", "status 404"),
    "under another name": ({"hosts": ("shop.example",)}, "webServiceURL", "fault", "for this name"),
    "with an expired certificate": ({"valid": -DAY}, "webServiceURL", "fault", "expired"),
    "with one that ends": ({"valid": 5 * DAY}, "TLS certificate of localhost", "warning", "certbot"),
    "with another clock": (
        {"at": lambda: datetime.now(UTC) - 5 * MINUTE},
        "clock at the public URL",
        "fault",
        "timedatectl",
    ),
}


@pytest.mark.once
@pytest.mark.parametrize("how", ANSWERS)
def test_the_public_address_is_asked_as_a_phone_would(
    how: str, healthy: Installation, tmp_path: Path, authority: Authority
) -> None:
    values, subject, verdict, fix = ANSWERS[how]
    with rig.web(authority, tmp_path / "web", **values) as url:  # type: ignore[arg-type]
        looks = healthy.with_settings(public_url=url).look(reach_out=True)
    (look,) = looks[subject]
    assert (look.verdict, fix in look.words) == (verdict, True), look.words


@pytest.mark.once
def test_a_public_address_that_nobody_trusts_or_answers(
    healthy: Installation, tmp_path: Path, authority: Authority
) -> None:
    stranger = Authority.create(tmp_path / "stranger", now=healthy.now)
    with rig.web(stranger, tmp_path / "web") as url:
        (look,) = healthy.with_settings(public_url=url).look(reach_out=True)["webServiceURL"]
        assert (look.verdict, "with its whole chain" in look.words) == ("fault", True)
    # On this machine alone it may not have been started yet.
    away = healthy.with_settings(public_url=f"https://localhost:{free_port()}")
    (look,) = away.look(reach_out=True)["webServiceURL"]
    assert (look.verdict, "start Perkpass" in look.words) == ("warning", True)
