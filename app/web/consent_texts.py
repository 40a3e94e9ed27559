"""The words a guest agrees to, and the version by which they are kept as evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask_babel import gettext as _

from app.accounts.brands import Brand
from app.loyalty.enrolment import ConsentGiven, Purpose
from app.web.language import Language


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One question: apart from every other, unticked until the guest ticks it."""

    purpose: Purpose
    text: str  # as the guest reads it
    policy: str  # the address that the page links to behind the text; may be empty
    needed: bool  # without it there is no card

    @property
    def evidence(self) -> str:
        """What is kept of it: the text with the policy's address."""
        return f"{self.text} {self.policy}".strip()

    @property
    def version(self) -> str:
        """Changes with every letter of what was read."""
        return f"{self.purpose}-{hashlib.sha256(self.evidence.encode()).hexdigest()[:12]}"


def consent_texts(brand: Brand, language: Language) -> tuple[ConsentText, ConsentText]:
    """The two questions in the request's language: the processing of data, and advertising."""
    data = (
        _(
            "I agree to the processing of my data (name, birthday, card number, purchase history)"
            " by %(brand)s, so that the card works.",
            brand=brand.name,
        )
        if brand.asks_phone == "no"
        else _(
            "I agree to the processing of my data (name, phone number, birthday, card number,"
            " purchase history) by %(brand)s, so that the card works.",
            brand=brand.name,
        )
    )
    advertising = (
        _(
            "I agree to receive advertising on the card and by text message: offers and news of %(brand)s.",
            brand=brand.name,
        )
        if brand.asks_phone == "proved"
        else _("I agree to receive advertising on the card: offers and news of %(brand)s.", brand=brand.name)
    )
    policy = brand.text("privacy_url", language)
    return (
        ConsentText("data", data, policy, needed=True),
        ConsentText("advertising", advertising, "", needed=False),
    )


def wording(texts: tuple[ConsentText, ...]) -> str:
    """Names the exact words of a rendered form: a form that was read in other words is shown again."""
    return hashlib.sha256("\n".join(text.version for text in texts).encode()).hexdigest()[:16]


def answers(texts: tuple[ConsentText, ...], ticked: set[str], language: Language) -> tuple[ConsentGiven, ...]:
    """What is kept of the guest's answers, refusals included."""
    return tuple(
        ConsentGiven(
            purpose=text.purpose,
            granted=text.purpose in ticked,
            text_version=text.version,
            text=text.evidence,
            language=language,
            source="install page",
        )
        for text in texts
    )
