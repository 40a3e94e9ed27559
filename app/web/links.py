"""Signed links: what travels in addresses and forms, so that nothing must travel in a cookie.

==========  =============================================  ==================================================
token       says                                           lives
==========  =============================================  ==================================================
visit       this visit, begun at this link                 24 hours; also with a form, as its CSRF protection
form        this rendering of the form, of this visit      as long as its visit
card        this enrolment's card, in this link version    as long as the card; revoked by a new link version
download    this card's .pkpass                            24 hours
stop        the guest of this pass wants no advertising    as long as the card, in this version of its key
test        the .pkpass of this test card                  24 hours
==========  =============================================  ==================================================

A token is plain words and an HMAC-SHA-256 (itsdangerous), under a key of its own for every kind.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from itsdangerous import BadSignature, Signer

from app.db.identifiers import EnrolmentId, VisitId, WalletPassId

VISIT_LIFETIME = timedelta(hours=24)
DOWNLOAD_LIFETIME = timedelta(hours=24)
STOP_PATH = "/i/-/stop"
TEST_CARD_PATH = "/i/-/test-card"

_Kind = Literal["visit", "form", "card", "download", "stop", "test"]


@dataclass(frozen=True, slots=True)
class VisitToken:
    """A visit that began at ``began_at`` (whole seconds, UTC)."""

    visit_id: VisitId
    began_at: datetime


@dataclass(frozen=True, slots=True)
class FormToken:
    """One rendering of the form: ``mark`` is drawn anew for each."""

    visit: VisitToken
    mark: str


@dataclass(frozen=True, slots=True)
class CardToken:
    """The card of an enrolment; stale where the enrolment's link version has moved on."""

    enrolment_id: EnrolmentId
    card_link_version: int


@dataclass(frozen=True, slots=True)
class StopToken:
    """The pass on whose back the link stands; stale where the version of the pass's key has moved on."""

    pass_id: WalletPassId
    key_version: int


