"""Test cards: where the phone of who draws a design gets the card of the draft, by a signed address."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from app.passes import test_cards
from app.passes.bundle import MEDIA_TYPE
from app.web.links import TEST_CARD_PATH, Links
from app.web.services import Services


def test_cards_blueprint(services: Services) -> Blueprint:
    """One route, for whoever has the address: it is signed, and expires after a day."""
    blueprint = Blueprint("test_cards", __name__)
    links = Links(services.secret_key, services.public_url)

    @blueprint.get(f"{TEST_CARD_PATH}/<token>")
    def card(token: str) -> Response:
        pass_id = links.read_test_card(token, now=services.clock())
        with services.database.read() as tx:
            if pass_id is None or not test_cards.is_test(tx, pass_id):
                abort(404)
            bundle = services.build_pass(tx, pass_id)
        return Response(
            bundle,
            200,
            {"Content-Disposition": 'inline; filename="test.pkpass"', "Cache-Control": "no-store"},
            mimetype=MEDIA_TYPE,
        )

    return blueprint
