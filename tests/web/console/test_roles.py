"""Every address of the console × every role × the neighbour brand × the neighbour's things.

The table of roles decides; a new address is here as soon as it is declared. Values for its parameters come
from the ``SAMPLES`` of ``samples_*.py`` beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from app.accounts.roles import MAY, PERMISSIONS, ROLES, Role, allows
from app.db import connect
from app.web.console.registry import Console, Route, page
from tests.conftest import empty_database
from tests.tables import nothing_changes
from tests.web.console.house import Desk, House, open_house
from tests.web.guests import Shop

Sample = Callable[[House, Shop], object]
SAMPLES: dict[str, Sample] = {
    name: sample
    for path in sorted(Path(__file__).parent.glob("samples_*.py"))
    for name, sample in getattr(import_module(f"tests.web.console.{path.stem}"), "SAMPLES", {}).items()
}
_PARAMETER = re.compile(r"<(?:[^:<>]+:)?(\w+)>")
_PLACES = ("brand", "venue")
_SEEN = frozenset({"device_log", "user_session"})
"""When somebody was last there is noted whatever they ask for."""


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _template: str,
    servers_of_this_run: str,
) -> Iterator[House]:
    """One house for all who find shut doors: they leave it as it was."""
    with empty_database(request, tmp_path_factory.mktemp("roles"), _template) as url:
        database = connect(url)
        yield open_house(database)
        database.close()


def _things(route: Route) -> list[str]:
    return [name for name in _PARAMETER.findall(route.rule) if name not in _PLACES]


def address_of(house: House, route: Route, shop: Shop, *, at: str = "cafe", venue: str = "main") -> str:
    """The route beneath brand ``at``, with this venue, and with the things of ``shop``'s brand."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in _PLACES:
            return {"brand": at, "venue": venue}[name]
        assert name in SAMPLES, f"{route.rule}: SAMPLES in a samples_*.py must give a {name}"
        if (name, shop.brand.slug) not in house.made:
            house.made[name, shop.brand.slug] = str(SAMPLES[name](house, shop))
        return house.made[name, shop.brand.slug]

    return "/console" + _PARAMETER.sub(value, route.rule)


def _in_brands(house: House) -> list[Route]:
    return [route for route in house.console.routes if route.needs in PERMISSIONS]


def _token(desk: Desk) -> str:
    return desk.token("/console/account")


def _status(desk: Desk, route: Route, address: str, token: str) -> int:
    if route.method == "GET":
        return desk.get(address).status_code
    return desk.client.post(address, data={"csrf_token": token}).status_code


def _faults(house: House, desk: Desk, cases: list[tuple[Route, str]], expected: int) -> list[str]:
    token = _token(desk)
    asked = [(route, address, _status(desk, route, address, token)) for route, address in cases]
    return [f"{route.method} {address}: {got}" for route, address, got in asked if got != expected]


def test_who_is_not_signed_in_is_sent_to_sign_in(shared: House) -> None:
    desk = shared.stranger()
    routes = [route for route in shared.console.routes if route.needs != "anyone"]
    assert len(routes) > 10
    cases = [(route, address_of(shared, route, shared.cafe)) for route in routes]
    with nothing_changes(shared.database):
        for route, address in cases:
            answer = desk.get(address) if route.method == "GET" else desk.client.post(address)
            assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/console/sign-in"), (
                address
            )


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_does_not_allow_is_refused_and_changes_nothing(shared: House, role: Role) -> None:
    forbidden = [
        route
        for route in shared.console.routes
        if route.needs == "operator" or (route.needs in PERMISSIONS and route.needs not in MAY[role])
    ]
    cases = [(route, address_of(shared, route, shared.cafe)) for route in forbidden]
    desk = shared.desk(role)
    _token(desk)
    with nothing_changes(shared.database, _SEEN):
        assert _faults(shared, desk, cases, 403) == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_allows_is_there(shared: House, role: Role) -> None:
    allowed = [route for route in _in_brands(shared) if route.needs in MAY[role] and route.method == "GET"]
    desk = shared.desk(role)
    for route in allowed:
        address = address_of(shared, route, shared.cafe)
        assert desk.get(address).status_code in (200, 303), address


def test_an_owner_may_do_every_act_of_their_brand(house: House) -> None:
    """Sent empty: what the form says to that is its own affair, but no door is shut."""
    for route in _in_brands(house):
        if route.method == "POST":
            desk = house.new_desk(house.operator)  # whom no act of a brand can shut out
            address = address_of(house, route, house.cafe)
            status = _status(desk, route, address, _token(desk))
            assert status != 403, address
            assert status < 500 or status == 503, address


def test_the_neighbour_brand_does_not_exist_for_anybody(shared: House) -> None:
    cases = [(route, address_of(shared, route, shared.bakery, at="bakery")) for route in _in_brands(shared)]
    desks = [shared.desk(role) for role in ROLES]
    for desk in desks:
        _token(desk)
    with nothing_changes(shared.database, _SEEN):
        for desk in desks:
            assert _faults(shared, desk, cases, 404) == []


def test_the_neighbours_things_are_not_found_under_ones_own_address(shared: House) -> None:
    """The owner of both sides of a wall would see through it: the owner of one side asks."""
    desk = shared.desk("owner")
    cases = [
        (route, address_of(shared, route, shared.bakery))
        for route in shared.console.routes
        if _things(route) and route.needs not in ("anyone", "operator") and "token" not in _things(route)
    ]
    _token(desk)
    with nothing_changes(shared.database, _SEEN):
        assert _faults(shared, desk, cases, 404) == []


def test_a_venue_is_the_brands_own_and_the_managers_own(shared: House) -> None:
    of_venues = [route for route in _in_brands(shared) if "<venue>" in route.rule]
    elsewhere = [(route, address_of(shared, route, shared.cafe, venue="elsewhere")) for route in of_venues]
    theirs = [route for route in of_venues if allows("manager", route.needs)]  # type: ignore[arg-type]
    second = [(route, address_of(shared, route, shared.cafe, venue="second")) for route in theirs]
    owner, manager = shared.desk("owner"), shared.desk("manager")
    with nothing_changes(shared.database, _SEEN):
        assert _faults(shared, owner, elsewhere, 404) == []
        assert _faults(shared, manager, second, 404) == []


def test_an_act_without_the_forms_token_is_refused(shared: House) -> None:
    desk = shared.desk("owner")
    _token(desk)
    acts = [route for route in shared.console.routes if route.method == "POST"]
    cases = [
        (route, address_of(shared, route, shared.cafe)) for route in acts if "token" not in _things(route)
    ]
    with nothing_changes(shared.database, _SEEN):
        for _route, address in cases:
            assert desk.client.post(address).status_code == 400, address
            assert desk.client.post(address, data={"csrf_token": "x"}).status_code == 400, address


@pytest.mark.once
@pytest.mark.parametrize(
    ("rule", "needs"),
    [
        ("/<brand>/x", "signed-in"), ("/<brand>/x", "anyone"), ("/x", "brand.edit"), ("/<brand>/x", ""),
        ("/<brand>/x", "brand.everything"), ("/<venue>", "signed-in"), ("/x/<brand>", "anyone"),
    ],
)  # fmt: skip
def test_a_route_that_does_not_say_what_it_needs_does_not_start(house: House, rule: str, needs: str) -> None:
    console = Console(house.services)
    with pytest.raises(RuntimeError):
        page(console, rule, needs=needs)(lambda _visit: "")  # type: ignore[arg-type]
    assert console.routes == []
