"""Faults of an account at Google, each brought about against its stand-in: named, and with its fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from app.db import Database
from app.db.identifiers import GoogleIssuerId, ProgrammeId
from app.delivery import stopped
from app.examination.looks import Look, Verdict
from app.loyalty.tables import programme
from app.passes import google_accounts
from app.passes.google_tables import google_account, google_class, google_object
from app.passes.tables import design, wallet_pass
from app.sentences import Sentence
from app.simulators.authority import Authority
from app.simulators.google import ISSUER, RunningGoogle, running
from app.simulators.google_faults import Faults
from tests.examination import installation as rig
from tests.examination.installation import TYPE, Installation, install
from tests.google.test_client import CARD, CLASS, prepare, using
from tests.passes import templates
from tests.passes.shop import publish
from tests.reports.google_settling import promise
from tests.servers import free_port

_LAYOUT = templates.design("bonus_card").layout
OTHER = "4499000000000000000"
WHERE = {
    name: f"{name} of kofe"
    for name in ("Google account", "changes for Google", "classes at Google", "save links")
} | {"Google": "Google for kofe"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("apple"), now=datetime.now(UTC))


@pytest.fixture(scope="module")
def one_google() -> Iterator[RunningGoogle]:
    with running(faults=Faults(requests_per_second=None)) as simulator:
        using(simulator, prepare)
        yield simulator


@pytest.fixture
def google(one_google: RunningGoogle) -> Iterator[RunningGoogle]:
    yield one_google
    one_google.turn(down=False)
    one_google.ask(lambda simulator: simulator.state.resources.classes[CLASS].update(reviewStatus="APPROVED"))


@pytest.fixture
def at_google(
    tmp_path: Path, database: Database, authority: Authority, google: RunningGoogle
) -> Installation:
    """A brand with a card that Google has."""
    made = install(tmp_path, database, authority).with_settings(
        google_wallet_url=google.url, google_token_url=google.token_url
    )
    file = google.write_service_account(tmp_path / "google.json")
    rig.bare_programme(made)
    with database.write() as tx:
        google_accounts.refer(
            tx, made.brand, issuer_id=ISSUER, credentials=f"file:{file}", now=made.now, actor="test"
        )
        programme_id = ProgrammeId(tx.scalars(select(programme.c.id)).one())
        design_id = publish(tx, programme_id, 1)
        tx.execute(update(design).values(layout=replace(_LAYOUT, google=None).to_json()))
        own = {"brand_id": made.brand.id, "issuer_id": ISSUER, "created_at": made.now}
        tx.execute(
            insert(google_class).values(
                resource_id=CLASS, programme_id=programme_id, family="card", accepted_at=made.now, **own
            )
        )
        pass_id = tx.execute(
            insert(wallet_pass)
            .values(
                pass_type_identifier=TYPE, design_id=design_id, content={}, version=1, tag=1,
                last_modified=made.now, created_at=made.now, serial_number="one",
            )
            .returning(wallet_pass.c.id)
        ).scalar_one()  # fmt: skip
        tx.execute(
            insert(google_object).values(resource_id=CARD, pass_id=pass_id, inserted_at=made.now, **own)
        )
    return made


def _looks(of: Installation) -> dict[str, list[Look]]:
    return of.look(reach_out=True)


def test_an_account_in_good_order_is_told_with_what_google_does_not_tell(at_google: Installation) -> None:
    looks = _looks(at_google)
    for subject in (
        WHERE["Google account"],
        WHERE["Google"],
        WHERE["classes at Google"],
        WHERE["save links"],
    ):
        [look] = looks[subject]
        assert (look.verdict, look.brand) == ("ok", "kofe"), look
    assert (
        "test accounts alone can save cards, its interface does not tell" in looks[WHERE["Google"]][0].words
    )
    assert WHERE["changes for Google"] not in looks
    # The shop's design knows no Google: guests with Android have no button.
    [bare] = looks["programme kofe points"]
    assert (bare.verdict, "google.toml" in bare.words) == ("warning", True)
    # Offline nobody is asked.
    assert not {WHERE["Google"], WHERE["save links"]} & set(at_google.look())


def _key_of(issuer: str) -> Seed:
    def act(of: Installation, google: RunningGoogle) -> None:
        account = google.service_account(issuer, name="other")
        (of.data.parent / "google.json").write_text(json.dumps(account))

    return act


def _unknown_key(of: Installation, google: RunningGoogle) -> None:
    """One that Google does not know any more: it was deleted there."""
    with running() as elsewhere:
        account = elsewhere.service_account()
    (of.data.parent / "google.json").write_text(json.dumps(account))


def _stop(of: Installation, google: RunningGoogle) -> None:
    with of.database.write() as tx:
        stopped.GOOGLE.stop(
            tx,
            stopped.writer(GoogleIssuerId(ISSUER), of.brand.id),
            reason="403: Permission Denied",
            now=of.now,
        )


def _late(of: Installation, google: RunningGoogle) -> None:
    with of.database.read() as tx:
        one = tx.scalars(select(google_object.c.id)).one()
    promise(of.database, one, "receipt", now=of.now - timedelta(minutes=9))


def _rejected(of: Installation, google: RunningGoogle) -> None:
    google.ask(lambda simulator: simulator.state.resources.classes[CLASS].update(reviewStatus="REJECTED"))


def _no_class(of: Installation, google: RunningGoogle) -> None:
    with of.database.write() as tx:
        tx.execute(update(google_class).values(resource_id=f"{ISSUER}.gone"))


def _no_card(of: Installation, google: RunningGoogle) -> None:
    with of.database.write() as tx:
        tx.execute(update(google_object).values(resource_id=f"{ISSUER}.gone"))


def _mistyped(of: Installation, google: RunningGoogle) -> None:
    with of.database.write() as tx:
        tx.execute(update(google_account).values(issuer_id="3388000000000000099"))


Seed = Callable[[Installation, RunningGoogle], object]
# What is done, the subject that is blamed, how hard, and a part of the fix.
SEEDS: dict[str, tuple[Seed, str, Verdict, str]] = {
    "key file gone": (
        lambda of, _: (of.data.parent / "google.json").unlink(),
        "Google account", "fault", "cannot be read",
    ),
    "key readable by everybody": (
        lambda of, _: (of.data.parent / "google.json").chmod(0o644),
        "Google account", "fault", "chmod 640",
    ),
    "a wrong download": (
        lambda of, _: (of.data.parent / "google.json").write_text('{"installed": {}}'),
        "Google account", "fault", "Service accounts, Keys",
    ),
    "key deleted at Google": (_unknown_key, "Google", "fault", "make a new key in the Google Cloud console"),
    "no user of the issuer": (_key_of(OTHER), "Google", "fault", "Add it under Users"),
    "mistyped issuer": (_mistyped, "Google", "fault", "3388000000000000099"),
    "token endpoint away": (
        lambda of, _: of.with_settings(google_token_url=f"http://127.0.0.1:{free_port()}/token"),
        "Google", "fault", "gives no token",
    ),
    "Google away": (
        lambda of, _: of.with_settings(google_wallet_url=f"http://127.0.0.1:{free_port()}"),
        "Google", "fault", "does not answer",
    ),
    "Google down": (lambda _, google: google.turn(down=True), "Google", "fault", "gives no token"),
    "changes stopped": (_stop, "changes for Google", "fault", "one is tried each minute"),
    "changes late": (_late, "changes for Google", "fault", "is perkpass worker (or run) up"),
    "class rejected": (_rejected, "classes at Google", "fault", "publish a design that heeds it"),
    "class gone": (_no_class, "classes at Google", "fault", "made anew"),
    "card gone": (_no_card, "save links", "fault", "A guest would see an error"),
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_each_seeded_fault_is_named_with_its_fix(
    seed: str, at_google: Installation, google: RunningGoogle
) -> None:
    act, subject, verdict, fix = SEEDS[seed]
    changed = act(at_google, google)
    looks = _looks(changed if isinstance(changed, Installation) else at_google)
    assert WHERE[subject] in looks, looks
    blamed = [look for look in looks[WHERE[subject]] if look.verdict == verdict]
    assert any(fix in look.words for look in blamed), looks[WHERE[subject]]
    assert isinstance(blamed[0].subject, Sentence)
    assert blamed[0].brand == "kofe"


def test_a_programme_s_design_with_google_is_not_blamed(at_google: Installation) -> None:
    with at_google.database.write() as tx:
        tx.execute(update(design).values(layout=_LAYOUT.to_json()))
    assert "programme kofe points" not in at_google.look()
