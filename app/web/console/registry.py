"""Every address of the console, declared with what it needs; without that the service does not start."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.accounts.roles import PERMISSIONS
from app.web.console.door import Door
from app.web.console.visit import Need
from app.web.services import Services

View = Callable[..., ResponseReturnValue]
_BESIDE_ROLES = ("anyone", "signed-in", "operator")
_IN_A_BRAND = re.compile(r"/<brand>(/|$)")
_PLACE = re.compile(r"<(brand|venue)>")


@dataclass(frozen=True, slots=True)
class Route:
    """One address: its rule beneath ``/console``, its method, and what a visitor needs."""

    rule: str
    method: Literal["GET", "POST"]
    needs: Need
    endpoint: str  # for url_for, with the blueprint's name


class Console(Blueprint):
    """The console's blueprint, which keeps a list of its routes."""

    def __init__(self, services: Services) -> None:
        super().__init__("console", __name__, url_prefix="/console")
        self.services, self.door = services, Door(services)
        self.routes: list[Route] = []

    def declare(self, rule: str, method: Literal["GET", "POST"], needs: Need, view: View) -> None:
        """Add a route; raises RuntimeError for one that does not say what it needs."""
        _refuse_unguarded(rule, needs)
        endpoint = f"{view.__module__.rpartition('.')[2]}_{view.__name__}"

        @wraps(view)
        def answer(**found: Any) -> ResponseReturnValue:
            return view(self.door.admit(needs, found), **found)

        self.add_url_rule(rule, endpoint, answer, methods=[method])
        self.routes.append(Route(rule, method, needs, f"{self.name}.{endpoint}"))


def page(console: Console, rule: str, *, needs: Need) -> Callable[[View], View]:
    """A page: GET, changes nothing. ``<brand>`` and ``<venue>`` in the rule arrive in the visit."""

    def declare(view: View) -> View:
        console.declare(rule, "GET", needs, view)
        return view

    return declare


def act(console: Console, rule: str, *, needs: Need) -> Callable[[View], View]:
    """An act: POST, with the CSRF token of a form of ours; answers with a redirect, or the page again."""

    def declare(view: View) -> View:
        console.declare(rule, "POST", needs, view)
        return view

    return declare


def _refuse_unguarded(rule: str, needs: Need) -> None:
    if needs not in (*_BESIDE_ROLES, *PERMISSIONS):
        raise RuntimeError(f"{rule}: needs {needs!r}, which nobody can have; see app/accounts/roles.py")
    in_a_brand = _IN_A_BRAND.match(rule) is not None
    if (needs in PERMISSIONS) != in_a_brand:
        raise RuntimeError(f"{rule}: a permission is one in a brand, and /<brand>/… needs one")
    if _PLACE.search(rule) and not in_a_brand:
        raise RuntimeError(f"{rule}: begin with /<brand>, a venue is one of a brand")
