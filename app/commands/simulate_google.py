"""``perkpass simulate google``: Google Wallet on this machine, and a service account's file that it knows."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from app.simulators.google_accounts import new_service_account
from app.simulators.google_server import ISSUER, GoogleSettings, GoogleSimulator, serve


@click.command()
@click.option("--port", default=8450, show_default=True)
@click.option(
    "--issuer", "issuers", multiple=True, default=(ISSUER,), show_default=True, help="may be repeated"
)
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".sandbox/google.json"),
    show_default=True,
    help="the service account's file; made at first use",
)
def google(port: int, issuers: tuple[str, ...], path: Path) -> None:
    """Google Wallet: tokens, classes and objects, save links, callbacks. What it holds ends with it."""
    simulator = GoogleSimulator(GoogleSettings(port=port, issuers=issuers))
    simulator.register(_service_account(path, f"http://127.0.0.1:{port}/token"))

    def ready(simulator: GoogleSimulator) -> None:
        url = simulator.url
        click.echo(f"PERKPASS_GOOGLE_WALLET_URL={url}")
        click.echo(f"PERKPASS_GOOGLE_TOKEN_URL={url}/token")
        click.echo(f"PERKPASS_GOOGLE_SAVE_URL={simulator.links.address}")
        click.echo(f"PERKPASS_GOOGLE_CALLBACK_KEYS_URL={url}/gp/m/issuer/keys")
        click.echo(f'As a brand\'s credentials: issuer {", ".join(issuers)}, "file:{path.resolve()}"')
        click.echo(f"Failure knobs and ledgers: {url}/_sim/faults, {url}/_sim/notices, {url}/_sim/callbacks")

    try:
        asyncio.run(serve(simulator, ready=ready))
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _service_account(path: Path, token_url: str) -> dict[str, Any]:
    """The file's account, a new one where there is none yet; nobody else may read it."""
    if path.exists():
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) | {"token_uri": token_url}
    else:
        document = new_service_account(token_url)
        path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return document
