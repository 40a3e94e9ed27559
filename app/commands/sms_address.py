"""``perkpass sms address``: what to enter in a gateway's cabinet so that it tells us of texts."""

from __future__ import annotations

import click

from app.commands.sms_accounts import the_book
from app.errors import Misconfigured, NotFound
from app.settings import load
from app.sms import logins


@click.command()
@click.argument("login")
def address(login: str) -> None:
    """The address of receipts and incoming texts of LOGIN, for its gateway's cabinet. It holds a key."""
    settings = load()
    known = the_book(settings).logins.get(login)
    if known is None:
        raise NotFound("no-such-login", f"There is no login {login!r} in {settings.sms_file}")
    if known.gateway == "smpp":
        raise Misconfigured(f"login {login}: a centre tells us over its own connection, and wants no address")
    found = logins.receipts_address(known, f"{settings.public_url.rstrip('/')}/sms/receipts/{login}")
    if found is None:
        raise Misconfigured(f"login {login}: give it a receipts_secret, which its address is made from")
    click.echo(found)
