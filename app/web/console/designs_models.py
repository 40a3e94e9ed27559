"""The templates that a design can begin from: the shipped folders, as pictures to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _

from app.errors import NotFound
from app.loyalty.rules import Rules, StampRules, TieredRules
from app.passes.findings import refusals
from app.passes.template import LAYOUT, Template, read_template


@dataclass(frozen=True, slots=True)
class Model:
    """One template to begin from."""

    name: str
    title: str
    words: str
    suits: bool  # made for such a programme
    template: Template


def models(folder: Path, rules: Rules) -> list[Model]:
    """Every readable template of the installation, those that suit the programme's rules first."""
    named = {
        "bonus_card": (_("Bonus card"), _("Points in large figures on a picture.")),
        "stamp_card": (_("Stamp card"), _("Stamps fill up in the picture until the gift.")),
        "tiered_card": (_("Card with tiers"), _("Every tier has its own colours and picture.")),
    }
    suited = {StampRules: "stamp_card", TieredRules: "tiered_card"}.get(type(rules), "bonus_card")
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (path / LAYOUT).is_file():
            continue
        template, findings = read_template(path)
        if not refusals(findings):
            title, words = named.get(
                path.name, (path.name.replace("_", " ").capitalize(), _("A template of yours."))
            )
            found.append(Model(path.name, title, words, path.name == suited, template))
    return sorted(found, key=lambda each: (not each.suits, each.name))


def model(folder: Path, rules: Rules, name: str) -> Model:
    """The one of that name; raises NotFound."""
    for each in models(folder, rules):
        if each.name == name:
            return each
    raise NotFound("no-such-template", "There is no such template.")
