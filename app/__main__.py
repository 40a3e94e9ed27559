"""The command line: ``perkpass`` and ``python -m app``."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from app import __version__
from app.commands import failures

# Each is imported when it is asked for, so that the supervisor of `perkpass run` stays small.
_COMMANDS = {
    "demo": "demo",
    "run": "serve",
    "web": "serve",
    "worker": "serve",
    "migrate": "serve",
    "simulate": "simulate",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "backup",
    "chain": "chain",
    "brand": "brand",
    "programme": "programme",
    "design": "design",
    "venue": "venue",
    "placement": "venue",
    "staff": "staff",
    "link": "link",
    "poster": "poster",
    "places": "places",
    "badge": "badge",
    "key": "key",
    "user": "user",
    "member": "member",
    "audience": "audience",
    "offer": "offer",
    "campaign": "campaign",
    "sms": "sms",
    "issue": "issue",
    "template": "template",
    "audit": "audit",
    "device-log": "device_log",
}


class _LateGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"app.commands.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.command(cls=_LateGroup)
@click.version_option(__version__, prog_name="perkpass")
def cli() -> None:
    """Loyalty cards in Apple Wallet, kept live."""


def main() -> None:
    """Run the command line; what a person can act on becomes a clear sentence and exit status 1."""
    try:
        cli(prog_name="perkpass")
    except Exception as fault:
        if not (said := failures.sentences(fault)):
            raise
        failures.tell(said)
        sys.exit(1)


if __name__ == "__main__":
    main()
