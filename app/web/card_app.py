"""The card's page as an app of the guest's home screen: manifest, icon, worker, script and style.

The page's address is a secret. A manifest is not: Chrome on Android sends it to Google, whose server makes
the app ("WebAPKs" in Chromium's sources), and everybody on the phone may read what the app says. So the
manifest starts at the card's address without its signature, its *home*, which opens nothing by itself; the
service worker, which keeps the card on this device, leads from there to the signed address.
"""

from __future__ import annotations

import hashlib
import io
import re
from functools import lru_cache

from flask import Blueprint, Response, jsonify
from PIL import Image

from app.colours import PLAIN, hexadecimal, parse_colour
from app.db.identifiers import DesignId
from app.errors import NotFound
from app.passes.layout import Design
from app.passes.looks import looks
from app.web.guest_pages import DESIGN_RULE, FOR_EVER, POLICY, Designs, find_place, lean
from app.web.language import current_language
from app.web.services import Services

ICON_SIZES = (192, 512)
"""Pixels: what Chrome asks of an app's icon, for the home screen and for the splash screen."""

CARD_POLICY = f"{POLICY}; script-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'"
"""Still nothing inline, and nothing from elsewhere."""

_STYLE, _SCRIPT, _WORKER = map(lean, ("web-card.css", "web-card.js", "web-card-worker.js"))
STYLE_ADDRESS = f"/i/-/{hashlib.sha256(_STYLE).hexdigest()[:12]}.css"  # no install code contains a hyphen
SCRIPT_ADDRESS = f"/i/-/{hashlib.sha256(_SCRIPT).hexdigest()[:12]}.js"
_HOME = re.compile(r"[0-9a-f]{1,16}\.[0-9a-f]{1,8}", re.ASCII)
_SAFE_ZONE = 0.68  # of an icon: what every launcher's mask leaves (W3C, "Maskable icons": a circle of 80 %)
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600", **_HARMLESS}


def home(code: str, token: str) -> str:
    """The path of the card without its signature: the worker's scope, and where the app starts.

    A scope is a prefix, so that of ``…/7.1`` covers ``…/7.10`` as well. A browser takes the longest that
    fits, and the worker of another card knows no state of this one: it asks the network.
    """
    return f"/i/{code}/card/{token.partition('~')[0]}"


def is_home(token: str) -> bool:
    """Whether this is the last part of a :func:`home`, and not of a signed address."""
    return _HOME.fullmatch(token) is not None


def worker_address(code: str) -> str:
    """Beside the cards, whose scope so needs no permission of its own."""
    return f"/i/{code}/card/worker.js"


def icon_address(code: str, design: Design, size: int) -> str:
    """The app's icon, ``size`` pixels wide."""
    return f"/i/{code}/design/{design.id}/app-{size}.png"


def colour(design: Design, look: int = 0) -> str:
    """The card's ground in one of the design's looks, for the bars around the page."""
    document = {**design.layout.document, **looks(design.layout, {})[look].colours}
    return hexadecimal(parse_colour(document.get("backgroundColor")) or PLAIN)


class CardApp:
    """The views; none tells anything of a guest."""

    def __init__(self, services: Services, designs: Designs) -> None:
        self._services, self._designs = services, designs

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        for rule, name, view in (
            (STYLE_ADDRESS, "web_card_style", self.style),
            (SCRIPT_ADDRESS, "web_card_script", self.script),
            ("/i/<code>/card/worker.js", "web_card_worker", self.worker),
            ("/i/<code>/card/<token>.webmanifest", "web_card_manifest", self.manifest),
            (f"{DESIGN_RULE}/app-<int:size>.png", "web_card_icon", self.icon),
        ):
            blueprint.add_url_rule(rule, name, view, methods=["GET"])

    def style(self) -> Response:
        """The card page's own stylesheet; another content has another name."""
        return Response(_STYLE, 200, FOR_EVER, mimetype="text/css")

    def script(self) -> Response:
        """The card page's script; another content has another name."""
        return Response(_SCRIPT, 200, FOR_EVER, mimetype="text/javascript")

    def worker(self, code: str) -> Response:  # noqa: ARG002 - one for every link
        """The service worker; browsers look for another one whenever the page is opened."""
        policy = {"Content-Security-Policy": "default-src 'none'; connect-src 'self'"}
        headers = {"Cache-Control": "no-cache", **policy, **_HARMLESS}
        return Response(_WORKER, 200, headers, mimetype="text/javascript")

    def manifest(self, code: str, token: str) -> Response:
        """What the home screen is told (W3C, "Web Application Manifest"); opens no card by itself."""
        if not is_home(token):
            raise NotFound("no-such-card", "There is no such card.")
        with self._services.database.read() as tx:
            place = find_place(tx, code)
            design = self._designs.newest(tx, place)
        language, start = current_language(), home(place.link.code, token)
        ground = colour(design)
        sources = [(icon_address(place.link.code, design, size), f"{size}x{size}") for size in ICON_SIZES]
        answer = jsonify(
            id=start,
            name=f"{place.brand.name}: {place.brand.text('programme', language)}",
            short_name=place.brand.name,
            lang=language,
            start_url=f"{start}?lang={language}",
            scope=start,
            display="standalone",
            background_color=ground,
            theme_color=ground,
            icons=[
                {"src": source, "sizes": sizes, "type": "image/png", "purpose": purpose}
                for source, sizes in sources
                for purpose in ("any", "maskable")
            ],
        )
        answer.mimetype = "application/manifest+json"
        answer.headers.update(_FOR_AN_HOUR)
        return answer

    def icon(self, code: str, design_id: int, size: int) -> Response:
        """The design's icon on its own ground, large enough for a home screen."""
        if size not in ICON_SIZES:
            raise NotFound("no-such-picture", "This design has no such picture.")
        with self._services.database.read() as tx:
            design = self._designs.of_place(tx, find_place(tx, code), DesignId(design_id))
        largest = next(
            (
                design.files[name]
                for name in ("icon@3x.png", "icon@2x.png", "icon.png")
                if name in design.files
            ),
            None,
        )
        if largest is None:
            raise NotFound("no-such-picture", "This design has no such picture.")
        return Response(_app_icon(largest, colour(design), size), 200, FOR_EVER, mimetype="image/png")


@lru_cache(64)
def _app_icon(icon: bytes, ground: str, size: int) -> bytes:
    """``icon`` in the middle of a square: on the colour of its own corner, else on ``ground``."""
    with Image.open(io.BytesIO(icon)) as opened:
        drawn = opened.convert("RGBA")
    corner = drawn.getpixel((0, 0))
    opaque = isinstance(corner, tuple) and corner[3] == 255
    canvas = Image.new("RGBA", (size, size), corner if opaque else ground)
    side = round(size * _SAFE_ZONE)
    drawn = drawn.resize((side, side), Image.Resampling.LANCZOS)
    canvas.alpha_composite(drawn, ((size - side) // 2, (size - side) // 2))
    data = io.BytesIO()
    canvas.convert("RGB").save(data, "PNG", optimize=True)
    return data.getvalue()
