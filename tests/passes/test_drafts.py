"""Drafts: saved step by step, undone, guarded against two who save at once, published."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.accounts.tables import audit_entry
from app.db import Database, Tx
from app.db.identifiers import BrandId, ProgrammeId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty.tables import programme
from app.passes import designs, drafts, edits, template_folders
from app.passes.content import LocalizedText
from app.passes.drafts import Draft
from app.passes.findings import DesignRefused
from app.passes.tables import draft_file, draft_revision
from app.passes.template import Template, read_template
from tests.passes import card, templates
from tests.passes.test_designs import a_programme, publish
from tests.passes.test_pictures import PICTURE

NOW = card.NOW
SECOND = timedelta(seconds=1)
TEMPLATE = read_template(templates.FOLDER / "stamp_card")[0]
VALUES = templates.values("stamp_card")


def brand_of(tx: Tx, programme_id: ProgrammeId) -> BrandId:
    return BrandId(
        tx.execute(select(programme.c.brand_id).where(programme.c.id == programme_id)).scalar_one()
    )


def begin(tx: Tx, template: Template = TEMPLATE) -> Draft:
    programme_id = a_programme(tx)
    return drafts.start(
        tx, programme_id, template, brand_id=brand_of(tx, programme_id), now=NOW, actor="user:1"
    )


def coloured(template: Template, colour: str) -> Template:
    return edits.with_colour(template, "backgroundColor", colour)


def test_a_draft_is_read_back_as_it_was_begun_and_there_is_one_of_a_programme(database: Database) -> None:
    with database.write() as tx:
        made = begin(tx)
        with pytest.raises(Conflict, match="a draft already"):
            drafts.start(
                tx, made.programme_id, TEMPLATE, brand_id=brand_of(tx, made.programme_id), now=NOW, actor="x"
            )
    with database.read() as tx:
        assert drafts.open_draft(tx, made.programme_id) == made
    assert made.template == TEMPLATE
    assert (made.revision, made.updated_at, made.updated_by, made.ending) == (1, NOW, "user:1", None)


def test_a_save_is_a_step_and_nothing_new_is_none(database: Database) -> None:
    with database.write() as tx:
        first = begin(tx)
        same = drafts.save(tx, first.id, TEMPLATE, expected_updated_at=NOW, now=NOW, actor="user:2")
        assert same == first
        second = drafts.save(
            tx, first.id, coloured(TEMPLATE, "#102030"), expected_updated_at=NOW, now=NOW, actor="user:2"
        )
    assert second.template == coloured(TEMPLATE, "#102030")
    assert (second.revision, second.updated_by) == (2, "user:2")
    assert second.updated_at > first.updated_at


def test_who_saves_second_is_told_and_overwrites_nothing(database: Database) -> None:
    with database.write() as tx:
        first = begin(tx)
        mine = drafts.save(
            tx, first.id, coloured(TEMPLATE, "#102030"), expected_updated_at=NOW, now=NOW, actor="user:1"
        )
    with database.write() as tx, pytest.raises(Conflict, match="meanwhile"):
        drafts.save(
            tx, first.id, coloured(TEMPLATE, "#405060"), expected_updated_at=NOW, now=NOW + SECOND, actor="x"
        )
    with database.read() as tx:
        assert drafts.draft(tx, first.id) == mine


def test_steps_are_undone_and_only_the_last_are_kept_with_their_images(database: Database) -> None:
    with database.write() as tx:
        present = begin(tx)
        for number in range(drafts.KEPT_REVISIONS + 3):
            template = coloured(TEMPLATE, f"#0000{number:02x}")
            if number == 0:
                template = edits.with_images(template, "logo", {"logo.png": PICTURE})
            present = drafts.save(
                tx, present.id, template, expected_updated_at=present.updated_at, now=NOW, actor="user:1"
            )
        kept = [each.number for each in drafts.revisions(tx, present.id)]
        assert kept == list(range(present.revision, present.revision - drafts.KEPT_REVISIONS, -1))
        assert tx.scalar(select(func.count()).select_from(draft_revision)) == drafts.KEPT_REVISIONS
        assert tx.scalar(select(func.count()).select_from(draft_file)) == len(set(TEMPLATE.files.values()))
        before = drafts.restore(
            tx,
            present.id,
            present.revision - 1,
            expected_updated_at=present.updated_at,
            now=NOW,
            actor="user:1",
        )
        assert before.template == coloured(TEMPLATE, f"#0000{drafts.KEPT_REVISIONS + 1:02x}")
        assert before.revision == present.revision + 1
        with pytest.raises(NotFound):
            drafts.restore(tx, before.id, 1, expected_updated_at=before.updated_at, now=NOW, actor="user:1")


def test_a_discarded_draft_is_taken_up_again_unless_there_is_another(database: Database) -> None:
    with database.write() as tx:
        made = begin(tx)
        brand_id = brand_of(tx, made.programme_id)
        drafts.discard(tx, made.id, brand_id=brand_id, now=NOW, actor="user:1")
        assert drafts.open_draft(tx, made.programme_id) is None
        with pytest.raises(Conflict, match="discarded"):
            drafts.save(tx, made.id, TEMPLATE, expected_updated_at=NOW, now=NOW, actor="user:1")
        assert drafts.reopen(tx, made.id, brand_id=brand_id, now=NOW, actor="user:1") == made
        drafts.discard(tx, made.id, brand_id=brand_id, now=NOW, actor="user:1")
        drafts.start(tx, made.programme_id, TEMPLATE, brand_id=brand_id, now=NOW, actor="user:1")
        with pytest.raises(Conflict, match="another draft"):
            drafts.reopen(tx, made.id, brand_id=brand_id, now=NOW, actor="user:1")
        assert drafts.purge(tx, now=NOW + drafts.KEPT) == 0
        assert drafts.purge(tx, now=NOW + drafts.KEPT + SECOND) == 1
        with pytest.raises(NotFound):
            drafts.draft(tx, made.id)
        assert list(tx.scalars(select(audit_entry.c.action).order_by(audit_entry.c.id))) == [
            "design.drafted", "design.draft_discarded", "design.draft_reopened", "design.draft_discarded",
            "design.drafted",
        ]  # fmt: skip


def test_a_draft_is_published_as_the_next_version_and_ends(database: Database) -> None:
    with database.write() as tx:
        made = begin(tx)
        brand_id = brand_of(tx, made.programme_id)
        ready = drafts.ready(made, VALUES, now=NOW)
        published = drafts.publish(tx, made, ready, brand_id=brand_id, now=NOW, actor="user:1")
        assert designs.newest(tx, made.programme_id) == published
        assert "stamps/6/strip@3x.png" in published.files
        assert [each.version for each in drafts.history(tx, made.programme_id)] == [1]
        with pytest.raises(Conflict, match="published"):
            drafts.publish(tx, made, ready, brand_id=brand_id, now=NOW, actor="user:1")
        assert drafts.draft(tx, made.id).ending == "published"


def test_publishing_a_draft_that_changed_nothing_tells_the_log_of_no_version(database: Database) -> None:
    with database.write() as tx:
        made = begin(tx)
        brand_id = brand_of(tx, made.programme_id)
        ready = drafts.ready(made, VALUES, now=NOW)
        first = drafts.publish(tx, made, ready, brand_id=brand_id, now=NOW, actor="user:1")
        again = drafts.start(tx, made.programme_id, TEMPLATE, brand_id=brand_id, now=NOW, actor="user:1")
        assert drafts.publish(tx, again, ready, brand_id=brand_id, now=NOW, actor="user:1").id == first.id
        assert drafts.draft(tx, again.id).ending == "published"
        told = audit_entry.c.action == "design.published"
        assert tx.scalar(select(func.count()).select_from(audit_entry).where(told)) == 1


def test_nobody_publishes_what_somebody_else_has_changed(database: Database) -> None:
    with database.write() as tx:
        made = begin(tx)
        ready = drafts.ready(made, VALUES, now=NOW)
        drafts.save(tx, made.id, coloured(TEMPLATE, "#102030"), expected_updated_at=NOW, now=NOW, actor="x")
        with pytest.raises(Conflict, match="publish again"):
            drafts.publish(tx, made, ready, brand_id=brand_of(tx, made.programme_id), now=NOW, actor="user:1")
        assert drafts.history(tx, made.programme_id) == []


def test_faults_are_told_and_refuse_publishing_but_not_saving(database: Database) -> None:
    broken = edits.without_images(TEMPLATE, "icon")
    with database.write() as tx:
        made = begin(tx, broken)
    found = drafts.check(drafts.assembled(made.template, VALUES), now=NOW)
    assert found[0].code == "icon-missing"
    with pytest.raises(DesignRefused, match="icon"):
        drafts.ready(made, VALUES, now=NOW)


@pytest.mark.parametrize("name", templates.NAMES)
def test_a_version_that_is_exported_and_brought_back_is_the_same_version(
    database: Database, name: templates.Name
) -> None:
    """Also where the brand's own colour, image and rules were given when it was published."""
    values = templates.values(
        name, colours={"labelColor": "#ffffff"}, images={"icon.png": card.png(29, 29)}, own_texts=("rules",)
    )
    with database.write() as tx:
        programme_id = a_programme(tx)
        version = publish(tx, programme_id, template=templates.FOLDER / name, values=values)
        archive = template_folders.to_zip(designs.source(tx, version.id))
        brought = template_folders.from_zip(archive, "x.zip").template
        brand_id = brand_of(tx, programme_id)
        made = drafts.start(
            tx, programme_id, brought, base_design_id=version.id, brand_id=brand_id, now=NOW, actor="user:1"
        )
        bare = templates.values(name, texts={**templates.PAGES, "support": values.texts["support"]})
        ready = drafts.ready(made, bare, now=NOW)
        assert ready.layout == version.layout
        assert drafts.publish(tx, made, ready, brand_id=brand_id, now=NOW, actor="user:1") == version


def test_what_no_database_keeps_is_refused(database: Database) -> None:
    def begun(template: Template) -> None:
        drafts.start(tx, programme_id, template, brand_id=brand_id, now=NOW, actor="user:1")

    many = {f"tiers/{n}/a{m}.png": PICTURE for n in range(1, 21) for m in range(11)}
    long = TEMPLATE
    for number in range(70):
        long = edits.with_text(long, f"text_{number}", LocalizedText("я" * 4000, ""))
    with database.write() as tx:
        programme_id = a_programme(tx)
        brand_id = brand_of(tx, programme_id)
        for line in ('note = "a\\u0000b"', "note = nan", "note = -inf"):
            files = template_folders.files_of(TEMPLATE)
            files["layout.toml"] = f"{line}\n".encode() + files["layout.toml"]
            with pytest.raises(BadInput, match="no card can show"):
                begun(template_folders.from_files("card", files).template)
        with pytest.raises(BadInput, match="images"):
            begun(edits.with_images(TEMPLATE, "logo", many))
        with pytest.raises(BadInput, match="shorten"):
            begun(long)
        assert drafts.open_draft(tx, programme_id) is None