class Links:
    """Makes and reads every signed link of the guests' pages. Readers give None for what is not ours."""

    def __init__(self, secret_key: bytes, public_url: str) -> None:
        """``public_url`` is what guests reach us at, without a slash at its end."""
        self._public_url = public_url.rstrip("/")
        self._signers: dict[_Kind, Signer] = {
            kind: Signer(
                secret_key, f"perkpass.{kind}", sep="~", key_derivation="hmac", digest_method=hashlib.sha256
            )
            for kind in ("visit", "form", "card", "download", "stop", "test")
        }
        self._secret_key = secret_key

    def install_url(self, code: str) -> str:
        """What the QR code on the table says."""
        return f"{self._public_url}/i/{code}"

    def card_url(self, code: str, enrolment_id: EnrolmentId, card_link_version: int) -> str:
        """The card's page, for as long as the card lives; ``code`` is any install link of its programme."""
        return f"{self.install_url(code)}/card/{self.card_token(enrolment_id, card_link_version)}"

    def visit_token(self, code: str, visit_id: VisitId, began_at: datetime) -> str:
        """For the page's address; good for this link alone."""
        return self._sign("visit", f"{visit_id}.{_seconds(began_at):x}", bound_to=code)

    def read_visit(self, code: str, token: str, *, now: datetime) -> VisitToken | None:
        """The visit of an address, unless it is older than :data:`VISIT_LIFETIME`."""
        words = self._words("visit", token, bound_to=code)
        if words is None:
            return None
        return _fresh_visit(words[0], words[1], now)

    def form_token(self, code: str, visit: VisitToken, mark: str) -> str:
        """For the form's hidden field; good for this link alone."""
        return self._sign("form", f"{visit.visit_id}.{_seconds(visit.began_at):x}.{mark}", bound_to=code)

    def read_form(self, code: str, token: str, *, now: datetime) -> FormToken | None:
        """The rendering a form came from, unless its visit is older than :data:`VISIT_LIFETIME`."""
        words = self._words("form", token, bound_to=code)
        if words is None:
            return None
        visit = _fresh_visit(words[0], words[1], now)
        return FormToken(visit, words[2]) if visit else None

    def friends_visit(self, form: FormToken, number: str = "") -> VisitId:
        """The visit of a form whose own was claimed by another: the same form always gets the same one.

        ``number`` where guests prove one: two of them may use one form, one after the other.
        """
        words = f"friend/{form.visit.visit_id}/{form.mark}{number and '/'}{number}".encode()
        return VisitId(hmac.new(self._secret_key, words, hashlib.sha256).hexdigest()[:32])

    def card_token(self, enrolment_id: EnrolmentId, card_link_version: int) -> str:
        """For the card page's address."""
        return self._sign("card", f"{enrolment_id:x}.{card_link_version:x}")

    def read_card(self, token: str) -> CardToken | None:
        """Which card a page's address names; the caller compares the version with the enrolment's."""
        words = self._words("card", token)
        return CardToken(EnrolmentId(int(words[0], 16)), int(words[1], 16)) if words else None

    def download_token(self, enrolment_id: EnrolmentId, card_link_version: int, *, now: datetime) -> str:
        """For the address of the .pkpass."""
        expires = _seconds(now + DOWNLOAD_LIFETIME)
        return self._sign("download", f"{enrolment_id:x}.{card_link_version:x}.{expires:x}")

    def read_download(self, token: str, *, now: datetime) -> CardToken | None:
        """Which card to hand out, unless the address has expired."""
        words = self._words("download", token)
        if words is None or int(words[2], 16) < _seconds(now):
            return None
        return CardToken(EnrolmentId(int(words[0], 16)), int(words[1], 16))

    def stop_url(self, pass_id: WalletPassId, key_version: int) -> str:
        """For the back of the pass: the page where its guest ends their consent to advertising."""
        return f"{self._public_url}{self.stop_path(pass_id, key_version)}"

    def stop_path(self, pass_id: WalletPassId, key_version: int) -> str:
        """The same page for who is here already."""
        return f"{STOP_PATH}/{self._sign('stop', f'{pass_id:x}.{key_version:x}')}"

    def read_stop(self, token: str) -> StopToken | None:
        """Whose consent it is about; the caller compares the version with the pass's."""
        words = self._words("stop", token)
        return StopToken(WalletPassId(int(words[0], 16)), int(words[1], 16)) if words else None

    def test_card_url(self, pass_id: WalletPassId, *, now: datetime) -> str:
        """Where the phone of who draws a design gets its test card; a camera reads it as a QR code."""
        expires = _seconds(now + DOWNLOAD_LIFETIME)
        return f"{self._public_url}{TEST_CARD_PATH}/{self._sign('test', f'{pass_id:x}.{expires:x}')}"

    def read_test_card(self, token: str, *, now: datetime) -> WalletPassId | None:
        """Which test card to hand out, unless the address has expired."""
        words = self._words("test", token)
        if words is None or int(words[1], 16) < _seconds(now):
            return None
        return WalletPassId(int(words[0], 16))

    def _sign(self, kind: _Kind, words: str, *, bound_to: str = "") -> str:
        # The link's code is signed with the words but not repeated: it stands in the path already.
        signature = self._signers[kind].get_signature(f"{bound_to}/{words}").decode()
        return f"{words}~{signature}"

    def _words(self, kind: _Kind, token: str, *, bound_to: str = "") -> list[str] | None:
        words, _, signature = token.partition("~")
        try:
            self._signers[kind].unsign(f"{bound_to}/{words}~{signature}")
        except (BadSignature, UnicodeEncodeError):
            return None
        return words.split(".")


def _fresh_visit(visit_id: str, began: str, now: datetime) -> VisitToken | None:
    began_at = datetime.fromtimestamp(int(began, 16), UTC)
    return VisitToken(VisitId(visit_id), began_at) if now - began_at <= VISIT_LIFETIME else None


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
