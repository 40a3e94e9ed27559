"""What a template makes and what is wrong with it, kept for as long as somebody looks at the same one.

It follows from the template, the brand's values and the hour alone, so it is kept by what they hold: the
editor asks for it again with every page and every choice above the preview.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from datetime import datetime
from threading import Lock

from app.passes import drafts
from app.passes.assembly import Assembled
from app.passes.card_warnings import CardWarning
from app.passes.findings import Finding
from app.passes.layout import BrandValues
from app.passes.template import Template
from app.web.console.designs_preview import cuts_of

Judged = tuple[Assembled, list[Finding], list[CardWarning]]
_KEPT = 8  # some megabytes each where a design is full of pictures
_kept: OrderedDict[bytes, Judged] = OrderedDict()
_turn = Lock()


def judged(template: Template, values: BrandValues, *, now: datetime) -> Judged:
    """The design, what the linter says, and what has no room; nobody changes what is returned."""
    key = _key(template, values, now)
    with _turn:
        if found := _kept.get(key):
            _kept.move_to_end(key)
            return found
    made = drafts.assembled(template, values)
    findings = drafts.check(made, now=now)
    fresh = made, findings, cuts_of(made, findings, now=now)
    with _turn:
        _kept[key] = fresh
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return fresh


def _key(template: Template, values: BrandValues, now: datetime) -> bytes:
    """Expiry alone depends on the moment: to the hour is near enough for a word of advice."""
    digest = hashlib.blake2b(digest_size=20)
    words = json.dumps([template.name, template.to_json()], ensure_ascii=False, default=str)
    for part in (words, repr(values), f"{now:%Y-%m-%d %H}"):
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    for path, data in sorted(template.files.items()):
        digest.update(f"{len(path)}:{path}{len(data)}:".encode("utf-8", "surrogatepass"))
        digest.update(data)
    return digest.digest()
