"""``perkpass design draft``, the ways back: what was saved, undone, laid aside and taken up again."""

from __future__ import annotations

import click

from app.commands.answers import json_option, show, show_list
from app.commands.design_draft import described, follow, open_draft, programme_of
from app.commands.shell import opened
from app.errors import Conflict, NotFound
from app.passes import draft_steps, drafts


@click.command("steps")
@click.argument("brand")
@click.argument("programme")
@json_option
def list_steps(brand: str, programme: str, as_json: bool) -> None:
    """What the draft was each time it was saved, newest first; `undo --to` leads back to any."""
    with opened() as shell:
        _card, _values, found = open_draft(shell, brand, programme)
        with shell.database.read() as tx:
            saved = drafts.revisions(tx, found.id)
    show_list(
        [{"revision": each.number, "at": each.at, "by": each.actor} for each in saved],
        as_json=as_json,
        empty="Nothing was saved yet.",
    )


@click.command()
@click.argument("brand")
@click.argument("programme")
@click.option(
    "--to", "revision", type=click.IntRange(min=1), help="a revision of `steps`; else the last but one"
)
@json_option
def undo(brand: str, programme: str, revision: int | None, as_json: bool) -> None:
    """Make the draft what it was before; this is a step too, and can be undone."""
    with opened() as shell:
        _card, _values, found = open_draft(shell, brand, programme)
        wanted = revision if revision is not None else found.revision - 1
        if wanted < 1:
            raise Conflict("nothing-to-undo", "The draft was saved once: there is nothing before.")
        with shell.database.write() as tx:
            restored = drafts.restore(
                tx,
                found.id,
                wanted,
                expected_updated_at=found.updated_at,
                now=shell.now,
                actor=shell.actor,
            )
        follow(shell, brand, programme)
        show(described(restored), as_json=as_json)


@click.command()
@click.argument("brand")
@click.argument("programme")
@json_option
def reopen(brand: str, programme: str, as_json: bool) -> None:
    """Take up the draft again that was laid aside last; it is kept for thirty days."""
    with opened() as shell:
        with shell.database.write() as tx:
            card = programme_of(tx, brand, programme)
            laid_aside = draft_steps.last_discarded(tx, card.id)
            if laid_aside is None:
                raise NotFound("no-such-draft", f"No draft of {programme} was laid aside.")
            found = drafts.reopen(tx, laid_aside, brand_id=card.brand_id, now=shell.now, actor=shell.actor)
        show(described(found), as_json=as_json)
