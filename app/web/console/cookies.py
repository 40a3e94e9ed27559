"""The console's two cookies: the session's token, and what a form and its answer pass on (Flask's session).

A token carries our signature, so that whoever is to read a large upload can tell without the database
whether it comes from somebody who signed in no longer ago than a session lasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.http import parse_cookie

from app.accounts.sessions import LIFETIME
from app.web.body_limits import MOST_BODY, MOST_UPLOAD
from app.web.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PLAIN, _SECURE = "perkpass", "__Host-perkpass"
_FORMS = "perkpass-forms"
_LONGEST: Final = 200
_LIFETIME: Final = int(LIFETIME.total_seconds())


class Cookies:
    """Reads and writes them; over https no other site can set them ("__Host-", RFC 6265bis 4.1.3.2)."""

    def __init__(self, services: Services) -> None:
        self.secure = services.public_url.startswith("https:")
        self.name = _SECURE if self.secure else _PLAIN
        self._signer = TimestampSigner(services.secret_key, salt="console session")

    def configure(self, app: Flask) -> None:
        """The cookie of forms: signed, gone with the browser."""
        app.config.update(
            SESSION_COOKIE_NAME=f"__Host-{_FORMS}" if self.secure else _FORMS,
            SESSION_COOKIE_PATH="/",  # "__Host-" asks for it
            SESSION_COOKIE_SECURE=self.secure,
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            WTF_CSRF_CHECK_DEFAULT=False,  # the console asks for it; tills and guests have other proofs
            WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a page may lie open over lunch
            WTF_CSRF_SSL_STRICT=False,  # judged by Sec-Fetch-Site instead: proxies rewrite Host
        )

    def token(self) -> str | None:
        """The session's token, if the request brings one of ours."""
        return self.read(request.cookies.get(self.name, ""))

    def most_body(self, environ: WSGIEnvironment) -> int:
        """Bytes that a request's body may have: more for the console of who signed in."""
        if environ["PATH_INFO"].startswith("/console/") and "HTTP_COOKIE" in environ:
            return MOST_UPLOAD if self.read(parse_cookie(environ).get(self.name, "")) else MOST_BODY
        return MOST_BODY

    def read(self, value: str) -> str | None:
        """What a cookie's value says, if it is one of ours."""
        if not value or len(value) > _LONGEST:
            return None
        try:
            return self._signer.unsign(value, max_age=_LIFETIME).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def signed(self, token: str) -> str:
        """The value of a cookie that says ``token``."""
        return self._signer.sign(token).decode()

    def give(self, response: Response, token: str) -> None:
        """Let the browser keep the token, closed or not."""
        response.set_cookie(
            self.name, self.signed(token), max_age=LIFETIME, path="/", secure=self.secure,
            httponly=True, samesite="Lax",
        )  # fmt: skip

    def take(self, response: Response) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="Lax")
