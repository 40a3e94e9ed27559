"""Sentences of the rooms below in the reader's language: the template is the message id."""

from __future__ import annotations

from flask_babel import gettext

from app.sentences import Sentence


def translated(said: str) -> str:
    """A :class:`Sentence` in the reader's language; any other text as it is."""
    if not isinstance(said, Sentence):
        return said
    values = {
        name: translated(value) if isinstance(value, str) else value for name, value in said.values.items()
    }
    return str(gettext(said.template)) % values
