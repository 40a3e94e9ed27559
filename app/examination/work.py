"""Looks at the work that the database holds: queues, leases, breakers, workers, clocks, backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import PassTypeIdentifier
from app.delivery import breaker, google, jobs, overview, stopped
from app.errors import Misconfigured
from app.examination.looks import Look
from app.google.credentials import ServiceAccount
from app.passes import google_accounts
from app.passes.sealing import Safe
from app.passes.store_google_accounts import AccountRow
from app.sentences import say

LATE: Final = timedelta(minutes=5)
STUCK: Final = timedelta(minutes=2)
"""Past the end of its lease: any worker takes back what another left, within seconds."""
SILENT: Final = timedelta(minutes=5)
"""A worker does some periodic work each minute."""
APART: Final = timedelta(seconds=10)
"""Clocks that differ by less harm nothing: leases last 30 seconds."""
OLD_BACKUP: Final = timedelta(days=2)


def queue(tx: Tx, now: datetime) -> Iterator[Look]:
    """Whether pushes leave in time."""
    seen = overview.at(tx, now)
    subject = say("queue of pushes")
    if seen.oldest_due_seconds > LATE.total_seconds() and not seen.open_breakers:
        words = say(
            "%(due)s pushes are due, the oldest since %(minutes)s minutes: is perkpass worker (or run) up,"
            " and does port 443 of api.push.apple.com answer?",
            due=seen.due,
            minutes=int(seen.oldest_due_seconds // 60),
        )
        yield Look(subject, "fault", words)
    else:
        yield Look(subject, "ok", say("%(due)s due, %(waiting)s wait", due=seen.due, waiting=seen.waiting))
    if stuck := overview.stuck(tx, lease_over_before=now - STUCK):
        words = say(
            "%(count)s promises are claimed by a worker that is gone, and nobody took them back: start"
            " perkpass worker (or run)",
            count=stuck,
        )
        yield Look(say("leases"), "fault", words)


def breakers(tx: Tx, brands_of: Mapping[PassTypeIdentifier, str]) -> Iterator[Look]:
    """Pushes that are stopped because Apple refuses us; ``brands_of`` gives the slug by pass type."""
    for row in breaker.all_open(tx):
        pass_type = breaker.pass_type_of(row.subject)
        words = say(
            "stopped since %(when)s UTC, Apple answers: %(reason)s. Nothing is lost, one is tried each"
            " minute: renew the certificate where it ran out, else compare it with the pass type",
            when=f"{row.opened_at:%d.%m. %H:%M}",
            reason=row.reason,
        )
        yield Look(say("pushes of %(name)s", name=pass_type), "fault", words, brands_of.get(pass_type))


def google_key(row: AccountRow, slug: str, safe: Safe) -> tuple[Look, ServiceAccount | None]:
    """Whether a brand's key can be read; asks nobody."""
    subject = say("Google account of %(brand)s", brand=slug)
    try:
        account = google_accounts.open_account(safe, row)
    except Misconfigured as wrong:
        return Look(subject, "fault", "; ".join(wrong.faults), slug), None
    words = say("%(email)s for issuer %(issuer)s", email=account.email, issuer=row.issuer_id)
    return Look(subject, "ok", words, slug), account


def google_changes(tx: Tx, row: AccountRow, slug: str, now: datetime) -> Iterator[Look]:
    """Whether a brand's changes leave for Google, and in time."""
    subject = say("changes for Google of %(brand)s", brand=slug)
    if stop := stopped.GOOGLE.all_stopped(tx).get(stopped.writer(row.issuer_id, row.brand_id)):
        words = say(
            "stopped since %(when)s UTC, Google answers: %(reason)s. Nothing is lost, one is tried each"
            " minute: let %(email)s be a user of issuer %(issuer)s in the Google Pay & Wallet console, and"
            " see that its key was not deleted",
            when=f"{stop.opened_at:%d.%m. %H:%M}",
            reason=stop.reason,
            email=row.email,
            issuer=row.issuer_id,
        )
        yield Look(subject, "fault", words, slug)
        return
    [queue] = google.queues(tx, [row.brand_id], now=now)
    if queue.oldest_due_seconds > LATE.total_seconds():
        words = say(
            "%(due)s are due, the oldest since %(minutes)s minutes: is perkpass worker (or run) up, and does"
            " Google answer it? At its 20 requests a second many changes take their time",
            due=queue.due,
            minutes=int(queue.oldest_due_seconds // 60),
        )
        yield Look(subject, "fault", words, slug)


def workers(tx: Tx, now: datetime) -> Iterator[Look]:
    """Whether one is alive, and tells the same time."""
    subject = say("worker")
    last = jobs.last_done(tx)
    if last is None:
        words = say("none has worked on this database yet: perkpass run, or perkpass worker, starts one")
        yield Look(subject, "warning", words)
        return
    age = now - last
    if age < -APART:
        words = say(
            "its clock is %(seconds)s seconds ahead of this machine's: set the clocks (timedatectl set-ntp"
            " true)",
            seconds=int(-age.total_seconds()),
        )
        yield Look(subject, "fault", words)
    elif age > SILENT:
        words = say(
            "none has done anything for %(minutes)s minutes: start perkpass worker (or run) and look at its"
            " log, or set the clocks",
            minutes=int(age.total_seconds() // 60),
        )
        yield Look(subject, "fault", words)
    else:
        yield Look(
            subject, "ok", say("alive %(seconds)s seconds ago", seconds=max(0, int(age.total_seconds())))
        )


def clock(tx: Tx, now: datetime) -> Iterator[Look]:
    """This machine's clock against the database's, where that is another machine."""
    told = overview.clock_of_database(tx)
    if told is None:
        return
    apart = now - told
    if abs(apart) > APART:
        words = say(
            "this machine's is %(seconds)s seconds %(way)s the database's: set both (timedatectl set-ntp"
            " true)",
            seconds=int(abs(apart).total_seconds()),
            way=say("ahead of") if apart > timedelta(0) else say("behind"),
        )
        yield Look(say("clock"), "fault", words)
    else:
        yield Look(say("clock"), "ok", say("the database tells the same time"))


def backups(tx: Tx, now: datetime) -> Iterator[Look]:
    """When the last one was made by us."""
    subject = say("backup")
    made = audit.latest(tx, "backup.made")
    if made is None:
        words = say(
            "none was made yet: run perkpass backup FILE each night (docs/backup.md). Without the pass key"
            " every card in a phone is orphaned"
        )
        yield Look(subject, "warning", words)
        return
    days = (now - made.at).days
    if now - made.at > OLD_BACKUP:
        words = say("the last one is %(days)s days old: does perkpass backup run each night?", days=days)
        yield Look(subject, "warning", words)
    else:
        yield Look(subject, "ok", say("made on %(when)s UTC", when=f"{made.at:%Y-%m-%d %H:%M}"))
