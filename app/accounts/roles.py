"""What a role may do: one table, which pages, commands and tests go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

Role = Literal["owner", "marketer", "manager", "cashier"]  # each may do all that the next one may
ROLES: Final[tuple[Role, ...]] = get_args(Role)

Permission = Literal[
    "brand.read",  # that there is such a brand, and its first page
    "sheet.read",  # what the people at the till go by
    "brand.edit",
    "certificate.edit",
    "programme.edit",
    "design.read",
    "design.edit",
    "design.publish",
    "places.read",
    "places.edit",  # placements and links: what hangs where
    "venue.edit",  # which venues there are, and what they are called
    "staff.edit",
    "key.edit",
    "funnel.read",
    "funnel.export",
    "member.read",
    "member.phone",  # the whole number; without it the last digits are shown
    "member.card",  # block a card, hand it over, issue it anew
    "member.correct",  # a balance
    "member.export",
    "member.erase",
    "audience.read",
    "campaign.read",
    "campaign.write",  # write, test, send, pause; and how often guests may be spoken to
    "offer.edit",  # make and end them, and read what they did
    "launch.read",
    "launch.edit",
    "health.read",
    "user.edit",
    "audit.read",
]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

_MANAGER: Final[frozenset[Permission]] = frozenset(
    {
        "brand.read",
        "sheet.read",
        "places.read",
        "places.edit",
        "staff.edit",
        "funnel.read",
        "funnel.export",
        "launch.read",
        "member.read",
        "member.card",
    }
)
_MARKETER: Final[frozenset[Permission]] = _MANAGER | {
    "audience.read",
    "campaign.read",
    "campaign.write",
    "offer.edit",
    "design.read",
    "design.edit",
    "design.publish",
    "programme.edit",
    "venue.edit",
    "member.phone",
    "member.correct",
    "health.read",
}
MAY: Final[Mapping[Role, frozenset[Permission]]] = {
    "owner": frozenset(PERMISSIONS),
    "marketer": _MARKETER,
    "manager": _MANAGER,  # in venues of their own
    "cashier": frozenset({"brand.read", "sheet.read"}),
}


def allows(role: Role, permission: Permission) -> bool:
    """Whether who has ``role`` in a brand may do this there."""
    return permission in MAY[role]
