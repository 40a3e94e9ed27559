"""The editor's rows of fields, and what the buttons beside them do."""

from __future__ import annotations

from dataclasses import dataclass

from app.passes import field_edits, link_edits
from app.passes.content import LocalizedText
from app.passes.edits import with_text
from app.passes.field_edits import Field
from app.passes.layout import ANNOUNCING_FIELD, FIELD_GROUPS, GUEST_VALUES
from app.passes.template import Template


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of the card as the form shows it."""

    field: Field
    name: str  # of its inputs: "f.backFields.3"
    is_text: bool
    is_link: bool
    announces: bool
    first: bool
    last: bool

    @property
    def key(self) -> str:
        """The field's own."""
        return self.field.key

    @property
    def index(self) -> int:
        """Its place in its group."""
        return self.field.index


def rows(template: Template) -> dict[str, list[FieldRow]]:
    """The fields by group, in the card's order."""
    found: dict[str, list[FieldRow]] = {group: [] for group in FIELD_GROUPS}
    known = field_edits.fields(template)
    for each in known:
        value = guest_value(each)
        found[each.group].append(
            FieldRow(
                field=each,
                name=f"f.{each.group}.{each.index}",
                is_text=value is None,
                is_link=(each.text_name or "").endswith("_url"),
                announces=value == ANNOUNCING_FIELD,
                first=each.index == 0,
                last=each.index == sum(other.group == each.group for other in known) - 1,
            )
        )
    return found


def guest_value(field: Field) -> str | None:
    """Which of a guest's own values it shows; None for words that all cards have alike."""
    value = field.value
    return value[1:-1] if isinstance(value, str) and value[1:-1] in GUEST_VALUES else None


def arranged(template: Template, what: str) -> tuple[Template, str]:
    """What a button asks for ("up.backFields.3", "to.backFields.3.0", "add.headerFields"), and where to look
    afterwards.
    """
    verb, _dot, rest = what.partition(".")
    group, _dot, places = rest.partition(".")
    number, _dot, target = places.partition(".")
    if group not in FIELD_GROUPS:
        return template, ""
    among = rows(template)[group]
    if verb in ("add", "link"):
        made = _link(template) if verb == "link" else _added(template, group)
        return made, f"#f.{group}.{len(among)}"
    if not number.isdecimal() or len(number) > 3 or int(number) >= len(among):
        return template, ""
    row = among[int(number)]
    if verb == "remove" and not row.announces:
        without = link_edits.without_link if row.is_link else field_edits.without_field
        return without(template, row.key), f"#group.{group}"
    place = row.index + {"up": -1, "down": 1}.get(verb, 0)
    if verb == "to" and target.isdecimal() and len(target) <= 3:
        place = int(target)
    if place != row.index and 0 <= place < len(among):
        made = field_edits.moved_field(template, row.key, group, place)
        return made, f"#f.{group}.{place}"
    return template, ""


def _added(template: Template, group: str) -> Template:
    keys = {each.key for each in field_edits.fields(template)} | set(template.texts)
    key = next(f"field_{n}" for n in range(1, 999) if f"field_{n}" not in keys)
    made = with_text(template, key, LocalizedText("Текст", "Text"))
    label = LocalizedText("Подпись", "Label")
    return field_edits.add_field(made, group, key=key, label=label, value=f"{{text.{key}}}")


def _link(template: Template) -> Template:
    address = LocalizedText("https://example.com", "https://example.com")
    return link_edits.add_link(template, LocalizedText("Ссылка", "Link"), address)
