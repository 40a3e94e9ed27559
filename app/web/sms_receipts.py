"""What gateways tell of texts: ``GET`` or ``POST /sms/receipts/{login}``.

A gateway comes without a session; what proves that it is the gateway (a signature, a secret) is the adapter's
to judge. A receipt that comes twice, late or before the answer to the sending changes nothing that is known
better. A text that a guest sent may be a wish to hear no more: then their consent to advertising ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import structlog
from flask import Blueprint, Response, request
from limits import RateLimitItem, RateLimitItemPerMinute
from werkzeug.exceptions import RequestEntityTooLarge

from app.accounts import brands
from app.campaigns import cascade
from app.db import Tx
from app.db.identifiers import BrandId
from app.delivery import texts
from app.delivery.texts import ReceiptTold
from app.errors import NotFound, TooMany
from app.loyalty import consents
from app.loyalty.stop_words import asks_to_stop
from app.sms.gateway import Callback, Inbound, NotOurs, Receipt, ReceiptState
from app.web.rate_limits import RateLimits, site_of
from app.web.services import Services

MAX_BODY = 16 * 1024
FAILURES: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(60),)
"""Callbacks of an address that no gateway sent; those of gateways are not counted, they come in crowds."""
_PLAIN = {"Cache-Control": "no-store"}
_TOLD: dict[ReceiptState, Literal["delivered", "undelivered"]] = {
    ReceiptState.DELIVERED: "delivered",
    ReceiptState.UNDELIVERED: "undelivered",
}
log = structlog.get_logger()


def sms_blueprint(services: Services, *, failures: tuple[RateLimitItem, ...] = FAILURES) -> Blueprint:
    """The gateways' way in; ``failures`` of an address are heard, the next are told to wait."""
    blueprint = Blueprint("sms", __name__)
    limits = RateLimits(services.rate_limit_storage)

    def strangers(site: str) -> None:
        limits.count(
            failures, "sms", "failed", site, sentence="Too many calls were none of a gateway's: wait."
        )

    @blueprint.route("/sms/receipts/<login>", methods=["GET", "POST"])
    def receipts(login: str) -> Response:
        """Hear a gateway out, and answer as it expects."""
        request.max_content_length = MAX_BODY
        site = site_of(request.remote_addr or "")
        gateway = services.gateways.get(login)
        try:
            if gateway is None:
                strangers(site)
                return Response("There is no such login.\n", 404, _PLAIN, mimetype="text/plain")
            try:
                heard = gateway.hear(_callback(services.public_url))
            except NotOurs as stranger:
                log.warning("sms_callback_not_ours", login=login, reason=str(stranger))
                strangers(site)
                return Response("This did not come from the gateway.\n", 403, _PLAIN, mimetype="text/plain")
        except TooMany as crowd:
            seconds = f"{max(1, round(crowd.retry_after.total_seconds()))}"
            return Response(f"{crowd}\n", 429, _PLAIN | {"Retry-After": seconds}, mimetype="text/plain")
        except RequestEntityTooLarge:
            return Response("The body is too large.\n", 413, _PLAIN, mimetype="text/plain")
        keep(services, login, heard)
        body, media_type = gateway.confirmation()
        return Response(body, 200, _PLAIN, mimetype=media_type)

    return blueprint


def keep(services: Services, login: str, heard: Sequence[Receipt | Inbound]) -> None:
    """Write down what a gateway said; what it says of a text still under way is nothing new."""
    now = services.clock()
    told = [
        ReceiptTold(
            login=login,
            provider_id=receipt.provider_id,
            reference=receipt.reference,
            state=_TOLD[receipt.state],
            reason=receipt.reason,
            at=receipt.at,
            price=receipt.price.amount if receipt.price else None,
            currency=receipt.price.currency if receipt.price else None,
        )
        for receipt in heard
        if isinstance(receipt, Receipt) and receipt.state in _TOLD
    ]
    stops = [said for said in heard if isinstance(said, Inbound) and asks_to_stop(said.text)]
    if not (told or stops):
        return
    with services.database.write() as tx:
        for stop in stops:  # members are locked before their texts, everywhere
            brand_ids = list(_brands_of(tx, services, login))
            withdrawn = consents.hear_stop(tx, login, brand_ids, stop.number, text=stop.text, now=now)
            log.info("sms_stop", login=login, number=stop.number, members=withdrawn)
        if told:
            hearing = texts.hear(tx, told, now=now)
            cascade.heard(tx, {*hearing.changed, *hearing.priced}, now)


def _brands_of(tx: Tx, services: Services, login: str) -> Iterable[BrandId]:
    """Whose guests may answer to this login: every brand that sends by it."""
    for known in services.sms_book.brands.values() if services.sms_book else ():
        if known.login == login:
            try:
                yield brands.brand_by_slug(tx, known.brand).id
            except NotFound:  # named in the file, and not made yet
                continue


def _callback(public_url: str) -> Callback:
    """The request as the gateway made it: it signs the address that it knows."""
    query: str = request.environ.get("QUERY_STRING", "")
    return Callback(
        method=request.method,
        url=f"{public_url}{request.path}{'?' if query else ''}{query}",
        headers={name.lower(): value for name, value in request.headers},
        form={**request.args.to_dict(), **request.form.to_dict()},
    )
