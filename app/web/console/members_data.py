"""A guest's right to their data: all of it as a file, and to be forgotten."""

from __future__ import annotations

import tempfile

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import audit
from app.db.identifiers import MemberId
from app.loyalty import members
from app.reports.member_archive import write_archive
from app.reports.member_file import tables_of_member
from app.web.console.files import sent
from app.web.console.forms import Form, done, render, see
from app.web.console.members_page import member_of
from app.web.console.members_words import phone_words
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services


def register(console: Console, services: Services) -> None:
    """The file of a member, and their end."""

    @act(console, "/<brand>/members/<int:member_id>/file", needs="member.export")
    def file(visit: Visit, member_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:  # it reads much: nobody who writes is to wait for it
            member = member_of(tx, visit, MemberId(member_id))
            packed = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it was sent
            found = tables_of_member(tx, member.id)
            write_archive(packed, found, language=visit.language, now=visit.now)
        with services.database.write() as tx:
            audit.record(
                tx,
                at=visit.now,
                actor=visit.actor,
                brand_id=visit.brand.id,
                action="member.exported",
                subject=f"member {member.id}",
                detail={},
            )
        return sent(packed, name=f"{visit.brand.slug}-guest-{member.id}.zip", kind="application/zip")

    @page(console, "/<brand>/members/<int:member_id>/forget", needs="member.erase")
    def forget(visit: Visit, member_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            member = member_of(tx, visit, MemberId(member_id))
        return _page(visit, member_id, member.name, member.phone, Form())

    @act(console, "/<brand>/members/<int:member_id>/forget", needs="member.erase")
    def forget_for_good(visit: Visit, member_id: int) -> ResponseReturnValue:
        form = Form.posted()
        with services.database.read() as tx:
            member = member_of(tx, visit, MemberId(member_id))
        if not form.ticked("sure"):
            form.errors["sure"] = _("This cannot be undone, so tick the box first.")
            return _page(visit, member_id, member.name, member.phone, form)
        with services.database.write() as tx:
            members.remove(tx, MemberId(member_id), now=visit.now, actor=visit.actor)
        services.wakeup.ring()
        done(_("The guest is forgotten; the card in the phone becomes void."))
        return see(url_for("console.members_every"))


def _page(
    visit: Visit, member_id: int, name: str | None, phone: str | None, form: Form
) -> ResponseReturnValue:
    return render(
        visit,
        "members_forget.html",
        form=form,
        member_id=member_id,
        name=name or _("Guest without a name"),
        phone=phone_words(phone, whole=visit.may("member.phone")),
    )
