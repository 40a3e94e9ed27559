"""A team as one meets it: for pictures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.accounts import brands, invitations, sessions, users
from app.places import venues
from tests.web.console.house import House

_NAMES = {
    "owner": "Анна Ковалёва",
    "marketer": "Илья Рощин",
    "manager": "Вера Лунина",
    "cashier": "Тимур Асадов",
}
_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/137.0.0.0 Safari/537.36"


def team(house: House) -> None:
    """Names, addresses, an invitation, two devices."""
    cafe, now = house.cafe, house.clock()
    with house.database.write() as tx:
        for (brand, role), user in house.team.items():
            if brand == "cafe":
                users.rename(tx, user.id, _NAMES[role], now=now, actor=user.actor)
        for venue, name in ((cafe.venue, "Зерно на набережной"), (house.second["cafe"], "Зерно на Лесной")):
            draft = replace(venues.venue(tx, venue.id).draft(), name=name)
            venues.update_venue(tx, venue.id, draft, now=now, actor="user:1")
        invitations.invite(
            tx, cafe.brand.id, "manager", venues=[cafe.venue.id], name="Олег", now=now - timedelta(hours=3),
            actor="user:1",
        )  # fmt: skip
        sessions.begin(
            tx,
            users.user(tx, house.team["cafe", "owner"].id),
            user_agent=_CHROME,
            now=now - timedelta(hours=5),
        )
        renamed = replace(brands.brand(tx, cafe.brand.id).draft(), name="Зерно")
        brands.update_brand(tx, cafe.brand.id, renamed, now=now, actor="user:1")
