"""From a draft to a version: a last look, a card on one's own phone, publishing."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.errors import NotFound
from app.passes import drafts, google_accounts
from app.passes.findings import DesignRefused
from app.passes.sample_guests import default_look
from app.reports.google_outlook import google_outlook
from app.web.console import designs_fields, designs_form, designs_trial, designs_words
from app.web.console.designs_notes import Note
from app.web.console.designs_preview import PHONES, READERS, Sight, is_refused, seen
from app.web.console.designs_work import Work, looked_at, opened, values_of
from app.web.console.forms import done, render, see
from app.web.console.google_words import outlook_words
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

_AT = "/<brand>/designs/<int:programme_id>/draft"


def register(console: Console, _services: Services) -> None:
    """``/console/<brand>/designs/<int:programme_id>/draft/publish``."""
    page(console, f"{_AT}/publish", needs="design.edit")(review)
    act(console, f"{_AT}/publish", needs="design.publish")(publish)


def review(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """What would be published, on a small and a large phone in both languages, and what is wrong with it."""
    found, draft = opened(visit, programme_id)
    if draft is None:
        return see(url_for("console.designs_programme", programme_id=programme_id))
    work = looked_at(visit, found, draft, draft.template)
    with visit.services.database.read() as tx:
        versions = drafts.history(tx, found.id)
        is_at_google = google_accounts.of_brand(tx, visit.brand.id) is not None
        google = google_outlook(tx, found.id, rate=visit.services.google_rate, now=visit.now)
    look = default_look(work.made.layout)
    sights = [
        Sight(phone=phone, reader=reader, look=look) for phone, reader in zip(PHONES, READERS, strict=True)
    ]
    return render(
        visit,
        "designs_publish.html",
        programme=found,
        work=work,
        told=_told(visit, work),
        refused=is_refused(work.findings),
        is_at_google=is_at_google,
        trial=designs_trial.own_card(visit, found),
        cards=sum(version.cards for version in versions),
        at_google=outlook_words(google),
        number_next=max((version.version for version in versions), default=0) + 1,
        pictures=[seen(work.made, work.findings, sight, visit.brand, now=visit.now) for sight in sights],
    )


def publish(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """New cards are made with it from now on; those in phones wait for the roll-out."""
    found, draft = opened(visit, programme_id)
    if draft is None:
        raise NotFound("no-such-draft", "There is no such draft.")
    try:
        ready = drafts.ready(draft, values_of(visit, found), now=visit.now)
    except DesignRefused:
        return see(url_for("console.designs_publish_review", programme_id=programme_id))
    with visit.services.database.write() as tx:
        made = drafts.publish(tx, draft, ready, brand_id=visit.brand.id, now=visit.now, actor=visit.actor)
    done(_("Version %(number)s is published: new guests get it from now on.", number=made.version))
    return see(url_for("console.designs_programme", programme_id=programme_id))


def _told(visit: Visit, work: Work) -> list[tuple[str, str, Note]]:
    """What is wrong or could be better: where in words, the address of the field, and the note."""
    labels = {name: words for name, words, _hint in designs_words.groups()}
    form = designs_form.filled(work.template, work.values)
    places = {
        row.name: f"{labels[group]}: {form[f'{row.name}.label.{visit.language}']}"
        for group, rows in designs_fields.rows(work.template).items()
        for row in rows
    }
    address = url_for("console.designs_editor_edit", programme_id=work.programme.id)
    order = {"wrong": 0, "warn": 1}
    told = [
        (designs_words.place(slot, places), f"{address}#{slot}" if slot else address, note)
        for slot, notes in work.notes.slots
        for note in notes
        if note.tone in order
    ]
    return sorted(told, key=lambda each: order[each[2].tone])
