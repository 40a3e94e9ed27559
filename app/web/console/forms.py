"""What was typed into a form and what is wrong with it, by field; and how an act answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.errors import BadInput, Conflict
from app.web.console.visit import Visit
from app.web.console.wording import sentence

LONGEST = 2000
"""Characters of a field that does not say otherwise."""
_NOTICE = "notice"
_MOST_DIGITS = 18


def digits(typed: str, *, most: int = _MOST_DIGITS) -> int | None:
    """The number that at most so many plain digits spell; None for anything else.

    18 of them fit 64 bits of a database, 9 of them 32.
    """
    return int(typed) if len(typed) <= most and typed.isascii() and typed.isdigit() else None


@dataclass(slots=True)
class Form:
    """Values by field, as typed; ``errors`` by field, "" for the whole form."""

    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, **values: object) -> Form:
        """A form filled in with what is there; None is empty, a list is several ticks."""
        form = cls()
        for name, value in values.items():
            if isinstance(value, (list, tuple, set, frozenset)):
                form.lists[name] = [str(each) for each in value]
            else:
                form.values[name] = "" if value is None else str(value)
        return form

    @classmethod
    def posted(cls) -> Form:
        """What the request brings; passwords too, so never show those again (macros do not).

        A field that holds NUL, which PostgreSQL keeps nowhere, is refused and goes on without it.
        """
        lists = {name: request.form.getlist(name) for name in request.form if name != "csrf_token"}
        form = cls()
        for name, values in lists.items():
            form.lists[name] = [value.replace("\0", "") for value in values]
            form.values[name] = form.lists[name][0]
            if form.lists[name] != values:
                form.errors[name] = _("This holds a line break or a control character: take it out.")
        return form

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def all(self, name: str) -> list[str]:
        """Every value of a field with several ticks."""
        return self.lists.get(name, [])

    def error(self, name: str) -> str:
        """The sentence beside the field, or nothing."""
        return self.errors.get(name, "")

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, as far as was looked."""
        return not self.errors

    def text(self, name: str, *, needed: bool = True, longest: int = LONGEST) -> str:
        """A field, trimmed; notes what is wrong with it."""
        value = self[name].strip()
        if needed and not value:
            self.errors.setdefault(name, _("Please fill this in."))
        elif len(value) > longest:
            self.errors.setdefault(name, _("At most %(most)s characters.", most=longest))
        return value

    def choice(self, name: str, among: Sequence[str]) -> str:
        """One of ``among``; notes where it is none."""
        value = self[name]
        if value not in among:
            self.errors.setdefault(name, _("Please choose one of these."))
        return value

    def whole(self, name: str, *, least: int, most: int, needed: bool = True) -> int | None:
        """A whole number within bounds; None where nothing, or nothing good, was typed."""
        typed = self[name].strip().replace(" ", "").replace(" ", "")
        if not typed:
            if needed:
                self.errors.setdefault(name, _("Please fill this in."))
            return None
        try:
            number = int(typed) if len(typed) < 19 else None
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            self.errors.setdefault(
                name, _("A whole number from %(least)s to %(most)s.", least=least, most=most)
            )
            return None
        return number

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked (its value is "yes")."""
        return self[name] == "yes"

    @contextmanager
    def checking(self, fields: Mapping[str, str] | None = None) -> Iterator[None]:
        """Whatever is refused within stands beside its field; ``fields`` calls the rooms' fields as ours.

        Begin the transaction within, so that it is undone.
        """
        try:
            yield
        except BadInput as wrong:
            name = (fields or {}).get(wrong.field or "", wrong.field or "")
            self.errors.setdefault(name, sentence(wrong))
        except Conflict as wrong:
            self.errors.setdefault((fields or {}).get(wrong.code, ""), sentence(wrong))


def render(visit: Visit, template: str, *, form: Form | None = None, **values: object) -> ResponseReturnValue:
    """The page ``console/<template>``; 422 where something is wrong with its form."""
    status = 200 if form is None or form.ok else 422
    return render_template(f"console/{template}", visit=visit, form=form or Form(), **values), status


def done(words: str, *, undo: tuple[str, Mapping[str, str | Sequence[str]]] | None = None) -> None:
    """Say on the next page what was done; ``undo`` is an act's address and its fields."""
    session[_NOTICE] = {
        "words": words,
        "undo": {"address": undo[0], "fields": dict(undo[1])} if undo else None,
    }


def take_notice() -> object | None:
    """What the last act said, once."""
    told: object | None = session.pop(_NOTICE, None)
    return told


def see(address: str) -> Response:
    """After an act: look here (303, so that loading again repeats nothing)."""
    return redirect(address, 303)
