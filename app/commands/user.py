"""``perkpass user``: who signs in to the console; the first of them, and whoever lost their way in."""

from __future__ import annotations

from typing import cast

import click

from app.accounts import brands, invitations, roles, sessions, users
from app.accounts.roles import Role
from app.accounts.users import User
from app.commands.answers import Record, json_option, show, show_list
from app.commands.shell import Shell, opened
from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.places import venues

_ONCE = "The link is shown once and works once: pass it on to them alone."
_role = click.option("--role", type=click.Choice(roles.ROLES), help="what they may do in the brand")
_venue = click.option("--venue", "slugs", multiple=True, help="a manager's venue; say it once for each")


@click.group()
def user() -> None:
    """Users of the console: invite, list, help back in."""


@user.command()
@click.option("--brand", help="slug: a role in this brand; without it, to run this installation")
@_role
@_venue
@click.option("--name", default="", help="whom it is for, so that the list of invitations says it")
@json_option
def invite(brand: str | None, role: str | None, slugs: tuple[str, ...], name: str, as_json: bool) -> None:
    """Make a link by which somebody gets an account, or a role for the one they have.

    Without --brand it is for an operator: they own every brand and make new ones. The very first user is one.
    """
    if (brand is None) != (role is None) or (slugs and role != "manager"):
        raise click.UsageError("give --brand and --role together, and --venue for a manager")
    with opened() as shell:
        with shell.database.write() as tx:
            if brand is None:
                made, token = invitations.invite_operator(tx, name=name, now=shell.now, actor=shell.actor)
            else:
                brand_id = brands.brand_by_slug(tx, brand).id
                made, token = invitations.invite(
                    tx, brand_id, cast("Role", role), venues=_venues(tx, brand_id, slugs), name=name,
                    now=shell.now, actor=shell.actor,
                )  # fmt: skip
        _show_link(shell, token, {"role": role or "operator", "expires_at": made.expires_at}, as_json=as_json)


@user.command("list")
@click.option("--brand", help="slug: of this brand only")
@json_option
def list_users(brand: str | None, as_json: bool) -> None:
    """Who signs in, and with which role where."""
    with opened() as shell, shell.database.read() as tx:
        slugs = {each.id: each.slug for each in brands.all_brands(tx)}
        if brand is None:
            found = users.all_users(tx)
        else:
            brand_id = brands.brand_by_slug(tx, brand).id
            found = [person.user for person in users.people_of_brand(tx, brand_id)]
        records = [_record(tx, each, slugs) for each in found]
    show_list(
        records, as_json=as_json, empty="Nobody signs in yet. Make a link for the first: perkpass user invite"
    )


@user.command()
@click.argument("email")
@click.argument("brand")
@click.argument("role", type=click.Choice(roles.ROLES))
@_venue
@json_option
def role(email: str, brand: str, role: str, slugs: tuple[str, ...], as_json: bool) -> None:
    """Give the user EMAIL the role ROLE in BRAND, in place of the one they have."""
    with opened() as shell:
        with shell.database.write() as tx:
            whom, brand_id = users.user_by_email(tx, email), brands.brand_by_slug(tx, brand).id
            users.grant(
                tx, whom.id, brand_id, cast("Role", role), _venues(tx, brand_id, slugs), now=shell.now,
                actor=shell.actor,
            )  # fmt: skip
            record = _record(tx, whom, {each.id: each.slug for each in brands.all_brands(tx)})
        show(record, as_json=as_json)


@user.command()
@click.argument("email")
@click.argument("brand")
@json_option
def remove(email: str, brand: str, as_json: bool) -> None:
    """Take the role of the user EMAIL in BRAND away."""
    with opened() as shell:
        with shell.database.write() as tx:
            whom, brand_id = users.user_by_email(tx, email), brands.brand_by_slug(tx, brand).id
            users.revoke(tx, whom.id, brand_id, now=shell.now, actor=shell.actor)
            record = _record(tx, whom, {each.id: each.slug for each in brands.all_brands(tx)})
        show(record, as_json=as_json)


@user.command()
@click.argument("email")
@click.option("--on/--off", "operator", default=True, help="whether they run this installation")
@json_option
def operator(email: str, operator: bool, as_json: bool) -> None:
    """Let the user EMAIL run this installation, or no longer."""
    with opened() as shell:
        with shell.database.write() as tx:
            whom = users.user_by_email(tx, email)
            after = users.set_operator(tx, whom.id, operator=operator, now=shell.now, actor=shell.actor)
        show({"email": after.email, "operator": after.operator}, as_json=as_json)


@user.command("password-link")
@click.argument("email")
@json_option
def password_link(email: str, as_json: bool) -> None:
    """Make a link by which the user EMAIL chooses a new password."""
    with opened() as shell:
        with shell.database.write() as tx:
            whom = users.user_by_email(tx, email)
            made, token = invitations.invite_to_new_password(tx, whom.id, now=shell.now, actor=shell.actor)
        _show_link(shell, token, {"email": whom.email, "expires_at": made.expires_at}, as_json=as_json)


@user.command("sign-out")
@click.argument("email")
@json_option
def sign_out(email: str, as_json: bool) -> None:
    """End every session of the user EMAIL: a phone was lost."""
    with opened() as shell:
        with shell.database.write() as tx:
            whom = users.user_by_email(tx, email)
            ended = sessions.end_all(tx, whom, now=shell.now, actor=shell.actor)
        show({"email": whom.email, "ended_sessions": ended}, as_json=as_json)


def link_address(public_url: str, token: str) -> str:
    """Where the link leads."""
    return f"{public_url.rstrip('/')}/console/invited/{token}"


def _venues(tx: Tx, brand_id: BrandId, slugs: tuple[str, ...]) -> list[VenueId]:
    return [venues.venue_by_slug(tx, brand_id, slug).id for slug in slugs]


def _show_link(shell: Shell, token: str, about: Record, *, as_json: bool) -> None:
    show({**about, "link": link_address(shell.settings.public_url, token)}, as_json=as_json)
    click.echo(_ONCE, err=True)


def _record(tx: Tx, whom: User, slugs: dict[BrandId, str]) -> Record:
    given = [] if whom.operator else users.accesses(tx, whom)
    return {
        "id": whom.id,
        "email": whom.email,
        "name": whom.name,
        "operator": whom.operator,
        "roles": [f"{each.role} of {slugs[each.brand_id]}" for each in given],
    }
