"""``POST /batch``: multipart/mixed with one call a part, in the two dialects that Google's own clients speak.

Python's sends ``application/http`` parts with a Content-ID and a whole request head; the samples for other
languages send ``application/json`` parts with a bare request line and line feeds alone.
"""

from __future__ import annotations

import http
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

from app.simulators.google_api import Answer, Call
from app.simulators.google_errors import Refused, malformed
from app.simulators.google_faults import Faults

_BOUNDARY = re.compile(r'multipart/mixed\s*;.*?boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_LINE = re.compile(r"([A-Z]+) (\S+)(?: HTTP/1\.[01])?")
_PART = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One call with the id that its answer repeats."""

    content_id: str  # as sent, "" where none was
    call: Call


class Batches:
    """Reads batches, has their calls answered in order, writes the answers."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._chance = random.Random()

    def answer(self, content_type: str, body: bytes, each: Callable[[Call], Answer]) -> tuple[str, bytes]:
        """Content type and body of the answer; raises Refused (400) where the batch cannot be read."""
        parts = read(content_type, body)
        if len(parts) > self.faults.largest_batch:
            raise malformed(f"The batch has {len(parts)} calls, more than {self.faults.largest_batch}.")
        answers = [(part, self._fails() or each(part.call)) for part in parts]
        if self.faults.shuffle_batch:
            self._chance.shuffle(answers)
        boundary = f"batch_{uuid4().hex}"
        said = b"".join(_written(boundary, part, answer) for part, answer in answers)
        return f"multipart/mixed; boundary={boundary}", said + f"--{boundary}--\r\n".encode()

    def _fails(self) -> Answer | None:
        faults = self.faults
        if faults.fail_next_inner > 0:
            faults.fail_next_inner -= 1
        elif not self._chance.random() < faults.fail_inner:
            return None
        refused = Refused(503, "The service is currently unavailable.", "backendError", shape="front")
        return Answer(503, refused.document())


def read(content_type: str, body: bytes) -> list[Part]:
    """The calls of a batch; raises Refused (400)."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise malformed("Expected multipart/mixed with a boundary.")
    delimiter = re.escape((found[1] or found[2]).encode())
    pieces = re.split(rb"(?:\A|\r?\n)--" + delimiter + rb"(--)?[ \t]*(?=\r?\n|\Z)", body)
    if len(pieces) < 3 or pieces[-2] != b"--":
        raise malformed("Failed to parse batch request, error: no closing boundary.")
    parts = [_part(piece.lstrip(b"\r\n")) for piece in pieces[2:-2:2]]
    ids = [part.content_id for part in parts if part.content_id]
    if len(ids) != len(set(ids)):
        raise malformed("Failed to parse batch request, error: a Content-ID twice.")
    return parts


def _part(piece: bytes) -> Part:
    outer, inner = _halves(piece)
    headers = _headers(outer)
    kind = headers.get("content-type", "").partition(";")[0].lower()
    if kind not in {"application/http", "application/json"}:
        raise malformed(f"Failed to parse batch request, error: part of type {kind!r}.")
    head, body = _halves(inner.lstrip(b"\r\n"))
    line, _, rest = head.replace("\r\n", "\n").partition("\n")
    found = _LINE.fullmatch(line.strip())
    if found is None:
        raise malformed(f"Failed to parse batch request, error: request line {line!r}.")
    target = urlsplit(found[2])
    given = _headers(rest).get("content-type", "application/json" if kind == "application/json" else "")
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    call = Call(found[1], unquote(target.path), query, given, body.strip(), batched=True)
    return Part(headers.get("content-id", ""), call)


def _halves(text: bytes) -> tuple[str, bytes]:
    head, *rest = _PART.split(text, maxsplit=1)
    return head.decode("latin-1"), rest[0] if rest else b""


def _headers(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _written(boundary: str, part: Part, answer: Answer) -> bytes:
    head = [f"--{boundary}", "Content-Type: application/http"]
    if part.content_id:
        head.append(f"Content-ID: <response-{part.content_id.strip('<>')}>")
    words = http.HTTPStatus(answer.status).phrase
    body = answer.body()
    head += [
        "",
        f"HTTP/1.1 {answer.status} {words}",
        "Content-Type: application/json; charset=UTF-8",
        f"Content-Length: {len(body)}",
        "",
        "",
    ]
    return "\r\n".join(head).encode() + body + b"\r\n"
