"""The command line: ``perkpass`` and ``python -m app``."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from app import __version__
from app.errors import PerkpassError

# Loaded when asked for, so that `perkpass --help` and the supervisor stay small and fast.
_COMMANDS = {
    "run": "app.commands.serve:run",
    "web": "app.commands.serve:web",
    "worker": "app.commands.serve:worker",
    "migrate": "app.commands.serve:migrate",
    "audit": "app.commands.audit:audit",
    "backup": "app.commands.backup:backup",
    "brand": "app.commands.brand:brand",
    "chain": "app.commands.chain:chain",
    "design": "app.commands.design:design",
    "doctor": "app.commands.doctor:doctor",
    "issue": "app.commands.issue:issue",
    "key": "app.commands.key:key",
    "link": "app.commands.link:link",
    "member": "app.commands.member:member",
    "placement": "app.commands.venue:placement",
    "programme": "app.commands.programme:programme",
    "restore": "app.commands.backup:restore",
    "staff": "app.commands.staff:staff",
    "template": "app.commands.template:template",
    "venue": "app.commands.venue:venue",
}


class _LateGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.command(cls=_LateGroup)
@click.version_option(__version__, prog_name="perkpass")
def cli() -> None:
    """Loyalty cards in Apple Wallet and Google Wallet, kept live."""


def main() -> None:
    """Run the command line; what we refuse becomes one clear sentence and exit status 1."""
    try:
        cli(prog_name="perkpass")
    except PerkpassError as fault:
        click.echo(f"perkpass: {fault}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
