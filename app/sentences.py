"""Sentences that are said in the reader's language: they know their template and what stands in its gaps.

A room below the edges writes in English and knows no reader. Who shows its sentence to a person translates
the template; who logs it, or shows it on a terminal, takes it as the text that it is.
"""

from __future__ import annotations

from collections.abc import Mapping


class Sentence(str):
    """A text that was made of ``template`` (with ``%(name)s`` gaps, ``%%`` for a per cent) and ``values``."""

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Sentence:
        """The text itself is English; every gap of the template must be filled."""
        made = super().__new__(cls, template % values)
        made.template, made.values = template, values
        return made


def say(template: str, /, **values: object) -> Sentence:
    """A :class:`Sentence`. Its template is a message id of the console's catalogues."""
    return Sentence(template, **values)
