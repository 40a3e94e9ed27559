"""How an issuer stands with Google, as far as its interface tells: for ``perkpass doctor`` and the console.

It tells who the issuer is, whether our account may write for it, how its classes were reviewed, and whether a
save link would be taken. It does not tell whether the issuer is still in demo mode: no field of ``Issuer``
says so [D], and a class is approved in demo mode too. A card then says "[TEST ONLY]", and saves for test
accounts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.google import calls, save_link
from app.google.answers import Answer, Verdict
from app.google.client import GoogleWallet
from app.google.credentials import ServiceAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was found; everything but ``issuer`` only where that was accepted."""

    issuer: Answer  # denied: the account is no user of the issuer, or its key is wrong
    name: str | None = None  # of the issuer, as its console shows it
    reviews: Mapping[str, str]  # of each class DRAFT, UNDER_REVIEW, APPROVED, REJECTED; or a verdict
    link: Answer | None = None  # Google's view of a save link; refused: guests would see an error

    @property
    def sound(self) -> bool:
        """Whether cards can be issued."""
        taken = self.link is None or self.link.verdict == Verdict.ACCEPTED
        return self.issuer.verdict == Verdict.ACCEPTED and taken and "REJECTED" not in self.reviews.values()


async def look(
    wallet: GoogleWallet,
    account: ServiceAccount,
    *,
    issuer_id: str,
    class_ids: Sequence[str] = (),
    object_id: str | None = None,
    now: datetime,
) -> Standing:
    """Ask Google; changes nothing. ``object_id``: an inserted card whose link is looked at."""
    issuer = await wallet.send(calls.get_issuer(issuer_id))
    if issuer.verdict != Verdict.ACCEPTED:
        return Standing(issuer=issuer, reviews={})
    reviews = {}
    for class_id in class_ids:
        answer = await wallet.send(calls.get_class(class_id))
        status = (answer.resource or {}).get("reviewStatus")
        known = answer.verdict == Verdict.ACCEPTED and isinstance(status, str)
        reviews[class_id] = str(status) if known else answer.verdict.value
    link = None
    if object_id:
        link = await wallet.send(calls.validate_jwt(save_link.sign(account, [object_id], now=now)))
    name = (issuer.body or {}).get("name")
    return Standing(issuer=issuer, name=name if isinstance(name, str) else None, reviews=reviews, link=link)
