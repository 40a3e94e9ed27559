"""The brand's certificate: what it is, until when, a new one in its place, and a request to Apple for one."""

from __future__ import annotations

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import brands, users
from app.accounts.brands import Brand
from app.db import Tx
from app.errors import Conflict, PerkpassError, Refused
from app.passes import certificate_requests, google_accounts, stored_certificates
from app.passes.certificate_files import CertificateRefused
from app.passes.signing import Signer, expiry_stage
from app.passes.stored_certificates import STORED
from app.web.console import certificate_google
from app.web.console.forms import Form, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.sentences import translated
from app.web.console.visit import NotAllowed, Visit
from app.web.console.wording import explain
from app.web.services import Services

FILE_NAME = "perkpass.certSigningRequest"
CODES = (
    "empty-file", "too-large", "not-a-certificate", "a-request", "damaged-file", "old-encryption",
    "password-needed", "wrong-password", "no-key", "key-alone", "key-of-another", "not-rsa", "key-size",
    "wrong-kind", "no-pass-type", "wrong-time", "unknown-intermediate", "not-apple", "intermediate-expired",
)  # fmt: skip
"""Of :class:`CertificateRefused`: its sentences are said in the reader's language."""


def _told(fault: Refused) -> str:
    sentences = fault.sentences if isinstance(fault, CertificateRefused) else (fault.message,)
    return " ".join(translated(each) for each in sentences)


explain(dict.fromkeys(CODES, _told))
explain(
    {
        "another-pass-type": lambda _fault: _(
            "This certificate is for another pass type identifier than this brand's cards. A card keeps its"
            " identifier for life: bring the certificate of this one, or make another brand for the new one."
        ),
        "another-team": lambda _fault: _(
            "This certificate is of another team than this brand's cards say, and iPhones would refuse them."
        ),
        "nothing-before": lambda _fault: _("There is no certificate before this one that could still sign."),
        "too-many-requests-wait": lambda _fault: _(
            "Ten requests of yours wait for Apple's answer: bring one of those certificates."
        ),
    }
)


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/certificate``, and a request to Apple for somebody who has no brand yet."""

    @page(console, "/<brand>/certificate", needs="certificate.edit")
    def present(visit: Visit) -> ResponseReturnValue:
        return _page(visit, Form())

    @act(console, "/<brand>/certificate", needs="certificate.edit")
    def store(visit: Visit) -> ResponseReturnValue:
        """Take what was uploaded; the page comes back with what is wrong, and never with what was brought."""
        _refuse_who_does_not_own_all(visit)
        form = Form()
        safe = services.safe
        uploads = {name: _file(name) for name in ("certificate", "key", "intermediate")}
        with form.checking(), services.database.write() as tx:
            taken = stored_certificates.take_in(
                tx,
                safe,
                uploads["certificate"],
                request.form.get("password") or None,
                key=uploads["key"] or None,
                intermediate=uploads["intermediate"] or None,
                now=visit.now,
            )
            stored_certificates.store_for(tx, safe, visit.brand, taken, now=visit.now, actor=visit.actor)
            before = stored_certificates.replaced(tx, visit.brand.pass_type_identifier, now=visit.now)
        if not form.ok:
            return _page(visit, form)
        undo: tuple[str, dict[str, str]] | None = None
        if before:
            undo = (url_for("console.certificate_take_back", brand=visit.brand.slug), {})
        done(_("Cards are signed with the new certificate from now on."), undo=undo)
        return see(url_for("console.certificate_present", brand=visit.brand.slug))

    @act(console, "/<brand>/certificate/before", needs="certificate.edit")
    def take_back(visit: Visit) -> ResponseReturnValue:
        _refuse_who_does_not_own_all(visit)
        with services.database.write() as tx:
            stored_certificates.take_back(tx, visit.brand, now=visit.now, actor=visit.actor)
        done(_("Cards are signed with the certificate before again."))
        return see(url_for("console.certificate_present", brand=visit.brand.slug))

    @act(console, "/<brand>/certificate/google", needs="certificate.edit")
    def store_google(visit: Visit) -> ResponseReturnValue:
        form = certificate_google.store(visit, _file(certificate_google.KEY))
        return certificate_google.stored(visit) if form.ok else _page(visit, form)

    @act(console, "/<brand>/certificate/google/forget", needs="certificate.edit")
    def forget_google(visit: Visit) -> ResponseReturnValue:
        return certificate_google.forget(visit)

    @act(console, "/<brand>/certificate/request", needs="certificate.edit")
    def ask_apple(visit: Visit) -> ResponseReturnValue:
        return _request(visit, visit.brand.name)

    @act(console, "/certificate/request", needs="operator")
    def ask_apple_first(visit: Visit) -> ResponseReturnValue:
        """For a brand that is yet to be made: its identifiers come out of the certificate."""
        return _request(visit, request.form.get("organization", "").strip() or visit.user.name)


def _sharing(tx: Tx, visit: Visit) -> list[Brand]:
    """The other brands whose cards are of the same pass type: one certificate signs for all."""
    found = brands.brand_of_pass_type(tx, visit.brand.pass_type_identifier)
    return [brand for brand in found if brand.id != visit.brand.id]


def _owns_all(tx: Tx, visit: Visit, sharing: list[Brand]) -> bool:
    """Whether they may decide for those brands too; who runs the installation may."""
    accesses = [users.access(tx, visit.user, brand.id) for brand in sharing]
    return all(access is not None and access.may("certificate.edit") for access in accesses)


def _refuse_who_does_not_own_all(visit: Visit) -> None:
    with visit.services.database.read() as tx:
        if not _owns_all(tx, visit, _sharing(tx, visit)):
            raise NotAllowed


def _file(name: str) -> bytes:
    upload = request.files.get(name)
    return upload.read() if upload else b""


def _request(visit: Visit, organization: str) -> ResponseReturnValue:
    with visit.services.database.write() as tx:
        pem, _fingerprint = certificate_requests.make_request(
            tx,
            visit.services.safe,
            organization=organization,
            email=visit.user.email,
            now=visit.now,
            actor=visit.actor,
        )
    return Response(
        pem,
        mimetype="application/pkcs10",
        headers={"Content-Disposition": f'attachment; filename="{FILE_NAME}"'},
    )


def _page(visit: Visit, form: Form) -> ResponseReturnValue:
    services, brand = visit.services, visit.brand
    fault: str | None = None
    signer: Signer | None = None
    with services.database.read() as tx:
        shown = stored_certificates.in_use(tx, brand.pass_type_identifier)
        before = stored_certificates.replaced(tx, brand.pass_type_identifier, now=visit.now)
        google = google_accounts.of_brand(tx, brand.id)
        waiting = certificate_requests.waiting_since(tx, actor=visit.actor, now=visit.now)
        sharing = _sharing(tx, visit)
        decides = _owns_all(tx, visit, sharing)
        try:
            signer = services.press.signer(tx, brand.pass_type_identifier)
        except Conflict:
            raise
        except PerkpassError as unusable:
            fault = str(unusable)
    ends = min(signer.expires_at, signer.wwdr_expires_at) if signer else None
    return render(
        visit,
        "certificate_present.html",
        form=form,
        shown=shown if brand.credentials == STORED else None,
        before=before if brand.credentials == STORED else None,
        waiting=waiting,
        sharing=[each.name for each in sharing],
        decides=decides,
        google=google,
        fault=fault,
        ends=ends,
        days=(ends - visit.now).days if ends else None,
        stage=expiry_stage(signer, visit.now) if signer else None,
        place=brand.credentials.partition(":")[0],
    )
