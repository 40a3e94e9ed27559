"""What pages have in common whose address holds a card's token: whose they are, and how the card looks."""

from __future__ import annotations

from app.db import Tx
from app.loyalty.enrolment import Enrolment
from app.passes import issuing
from app.web.card_face import CardFace, draw
from app.web.guest_limits import GuestLimits
from app.web.guest_pages import Designs, Place, files_at, find_place
from app.web.language import current_language
from app.web.links import Links
from app.web.living_cards import living
from app.web.services import Services

MAX_FORM = 4 * 1024
"""Bytes of such a page's form."""


class PageOfCard:
    """The ground of the views; each opens the transactions it needs."""

    def __init__(self, services: Services, links: Links, limits: GuestLimits, designs: Designs) -> None:
        self._services, self._links, self._limits, self._designs = services, links, limits, designs

    def _place_and_card(self, tx: Tx, code: str, token: str) -> tuple[Place, Enrolment]:
        """The link that the guest came by and the living card; raises NotFound, Gone."""
        named = self._links.read_card(token)
        place = find_place(tx, code)
        return place, living(tx, place, named)

    def _face(self, tx: Tx, place: Place, card: Enrolment) -> CardFace:
        """The card as it is now, in the page's language."""
        wallet_pass = issuing.wallet_pass(tx, card.pass_id)
        design = self._designs.design(tx, wallet_pass.design_id)
        return draw(design, wallet_pass.content, current_language(), files_at=files_at(place, design))
