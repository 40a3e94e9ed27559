"""Things of the shell's own addresses."""

from __future__ import annotations

from collections.abc import Callable

from app.accounts import invitations, sessions
from tests.web.console.house import House
from tests.web.guests import Shop


def _user(house: House, shop: Shop) -> object:
    return house.team[shop.brand.slug, "marketer"].id


def _invitation(house: House, shop: Shop) -> object:
    with house.database.write() as tx:
        return invitations.invite(tx, shop.brand.id, "owner", now=house.clock(), actor="test")[0].id


def _token(house: House, shop: Shop) -> object:
    with house.database.write() as tx:
        return invitations.invite(tx, shop.brand.id, "owner", now=house.clock(), actor="test")[1]


def _session(house: House, shop: Shop) -> object:
    owner = house.team[shop.brand.slug, "owner"]
    with house.database.write() as tx:
        return sessions.begin(tx, owner, user_agent="", now=house.clock())[0].id


SAMPLES: dict[str, Callable[[House, Shop], object]] = {
    "user_id": _user,
    "invitation_id": _invitation,
    "session_id": _session,
    "token": _token,
}
