"""Up to a hundred calls in one request: ``multipart/mixed`` written and read.

The form is the one that Google's own Python client writes and can read (google-api-python-client 2.202.0,
``googleapiclient.http.BatchHttpRequest``): every part is a whole HTTP message of the type
``application/http``, and is found again by its ``Content-ID``, since answers come in any order.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.google.calls import Call

PATH: Final = "/batch"
MOST: Final = 100
"""Calls of a batch: what Google bears of Wallet's is documented nowhere, and its services differ."""
_STATUS: Final = re.compile(rb"HTTP/[0-9.]{1,5} ([1-5][0-9]{2})(?: .*)?")
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_NUMBER: Final = re.compile(r"<(?:response-)?(.{1,80}?)\s*\+\s*([0-9]{1,4})>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one call of the batch."""

    status: int
    headers: dict[str, str]  # names in lower case
    content: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that is ready to go, and what its answers are known by."""

    name: str
    calls: int
    content_type: str
    content: bytes


def write(calls: Sequence[Call]) -> Written:
    """All of ``calls``; ValueError where they are too many, or two of them write to the same place."""
    if len(calls) > MOST:
        raise ValueError(f"{len(calls)} calls: a batch takes {MOST}")
    places = [
        call.path.removesuffix("/addMessage") for call in calls if call.writes and call.method != "POST"
    ]
    places += [call.path.removesuffix("/addMessage") for call in calls if call.once]
    if len(set(places)) < len(places):
        raise ValueError("two calls of a batch write to the same place: their order would be anybody's guess")
    name, boundary = str(uuid.uuid4()), uuid.uuid4().hex
    pieces: list[bytes] = []
    for number, call in enumerate(calls):
        pieces += (
            f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{name} + {number}>\r\n\r\n{call.method} {call.path} HTTP/1.1\r\n".encode(),
            _message(call),
            b"\r\n",
        )
    pieces.append(f"--{boundary}--\r\n".encode())
    return Written(name, len(calls), f'multipart/mixed; boundary="{boundary}"', b"".join(pieces))


def encoded(call: Call) -> bytes:
    """The body of a call, as it travels alone or in a batch."""
    if call.body is None:
        return b""
    # Half of a surrogate pair in one card's text must not keep the ninety-nine others from leaving.
    return json.dumps(call.body, ensure_ascii=False).encode("utf-8", "replace")


def read(written: Written, content_type: str, content: bytes) -> list[Part | None]:
    """The answers in the order of the calls; None where there is none that can be understood.

    Raises nothing, whatever the answer is.
    """
    answers: list[Part | None] = [None] * written.calls
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/") or not found:
        return answers
    mark = b"--" + (found[1] or found[2]).encode()
    pieces = re.split(rb"(?:\A|\r?\n)" + re.escape(mark) + rb"(--)?[ \t]*(?=\r?\n|\Z)", content)
    # What stands between the first mark and the closing one; the marks' own groups are every second piece.
    for index in range(1, len(pieces) - 1, 2):
        if pieces[index] is not None:
            break
        headers, payload = _headers_and_rest(pieces[index + 1].lstrip(b"\r\n"))
        number = _NUMBER.fullmatch(headers.get("content-id", "").strip())
        if not number or number[1] != written.name or int(number[2]) >= written.calls:
            continue
        if answers[int(number[2])] is None:
            answers[int(number[2])] = _answer(payload)
    return answers


def _message(call: Call) -> bytes:
    content = encoded(call)
    if not content:
        return b"\r\n"
    return f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def _answer(payload: bytes) -> Part | None:
    line, _, rest = payload.lstrip(b"\r\n").partition(b"\n")
    status = _STATUS.fullmatch(line.rstrip(b"\r"))
    if not status:
        return None
    headers, content = _headers_and_rest(rest)
    return Part(int(status[1]), headers, content)


def _headers_and_rest(text: bytes) -> tuple[dict[str, str], bytes]:
    headers: dict[str, str] = {}
    while text:
        line, _, text = text.partition(b"\n")
        line = line.rstrip(b"\r")
        if not line:
            break
        name, _, value = line.decode("utf-8", "replace").partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return headers, text
