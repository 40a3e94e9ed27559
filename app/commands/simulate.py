"""``perkpass simulate``: the sandbox's servers one by one, for trying an installation of one's own."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from app.commands import simulate_google, simulate_sms
from app.simulators.apns import ApnsSimulator, serve, settings_for
from app.simulators.authority import Authority
from app.simulators.guest_browser import Guest
from app.simulators.phone import PhoneSettings
from app.simulators.sandbox import serve_phone

_PASSWORD = "sandbox"  # noqa: S105  # of a file that guards nothing
_directory = click.option(
    "--authority",
    type=click.Path(path_type=Path),
    default=Path(".sandbox"),
    show_default=True,
    help="where the sandbox's certificate authority lies; made at first use",
)


@click.group()
def simulate() -> None:
    """Stand-ins for Apple's and Google's side and for text gateways, on loopback only."""


simulate.add_command(simulate_google.google)
simulate.add_command(simulate_sms.sms)


@simulate.command()
@_directory
@click.argument("pass_type_identifier")
@click.argument("team_identifier")
@click.argument("folder", type=click.Path(path_type=Path))
def certificate(authority: Path, pass_type_identifier: str, team_identifier: str, folder: Path) -> None:
    """Make a pass certificate with its key in FOLDER; only the sandbox's phones trust it.

    What the console takes is upload.p12; a chain file or brand create names the folder.
    """
    made = _authority(authority)
    made.pass_credentials(
        folder,
        pass_type_identifier=pass_type_identifier,
        team_identifier=team_identifier,
        organization="Perkpass sandbox",
    )
    click.echo(f'To upload in the console: {made.for_upload(folder, _PASSWORD)} (password "{_PASSWORD}")')
    click.echo(f'As a brand\'s credentials: "file:{folder.resolve()}"')
    click.echo("Start Perkpass with the sandbox's authority, or it refuses what Apple has not signed:")
    click.echo(f"export PERKPASS_APNS_CA={shlex.quote(str(made.root.resolve()))}")


@simulate.command()
@_directory
@click.option("--port", default=8443, show_default=True)
@click.option("--control-port", default=8444, show_default=True, help="failure knobs and the push ledger")
def apns(authority: Path, port: int, control_port: int) -> None:
    """Apple's push service: HTTP/2, TLS, client certificates."""
    made = _authority(authority)
    settings = settings_for(made, authority / "apns", port=port, control_port=control_port)

    def ready(simulator: ApnsSimulator) -> None:
        click.echo(f"PERKPASS_APNS_URL={simulator.url}")
        click.echo(f"PERKPASS_APNS_CA={made.root.resolve()}")
        click.echo(
            f"Failure knobs and ledger: {simulator.control_url}/faults, {simulator.control_url}/pushes"
        )

    _until_interrupted(serve(settings, ready=ready))


@simulate.command()
@_directory
@click.argument("install_link")
@click.option(
    "--push-service", default="http://127.0.0.1:8444", show_default=True, help="control address of apns"
)
@click.option("--port", default=8445, show_default=True, help="of the page that shows the phone")
@click.option("--name", default="Анна", show_default=True, help="the guest's")
def phone(authority: Path, install_link: str, push_service: str, port: int, name: str) -> None:
    """One iPhone that installs a card from INSTALL_LINK, with a page that shows it."""
    settings = PhoneSettings(root=_authority(authority).root, push_service=push_service, allow_http=True)

    def ready(page: str) -> None:
        click.echo(f"The phone: {page}")

    _until_interrupted(serve_phone(settings, guest=Guest(name), link=install_link, port=port, ready=ready))


def _authority(directory: Path) -> Authority:
    if (directory / "authority").exists():
        return Authority.open(directory / "authority")
    return Authority.create(directory / "authority", now=datetime.now(UTC) - timedelta(days=1))


def _until_interrupted(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        click.echo("Stopped.")
