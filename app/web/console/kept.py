"""What somebody sent when they were not signed in any more: kept in the sign-in page until they are.

Nothing of it is done before they say so. The page that comes after signing in shows what was sent and has one
button that sends it to its own address, with a token of the new session: whoever presses it decides, and the
address asks for its permission as ever. The same page meets who is signed in and sends a form whose token is
of another session.

Only what came from a page of ours is kept (:func:`came_from_us`), signed, in the page alone: the server keeps
nothing. Passwords and tokens are left out, files cannot be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote, urlsplit

from flask import Response, current_app, g, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.accounts.sessions import IDLE
from app.web.console.door import SAME_SITE, bind_forms, is_bound
from app.web.console.forms import Form, render
from app.web.console.kept_words import purpose, told
from app.web.console.registry import Console
from app.web.console.visit import Visit

SECRET: Final = frozenset({"password", "present", "csrf_token"})
"""Fields that no page shows again."""
_MOST_KEPT: Final = 64 * 1024
"""Bytes of what was typed; then it is too long to be kept."""
_MOST_SEALED: Final = 48 * 1024
"""Letters of it in the page: with it, the form to sign in is no longer than a stranger's body may be."""
_LONGEST: Final = int(IDLE.total_seconds())
_NOT_KEPT: Final = frozenset(
    {"console.entrance_sign_out", "console.account_language", "console.invited_joining"}
)
"""Not worth it; and an invitation, whose address is a secret."""
_SIGN_IN: Final = "console.entrance_signing_in"

Lost = Literal["files", "passwords", "size"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A form on its way: where to, from which page, what was typed, and what could not be kept."""

    address: str
    back: str
    fields: tuple[tuple[str, str], ...]
    lost: tuple[Lost, ...]

    @property
    def can_be_sent(self) -> bool:
        """Not where all that it was about could not be kept."""
        return "size" not in self.lost and ("files" not in self.lost or bool(self.fields))

    @property
    def by_name(self) -> dict[str, list[str]]:
        """Every value of every field."""
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return found


def came_from_us(*, surely: bool = False) -> bool:
    """Whether the form of this request stood on a page of ours, as a page that was opened by hand.

    The browser says so where it says anything (no page can make it say otherwise); where it says nothing the
    form's own token must be the one that this browser was given, unless it must be known ``surely``.
    """
    if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        return False  # a script asks, and would not know what to do with a page
    site = request.headers.get("Sec-Fetch-Site", "")
    if site == "same-origin" or surely:
        return site == "same-origin"
    if site not in SAME_SITE:
        return False
    guard: CSRFProtect = current_app.extensions["csrf"]
    try:
        guard.protect()
    except CSRFError:
        return False
    return True


def of_request(console: Console, *, surely: bool = False) -> Kept | None:
    """What this request brought, if it is a form of ours and may be kept."""
    endpoint = request.endpoint or ""
    if request.method != "POST" or endpoint in _NOT_KEPT:
        return None
    try:
        if not came_from_us(surely=surely):
            return None
        if endpoint == _SIGN_IN:
            return opened(console, request.form.get("kept", ""))
        typed = [pair for pair in request.form.items(multi=True) if pair[0] not in SECRET]
        secrets = any(request.form.get(name) for name in SECRET - {"csrf_token"})
        files = any(upload.filename for upload in request.files.values())
    except RequestEntityTooLarge:
        return None
    lost: list[Lost] = [*(("files",) if files else ()), *(("passwords",) if secrets else ())]
    query = request.query_string.decode("ascii", "ignore")
    address = quote(request.path) + (f"?{query}" if query else "")
    kept = Kept(address, _page_of_form(console), tuple(typed), tuple(lost))
    size = sum(len(name.encode()) + len(value.encode()) for name, value in typed)
    if size > _MOST_KEPT or len(sealed(console, kept)) > _MOST_SEALED:
        return Kept(address, kept.back, (), ("size",))
    return kept


def sealed(console: Console, kept: Kept) -> str:
    """It in a hidden field, signed: what comes back is what we gave."""
    return str(_signer(console).dumps([kept.address, kept.back, kept.fields, kept.lost]))


def opened(console: Console, text: str) -> Kept | None:
    """What a hidden field says, if we wrote it and its address is still an act of the console's."""
    try:
        address, back, fields, lost = _signer(console).loads(text, max_age=_LONGEST)
    except BadData:
        return None
    if _endpoint(console, address, "POST") is None:
        return None
    return Kept(address, back, tuple((name, value) for name, value in fields), tuple(lost))


def sign_in_page(
    console: Console, visit: Visit, form: Form, kept: Kept | None, *, status: int = 0
) -> Response:
    """The form to sign in; with what is kept, which goes on in it however often it is refused."""
    if kept is not None:
        form.values["kept"] = sealed(console, kept)
    else:
        form.values.pop("kept", None)
    answer = make_response(render(visit, "sign_in.html", form=form, kept=kept))
    answer.status_code = status or answer.status_code
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Cookie realm="console"'  # a 401 has to name a way
    return answer


def ended_page(console: Console, visit: Visit, kept: Kept) -> Response:
    """The session ended under a form: sign in first, nothing is lost."""
    if not is_bound(None):
        bind_forms(None)
    return sign_in_page(console, visit, Form(), kept, status=401)


def again_page(console: Console, visit: Visit, kept: Kept, *, stale: bool = False) -> Response:
    """Somebody is signed in, and this was sent before: send it now, or look at its page first."""
    if not is_bound(visit.signed_in):
        bind_forms(visit.session)
    g.visit = visit
    page = render_template(
        "console/again.html",
        visit=visit,
        kept=kept,
        stale=stale,
        purpose=purpose(_endpoint(console, kept.address, "POST") or ""),
        told=told(kept.fields),
    )
    return make_response(page, 400 if stale else 200)


def _signer(console: Console) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(console.services.secret_key, salt="console kept form")


def _endpoint(console: Console, address: str, method: str) -> str | None:
    """The console's route that answers there."""
    path = unquote(address.partition("?")[0])
    try:
        found, _values = current_app.url_map.bind("").match(path, method=method)
    except HTTPException:
        return None
    return next((r.endpoint for r in console.routes if r.endpoint == found and r.method == method), None)


def _page_of_form(console: Console) -> str:
    """Where the form stood, as the browser says; else the page at the act's own address, else the start."""
    said = urlsplit(request.headers.get("Referer", ""))
    for path, query in ((said.path, said.query), (request.path, "")):
        if path.startswith("/console/") and _endpoint(console, path, "GET") is not None:
            return quote(unquote(path)) + (f"?{query}" if query and query.isascii() else "")
    return url_for("console.entrance_start")
