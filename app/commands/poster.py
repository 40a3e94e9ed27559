"""``perkpass poster``: what to print for the wall, the till and the tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import click

from app.accounts import brands
from app.commands.answers import json_option, show, warn
from app.commands.shell import opened
from app.db import Tx
from app.errors import BadInput, Conflict, Misconfigured
from app.passes import designs, prints
from app.places import hangings, links, venues
from app.places.links import InstallLink
from app.posters import drawing, sizes
from app.posters.sizes import SIZES, Size
from app.settings import Settings


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="BRAND/VENUE|CODE...")
@click.option("--size", type=click.Choice(SIZES), default="a4", show_default=True)
@click.option(
    "--language",
    type=click.Choice(["ru", "en", "both"]),
    help="the brand's own where not given; both prints it first and large",
)
@click.option(
    "--for", "whom", type=click.Choice(hangings.PURPOSES), multiple=True, help="of a venue: its own link, …"
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    required=True,
    help="FILE.pdf with a page for each, or FILE.svg for one",
)
@click.option("--anyway", is_flag=True, help="even where no guest's phone would reach what the code says")
@json_option
def poster(
    what: tuple[str, ...],
    size: str,
    language: str | None,
    whom: tuple[str, ...],
    out: Path,
    anyway: bool,
    as_json: bool,
) -> None:
    """Draw what hangs on the wall and stands on the tables, as vectors ready to print.

    For each install link that is named by its CODE, and for the living ones of each BRAND/VENUE: all of them,
    or with --for only the venue's own, those of its tables, its staff and so on. Sizes: a4 and a5 upright,
    tent (an A5 sheet to fold), sticker (50 mm, cut round), square (50 mm). Prints of before scan for ever.
    """
    if out.suffix not in (".pdf", ".svg"):
        raise BadInput("unknown-format", f"{out}: name a file that ends in .pdf or .svg", field="out")
    chosen = cast("Size", size)
    with opened() as shell:
        if not anyway:
            _require_reachable(shell.settings)
        public_url = shell.settings.public_url.rstrip("/")
        with shell.database.read() as tx:
            found = _links(tx, what, whom)
            drawn = prints.posters(
                tx,
                found,
                design=lambda programme_id: designs.newest(tx, programme_id),
                url=lambda link: f"{public_url}/i/{link.code}",
                language=language or "",
                now=shell.now,
            )
        if out.suffix == ".svg" and len(drawn) > 1:
            raise BadInput(
                "too-many", f"{out}: an SVG holds one print, not {len(drawn)}: take .pdf", field="out"
            )
        body = drawing.draw_pdf(drawn, chosen) if out.suffix == ".pdf" else drawing.draw_svg(drawn[0], chosen)
        out.write_bytes(body)
        with shell.database.write() as tx:
            links.note_printed(tx, found, now=shell.now)
    modules = max(len(drawing.code(each.url).matrix) for each in drawn)
    if sizes.module_width(chosen, modules) < sizes.LEAST_MODULE:
        warn(f"the public address is so long that its code is too fine for {size}: take a larger size")
    show(
        {
            "file": str(out),
            "size": size,
            "prints": len(drawn),
            "read_from_cm": int(sizes.reading_distance(chosen, modules) / 10),
            "links": [link.code for link in found],
        },
        as_json=as_json,
    )


def _require_reachable(settings: Settings) -> None:
    """A print stays on the wall for years: its address is looked at before it is drawn."""
    if settings.public_is_loopback or urlsplit(settings.public_url).scheme != "https":
        raise Misconfigured(
            f"PERKPASS_PUBLIC_URL is {settings.public_url}: a guest's phone adds no card from there. "
            "Set it to the https address that guests reach, or print --anyway"
        )


def _links(tx: Tx, what: Sequence[str], whom: Sequence[str]) -> list[InstallLink]:
    """The living links that were asked for, each once, a venue's tables in the order of their numbers."""
    found: dict[str, InstallLink] = {}
    for each in what:
        brand, slash, venue = each.partition("/")
        for link in _of_venue(tx, brand, venue, whom) if slash else [_living(tx, each)]:
            found.setdefault(link.code, link)
    return list(found.values())


def _living(tx: Tx, code: str) -> InstallLink:
    link = links.link_by_code(tx, code)
    if link.retired_at is not None:
        raise Conflict("link-retired", f"The link {link.code} has ended: a print of it would invite nobody")
    return link


def _of_venue(tx: Tx, brand: str, slug: str, whom: Sequence[str]) -> list[InstallLink]:
    venue = venues.venue_by_slug(tx, brands.brand_by_slug(tx, brand).id, slug)
    found = hangings.hangings(tx, venue, purposes=[p for p in hangings.PURPOSES if not whom or p in whom])
    if not found:
        raise BadInput("no-link", f"{brand}/{slug} has no such link: see perkpass link list {brand}")
    return [each.link for each in found]
