"""``perkpass badge``: the wallets' own artwork for the button on the install page."""

from __future__ import annotations

from pathlib import Path

import click

from app import data_dir
from app.commands.answers import json_option, show, show_list
from app.errors import BadInput
from app.settings import load
from app.web import badges
from app.web.language import LANGUAGES, Language

_SOURCES: dict[badges.Wallet, str] = {
    "apple": "developer.apple.com/wallet: Add to Apple Wallet, Badge artwork (SVG, Russian and English)",
    "google": "developers.google.com/wallet: Brand guidelines, Add to Google Wallet buttons (SVG)",
}


@click.group()
def badge() -> None:
    """Badges: Apple's and Google's own artwork for the button, which only they may hand out."""


@badge.command("list")
@json_option
def list_badges(as_json: bool) -> None:
    """Which artwork there is, and where to get what is missing."""
    directory = _directory()
    known = badges.Badges(directory)
    show_list(
        [
            {
                "wallet": wallet,
                "language": language,
                "file": badges.path_of(directory, wallet, language).name,
                "state": _state(known, directory, wallet, language),
                "source": _SOURCES[wallet],
            }
            for wallet in badges.WALLETS
            for language in LANGUAGES
        ],
        as_json=as_json,
        empty="",
    )


@badge.command()
@click.argument("wallet", type=click.Choice(badges.WALLETS))
@click.argument("language", type=click.Choice(LANGUAGES))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dark", is_flag=True, help="the version with an outline, for dark ground")
@json_option
def add(wallet: badges.Wallet, language: Language, file: Path, dark: bool, as_json: bool) -> None:
    """Use the SVG FILE as the badge of WALLET in LANGUAGE. Web processes show it from their next start."""
    artwork = badges.checked_artwork(file.read_bytes())
    directory = _directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = badges.path_of(directory, wallet, language, dark=dark)
    target.write_bytes(artwork.data)
    show({"file": str(target), "shown_at": f"{artwork.width} x {badges.HEIGHT}"}, as_json=as_json)


def _directory() -> Path:
    settings = load()
    data_dir.prepare(settings.data_dir)
    return settings.data_dir / badges.DIRECTORY


def _state(known: badges.Badges, directory: Path, wallet: badges.Wallet, language: Language) -> str:
    path = badges.path_of(directory, wallet, language)
    if found := known.badge(wallet, language):
        return "used, with an outline in the dark" if found.dark is not found.light else "used"
    try:
        badges.checked_artwork(path.read_bytes())
    except FileNotFoundError:
        return "missing: a plain button is shown"
    except (OSError, BadInput) as fault:
        return f"not used: {fault}"
    return "used"
