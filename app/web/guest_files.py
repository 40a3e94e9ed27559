"""What guests' pages and managers' prints are made of: the stylesheet, a design's pictures, QR codes."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.db.identifiers import DesignId
from app.errors import BadInput, NotFound
from app.web import card_face, qr
from app.web.badges import Badges
from app.web.guest_pages import (
    CODE_SCRIPT,
    CODE_SCRIPT_ADDRESS,
    DESIGN_RULE,
    FOR_EVER,
    ICON,
    ICON_ADDRESS,
    PHONE_SCRIPT,
    PHONE_SCRIPT_ADDRESS,
    SCRIPT,
    SCRIPT_ADDRESS,
    STYLE,
    STYLE_ADDRESS,
    Designs,
    find_place,
    open_place,
)
from app.web.links import Links
from app.web.services import Services

_FOR_A_DAY = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}


class GuestFiles:
    """The views; none writes."""

    def __init__(self, services: Services, links: Links, designs: Designs, badges: Badges) -> None:
        self._services, self._links, self._designs, self._badges = services, links, designs, badges

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        blueprint.add_url_rule(STYLE_ADDRESS, "style", self.style, methods=["GET"])
        blueprint.add_url_rule(ICON_ADDRESS, "icon", self.icon, methods=["GET"])
        blueprint.add_url_rule(SCRIPT_ADDRESS, "script", self.script, methods=["GET"])
        blueprint.add_url_rule(PHONE_SCRIPT_ADDRESS, "phone_script", self.phone_script, methods=["GET"])
        blueprint.add_url_rule(CODE_SCRIPT_ADDRESS, "code_script", self.code_script, methods=["GET"])
        blueprint.add_url_rule("/i/-/badge-<name>.svg", "badge", self.badge, methods=["GET"])
        for name in ("card.css", "card-<int(max=999):look>.css"):
            blueprint.add_url_rule(f"{DESIGN_RULE}/{name}", "card_style", self.card_style, methods=["GET"])
        blueprint.add_url_rule(f"{DESIGN_RULE}/<path:file>", "picture", self.picture, methods=["GET"])
        blueprint.add_url_rule("/i/<code>/qr.svg", "qr_svg", self.qr_svg, methods=["GET"])
        blueprint.add_url_rule("/i/<code>/qr.png", "qr_png", self.qr_png, methods=["GET"])

    def style(self) -> Response:
        """The stylesheet; another content has another name."""
        return Response(STYLE, 200, FOR_EVER, mimetype="text/css")

    def icon(self) -> Response:
        """For pages that belong to no brand."""
        return Response(ICON, 200, FOR_EVER, mimetype="image/svg+xml")

    def script(self) -> Response:
        """What guests' pages do where scripts run; another content has another name."""
        return Response(SCRIPT, 200, FOR_EVER, mimetype="text/javascript")

    def phone_script(self) -> Response:
        """Numbers grouped while they are typed, for brands that ask for one."""
        return Response(PHONE_SCRIPT, 200, FOR_EVER, mimetype="text/javascript")

    def code_script(self) -> Response:
        """For the page where the code from a message is entered."""
        return Response(CODE_SCRIPT, 200, FOR_EVER, mimetype="text/javascript")

    def badge(self, name: str) -> Response:
        """A wallet's own artwork, which can do nothing but be looked at."""
        data = self._badges.file(f"/i/-/badge-{name}.svg")
        if data is None:
            raise NotFound("no-such-picture", "There is no such badge.")
        still = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
        return Response(data, 200, FOR_EVER | still, mimetype="image/svg+xml")

    def card_style(self, code: str, design_id: int, look: int = 0) -> Response:
        """The brand's colours, or those of a tier."""
        with self._services.database.read() as tx:
            design = self._designs.of_place(tx, find_place(tx, code), DesignId(design_id))
        return Response(card_face.stylesheet(design, look), 200, FOR_EVER, mimetype="text/css")

    def picture(self, code: str, design_id: int, file: str) -> Response:
        """One of the design's images, by its name in the bundle."""
        with self._services.database.read() as tx:
            design = self._designs.of_place(tx, find_place(tx, code), DesignId(design_id))
        data = design.files.get(file)
        if data is None or not file.endswith(".png"):
            raise NotFound("no-such-picture", "This design has no such picture.")
        return Response(data, 200, FOR_EVER, mimetype="image/png")

    def qr_svg(self, code: str) -> Response:
        """The install link as a vector, for print."""
        return Response(qr.svg(self._url(code), scale=_scale()), 200, _FOR_A_DAY, mimetype="image/svg+xml")

    def qr_png(self, code: str) -> Response:
        """The install link as pixels, for mail and screens."""
        return Response(qr.png(self._url(code), scale=_scale()), 200, _FOR_A_DAY, mimetype="image/png")

    def _url(self, code: str) -> str:
        with self._services.database.read() as tx:
            return self._links.install_url(open_place(tx, code).link.code)


def _scale() -> int:
    asked = request.args.get("scale", str(qr.DEFAULT_SCALE))
    if (
        not (asked.isascii() and asked.isdecimal())
        or len(asked) > 3
        or not qr.MIN_SCALE <= int(asked) <= qr.MAX_SCALE
    ):
        raise BadInput(
            "bad-scale", f"scale is pixels per module: {qr.MIN_SCALE} to {qr.MAX_SCALE}", field="scale"
        )
    return int(asked)
