"""Text messages in numbers: how deep the queues are, what the day cost so far, how many codes were asked for.

What is left on an account the worker asks for and serves among its own numbers.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from app.accounts import brands
from app.delivery import stopped, texts
from app.errors import NotFound
from app.loyalty import codes
from app.sms.book import SmsBook
from app.web.services import Services
from app.web.sms_budget import midnight


def add(registry: CollectorRegistry, services: Services, book: SmsBook, now: datetime) -> None:
    """Put the gauges of texts into ``registry``."""
    queued = Gauge("perkpass_sms_queue", "Texts not settled", ["login", "state"], registry=registry)
    oldest = Gauge("perkpass_sms_oldest_due_seconds", "Age of the oldest due", ["login"], registry=registry)
    stops = Gauge("perkpass_sms_login_stopped", "1: its gateway refuses us", ["login"], registry=registry)
    amount = Gauge(
        "perkpass_sms_spent_today",
        "Since midnight of the brand, in minor units, as far as prices are known",
        ["brand", "kind", "currency"],
        registry=registry,
    )
    count = Gauge("perkpass_sms_texts_today", "Since midnight", ["brand", "kind"], registry=registry)
    budget = Gauge("perkpass_sms_budget_a_day", "Minor units", ["brand"], registry=registry)
    asked = Gauge("perkpass_sms_codes_a_day", "Asked for in 24 hours", ["brand"], registry=registry)
    bound = Gauge("perkpass_sms_codes_bound", "So many codes in 24 hours", ["brand"], registry=registry)
    with services.database.read() as tx:
        queues = texts.queues(tx, now=now)
        closed = stopped.all_stopped(tx)
        spent = {}
        for slug, known in book.brands.items():
            with suppress(NotFound):  # named in the file, and not made yet
                brand = brands.brand_by_slug(tx, slug)
                spent[slug] = texts.spent(tx, brand.id, since=midnight(brand, now))
                asked.labels(slug).set(codes.asked_today(tx, brand.id, now=now))
                budget.labels(slug).set(known.budget_a_day)
                bound.labels(slug).set(known.codes_a_day)
    for queue in queues:
        for state in ("due", "waiting", "sending", "in_doubt"):
            queued.labels(queue.login, state).set(getattr(queue, state))
        oldest.labels(queue.login).set(queue.oldest_due_seconds)
    for login in book.logins:
        stops.labels(login).set(login in closed)
    for slug, parts in spent.items():
        for part in parts:
            count.labels(slug, part.kind).inc(part.texts)
            if part.currency is not None:
                amount.labels(slug, part.kind, part.currency).set(part.amount)
