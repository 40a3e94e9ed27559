"""What a draft may hold: not too much, and no words that a database or JSON has no form for.

The editor writes none of those; files that somebody wrote by hand bring them.
"""

from __future__ import annotations

import json

from app.errors import BadInput
from app.passes.template import Template

MOST_FILES, MOST_BYTES, MOST_WORDS = 200, 4 * 1024 * 1024, 256 * 1024


def refuse_unstorable(template: Template) -> None:
    """Raise :class:`BadInput` for what no draft may hold."""
    if len(template.files) > MOST_FILES or sum(map(len, template.files.values())) > MOST_BYTES:
        raise BadInput(
            "too-many-images",
            f"A design has at most {MOST_FILES} images of {MOST_BYTES // 1024 // 1024} MB together.",
            field="images",
        )
    try:
        said = json.dumps(template.to_json(), ensure_ascii=False, allow_nan=False)
    except ValueError:
        said = "\0"
    # A lone half of a pair is no text either.
    if "\0" in said or "\\u0000" in said or any("\ud800" <= letter <= "\udfff" for letter in said):
        raise BadInput(
            "layout-unstorable", "The layout holds a number or a letter that no card can show: remove it."
        )
    if len(said) > MOST_WORDS:
        raise BadInput(
            "layout-too-large",
            f"The layout and its words have more than {MOST_WORDS // 1024} KB: shorten them.",
        )
