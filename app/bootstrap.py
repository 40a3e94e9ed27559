"""Wiring: settings in; WSGI application or worker out. The only place that chooses implementations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from app import google_wiring, keyring, texting
from app.accounts import brands
from app.db import Tx, schema
from app.db.identifiers import PassTypeIdentifier, WalletPassId
from app.delivery.budget import Policy
from app.errors import Misconfigured, NotFound
from app.log import configure_logging
from app.loyalty import codes, enrolment, granting, habits, idempotency, periodic
from app.opening import clock, open_database
from app.passes import bundle, drafts, google_cards, holders, issuing, registrations, test_cards, tokens
from app.passes.brand_signers import load_for
from app.passes.content import PassIdentity
from app.passes.google_cards import HolderChange
from app.passes.google_press import GooglePress
from app.passes.issuing import WalletPass
from app.passes.press import Press
from app.passes.sealing import Safe
from app.passes.signing import Signer
from app.places import tallies, visits
from app.settings import Settings
from app.wakeup import LocalWakeup, RedisWakeup, Wakeup

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from app.examination.alarms import Alarms
    from app.worker.loop import Worker
    from app.worker.ticks import Tick

log = structlog.get_logger()


def make_wakeup(settings: Settings) -> Wakeup:
    """Redis where there is one, otherwise a socket in the data directory."""
    if settings.redis_url:
        return RedisWakeup(settings.redis_url)
    return LocalWakeup(settings.data_dir / "worker.sock")


def pass_builder(press: Press, keys: keyring.Keys, public_url: str) -> Callable[[Tx, WalletPass], bytes]:
    """What turns a pass as the database has it into the signed ``.pkpass`` that phones get."""
    from app.web.links import Links

    links = Links(keys.secret_key, public_url)

    def build(tx: Tx, wallet_pass: WalletPass) -> bytes:
        token = tokens.authentication_token(
            keys.pass_key,
            wallet_pass.pass_type_identifier,
            wallet_pass.serial_number,
            wallet_pass.key_version,
        )
        identity = PassIdentity(
            wallet_pass.pass_type_identifier,
            wallet_pass.serial_number,
            token,
            links.stop_url(wallet_pass.id, wallet_pass.key_version),
        )
        prepared = press.prepared(tx, wallet_pass.design_id)
        return bundle.build(wallet_pass.content, identity, prepared, signing_time=clock())

    return build


def make_web(settings: Settings) -> WSGIApplication:
    """The whole web side. Raises :class:`Misconfigured` on a schema that is behind or other keys."""
    # Imported here: a worker or a command need not keep the web in memory, nor the web a worker.
    from app.examination.alarms import Alarms
    from app.examination.whole import examine_with
    from app.web.application import make_application
    from app.web.badges import DIRECTORY as BADGES
    from app.web.passkit import PassKit
    from app.web.passkit_evidence import EvidenceRecorder
    from app.web.passkit_reader import Reader
    from app.web.services import Services

    configure_logging(settings)
    database = open_database(settings)
    schema.require_newest(database)
    keys = keyring.open_keys(settings, database, now=clock())
    safe = keyring.safe(settings, keys)
    press = Press(settings.web_service_url, clock=clock, safe=safe)
    accounts = google_wiring.Accounts(database, safe)
    evidence, reader = (
        EvidenceRecorder(database, clock=clock),
        Reader(database, most_kept=settings.web_threads),
    )
    wakeup = make_wakeup(settings)
    build = pass_builder(press, keys, settings.public_url)
    book = texting.read_book(settings)
    services = Services(
        database=database,
        press=press,
        authorities=safe.authorities,
        examine=lambda now, outside: list(examine_with(settings, now, reach_out=outside)),
        alarms=Alarms(press, book, safe).raised,
        wakeup=wakeup,
        clock=clock,
        build_pass=lambda tx, pass_id: build(tx, issuing.wallet_pass(tx, pass_id)),
        evidence_age=evidence.age,
        public_url=settings.public_url.rstrip("/"),
        secret_key=keys.secret_key,
        pass_key=keys.pass_key,
        rate_limit_storage=settings.redis_url or "memory://",
        metrics_token=settings.metrics_token.get_secret_value(),
        trusted_proxies=settings.trusted_proxies,
        badges_dir=settings.data_dir / BADGES,
        templates_dir=settings.templates_dir,
        threads=settings.web_threads,
        sms_book=book,
        gateways=texting.open_gateways(settings, book),
        google=google_wiring.make_side(settings, accounts, changed=_google_changed),
        google_rate=settings.google_requests_per_second,
    )
    passkit = PassKit(
        database=database,
        pass_key=keys.pass_key,
        build_pass=build,
        evidence=evidence,
        wakeup=wakeup,
        clock=clock,
        on_registered=_card_added,
        on_last_removed=_card_removed,
        reader=reader,
    )
    return make_application(services, passkit, reader)


def make_worker(settings: Settings) -> Worker:
    """A worker, not yet running. Raises :class:`Misconfigured` on a schema that is behind or other keys."""
    from app.examination.alarms import Alarms
    from app.worker.apple import AppleChannel
    from app.worker.loop import Worker

    configure_logging(settings)
    database = open_database(settings, yields=True)
    schema.require_newest(database)
    # A worker beside the wrong keys must not go on unseen.
    keys = keyring.open_keys(settings, database, now=clock())
    safe = keyring.safe(settings, keys)

    def credentials(pass_type_identifier: PassTypeIdentifier) -> tuple[bytes, bytes]:
        # Read anew each time: the channel asks seldom, and a renewed certificate is to be noticed.
        with database.read() as tx:
            owners = brands.brand_of_pass_type(tx, pass_type_identifier)
            if not owners:
                raise Misconfigured(f"No brand has the pass type identifier {pass_type_identifier}.")
            signer = load_for(tx, owners[0], safe=safe, now=clock())
        return signer.certificate_pem, signer.key_pem

    press = Press(settings.web_service_url, clock=clock, safe=safe)
    google_press = google_wiring.make_press(settings, keys)
    accounts = google_wiring.Accounts(database, safe)
    channel = AppleChannel(
        credentials,
        url=settings.apns_url,
        ca=settings.apns_ca,
        connections=settings.apns_connections,
        expiration=timedelta(days=settings.push_expiration_days),
        push_timeout=timedelta(seconds=min(15.0, settings.push_lease_seconds / 2)),
        left_alone=_cards_lost,
    )
    return Worker(
        database=database,
        channel=channel,
        wakeup=make_wakeup(settings),
        clock=clock,
        policy=Policy(
            receipt=settings.push_budget_receipt,
            campaign=settings.push_budget_campaign,
            coalesce=timedelta(seconds=settings.push_coalesce_seconds),
        ),
        lease=timedelta(seconds=settings.push_lease_seconds),
        texts=texting.channel(settings),
        google=google_wiring.make_work(settings, accounts, google_press, changed=_google_changed),
        poll_seconds=settings.worker_poll_seconds,
        ticks=_ticks(settings, safe, Alarms(press, texting.read_book(settings), safe), google_press),
        metrics_port=settings.worker_metrics_port,
    )


def _ticks(settings: Settings, safe: Safe, alarms: Alarms, google_press: GooglePress) -> list[Tick]:
    from app.campaigns.fallback import Texting
    from app.worker import ticks
    from app.worker.campaign_sending import campaign_ticks
    from app.worker.google_lane import callback_tick, class_tick, holders_tick
    from app.worker.ticks import Tick

    unfetched = timedelta(minutes=settings.retag_minutes)
    return [
        ticks.retag_tick(
            older_than=unfetched, every=min(timedelta(minutes=1), max(unfetched, timedelta(seconds=1)))
        ),
        ticks.purge_tick(),
        ticks.certificate_tick(lambda tx, now: _signers(tx, safe, now)),
        ticks.alarm_tick(lambda tx, now: alarms.raised(tx, None, now)),
        Tick("expire_lots", timedelta(minutes=10), lambda tx, now: periodic.expire_lots(tx, now=now) > 0),
        Tick("tiers", timedelta(minutes=10), lambda tx, now: periodic.recompute_tiers(tx, now=now) > 0),
        Tick("offers", timedelta(minutes=1), lambda tx, now: granting.clear(tx, now=now) > 0),
        Tick("till_calls", timedelta(hours=1), lambda tx, now: idempotency.purge_calls(tx, now=now) > 0),
        Tick("visits", timedelta(minutes=1), lambda tx, _now: tallies.fold(tx) > 0),
        Tick("habits", timedelta(minutes=1), lambda tx, _now: habits.fold(tx) > 0),
        Tick("phone_codes", timedelta(hours=1), lambda tx, now: codes.purge(tx, now=now) > 0),
        Tick("devices", timedelta(hours=1), lambda tx, now: registrations.forget_deserted(tx, now=now) > 0),
        Tick("drafts", timedelta(hours=1), lambda tx, now: drafts.purge(tx, now=now) > 0),
        ticks.announcement_tick(),
        ticks.habits_tick(),
        class_tick(google_press),
        holders_tick(),
        callback_tick(),
        *campaign_ticks(Texting(texting.read_book(settings)), rate=settings.campaign_rate),
        ticks.rollout_tick(),  # last: it may have much to do; the others come before its next step
    ]


def _signers(tx: Tx, safe: Safe, now: datetime) -> list[Signer]:
    loaded = []
    for brand in brands.all_brands(tx):
        try:
            loaded.append(load_for(tx, brand, safe=safe, now=now))
        except Misconfigured as fault:
            log.error("certificate_unusable", brand=brand.slug, faults=fault.faults)  # noqa: TRY400
    return loaded


def _card_added(tx: Tx, pass_id: WalletPassId, first: bool, now: datetime) -> None:
    if test_cards.is_test(tx, pass_id):
        return
    known = enrolment.enrolment_of_pass(tx, pass_id)
    if first and known.visit_id is not None and known.pass_id == pass_id:
        visits.card_added(tx, known.visit_id, at=now)


def _card_removed(tx: Tx, pass_id: WalletPassId, now: datetime) -> None:
    if test_cards.is_test(tx, pass_id):
        return
    if (card := google_cards.card(tx, pass_id)) and card.is_held:
        return  # in the other wallet
    known = enrolment.enrolment_of_pass(tx, pass_id)
    if known.visit_id is not None and known.pass_id == pass_id:  # not the one before it was issued anew
        visits.card_removed(tx, known.visit_id, at=now)


def _cards_lost(tx: Tx, pass_ids: Sequence[WalletPassId], now: datetime) -> None:
    for pass_id in pass_ids:
        _card_removed(tx, pass_id, now)


def _google_changed(tx: Tx, changes: Sequence[HolderChange], now: datetime) -> None:
    """Whoever holds a card in Google Wallet counts in the venue's funnel as a phone of Apple's does."""
    for one in changes:
        try:
            if one.change == "added":
                _card_added(tx, one.pass_id, True, now)
            elif all(held.unreachable_since for held in holders.of_passes(tx, [one.pass_id])):
                _card_removed(tx, one.pass_id, now)
        except NotFound:  # its guest was forgotten: it is in nobody's funnel
            log.info("google_card_of_nobody", change=one.change)
