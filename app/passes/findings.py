"""What the linter found: one value per fault, for people and for the design editor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.errors import BadInput

Severity = Literal["refuse", "warn", "inform"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right, or to know."""

    severity: Severity  # refuse: iOS would not take the card; warn: it would look wrong; inform: good to know
    code: str  # stable, kebab-case
    where: str  # "storeCard.primaryFields[0].value", "icon.png"
    message: str  # says what to do

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.message} [{self.code}]"


class DesignRefused(BadInput):
    """A design that iOS would not take; nothing was stored."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        """``findings`` are the refusals; the message has a line for each."""
        self.findings = tuple(findings)
        super().__init__("design-refused", "\n".join(str(finding) for finding in self.findings))


def refuse(code: str, where: str, message: str) -> Finding:
    """IOS would not take the card."""
    return Finding("refuse", code, where, message)


def warn(code: str, where: str, message: str) -> Finding:
    """IOS would take the card, and it would look or work wrong."""
    return Finding("warn", code, where, message)


def inform(code: str, where: str, message: str) -> Finding:
    """Nothing is wrong, and it is good to know."""
    return Finding("inform", code, where, message)


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    """Those for which a card must not be signed."""
    return [finding for finding in findings if finding.severity == "refuse"]
