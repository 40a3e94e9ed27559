"""Batches, written for and read with Google's own Python client as the witness."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from googleapiclient.discovery import build_from_document
from googleapiclient.http import HttpMockSequence
from hypothesis import given
from hypothesis import strategies as st

from app.google import batches, calls
from app.google.batches import Part, Written
from app.google.calls import Call
from tests.google.test_casing import DOCUMENT


def some(count: int) -> list[Call]:
    return [
        calls.patch_object(f"3388.o{n}", {"loyaltyPoints": {"balance": {"int": n}}}) for n in range(count)
    ]


def answer(
    written: Written,
    parts: Sequence[tuple[int, int, bytes]],
    *,
    eol: bytes = b"\r\n",
    names: Callable[[int], str] | None = None,
    boundary: str = "batch_x",
    ended: bool = True,
) -> tuple[str, bytes]:
    """As Google answers, by reference: (number, status, body) of each."""
    lines: list[bytes] = []
    for number, status, body in parts:
        name = names(number) if names else f"<response-{written.name} + {number}>"
        lines += [
            f"--{boundary}".encode(),
            b"Content-Type: application/http",
            f"Content-ID: {name}".encode(),
            b"",
            f"HTTP/1.1 {status} Whatever".encode(),
            b"Content-Type: application/json; charset=UTF-8",
            b"Vary: Origin",
            b"",
            body,
            b"",
        ]
    lines += [f"--{boundary}--".encode(), b""] if ended else []
    return f"multipart/mixed; boundary={boundary}", eol.join(lines)


def statuses(parts: Sequence[Part | None]) -> list[int | None]:
    return [part.status if part else None for part in parts]


def test_answers_are_found_in_whatever_order_they_come() -> None:
    written = batches.write(some(20))
    parts = [(n, 200 + n, json.dumps({"n": n}).encode()) for n in range(20)]
    random.Random(7).shuffle(parts)
    for eol in (b"\r\n", b"\n"):
        read = batches.read(written, *answer(written, parts, eol=eol))
        assert statuses(read) == [200 + n for n in range(20)]
        assert [json.loads(part.content)["n"] for part in read if part] == list(range(20))
        assert read[0] is not None
        assert read[0].headers["content-type"] == "application/json; charset=UTF-8"


def test_what_is_missing_repeated_or_a_stranger_s_is_no_answer() -> None:
    written = batches.write(some(4))
    read = batches.read(
        written, *answer(written, [(0, 200, b"{}"), (0, 500, b"{}"), (3, 404, b"{}"), (9, 200, b"{}")])
    )
    assert statuses(read) == [200, None, None, 404]
    other = batches.write(some(4))
    assert statuses(batches.read(written, *answer(other, [(0, 200, b"{}")]))) == [None] * 4
    for names in (
        lambda n: "",
        lambda n: f"<{n}>",
        lambda n: "<+>",
        lambda n: f"<response-{written.name} + ²>",
    ):
        assert statuses(batches.read(written, *answer(written, [(0, 200, b"{}")], names=names))) == [None] * 4
    plain = batches.read(
        written, *answer(written, [(1, 200, b"{}")], names=lambda n: f"<{written.name}+{n}>")
    )
    assert statuses(plain) == [None, 200, None, None]


def test_a_body_may_look_like_a_part() -> None:
    written = batches.write(some(2))
    body = json.dumps({"a": "--batch_x\nContent-ID: x\n\nHTTP/1.1 500 no"}).encode()
    read = batches.read(written, *answer(written, [(0, 200, body), (1, 200, b"--batch_xyz is no mark")]))
    assert read[0] is not None
    assert json.loads(read[0].content)["a"].startswith("--batch_x")
    assert statuses(read) == [200, 200]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("", b""),
        ("text/html", b"<html>"),
        ("multipart/mixed", b"--x\r\n\r\n"),
        ("multipart/mixed; boundary=", b"--\r\n"),
        ('multipart/mixed; boundary="x"', b""),
        ('multipart/mixed; boundary="x"', b"--x--"),
        ('multipart/mixed; boundary="x"', b"--x\r\nContent-ID: <a + 0>"),
        ('multipart/mixed; boundary="x"', b"--x" * 50_000),
        ('multipart/mixed; boundary="x"', b"--x\r\n\xff\xfe: \xff\r\n\r\n\xff\r\n--x--"),
    ],
)
def test_rubbish_is_no_answer(kind: str, content: bytes) -> None:
    assert batches.read(batches.write(some(3)), kind, content) == [None] * 3


@given(junk=st.binary(max_size=400), at=st.integers(0, 500), cut=st.integers(0, 50))
def test_a_damaged_answer_never_crashes(junk: bytes, at: int, cut: int) -> None:
    written = batches.write(some(3))
    kind, content = answer(written, [(n, 200, b"{}") for n in range(3)])
    read = batches.read(written, kind, content[:at] + junk + content[at + cut :])
    assert len(read) == 3


def test_an_answer_that_was_cut_off_keeps_what_came_whole() -> None:
    written = batches.write(some(3))
    kind, content = answer(written, [(n, 200, b'{"whole": true}') for n in range(3)], ended=False)
    read = batches.read(written, kind, content[: content.rindex(b"HTTP/1.1") + 4])
    assert statuses(read) == [200, 200, None]


def test_too_many_or_two_for_the_same_place_are_the_caller_s_fault() -> None:
    batches.write(some(100))
    with pytest.raises(ValueError, match="a batch takes 100"):
        batches.write(some(101))
    for pair in (
        [calls.patch_object("1.a", {}), calls.patch_object("1.a", {})],
        [calls.patch_object("1.a", {}), calls.message_object("1.a", {})],
        [calls.message_class("1.a", {}), calls.message_class("1.a", {})],
    ):
        with pytest.raises(ValueError, match="same place"):
            batches.write(pair)
    batches.write([calls.get_object("1.a"), calls.patch_object("1.a", {}), calls.patch_class("1.a", {})])
    batches.write([calls.insert_object({"id": "1.a"}), calls.insert_object({"id": "1.b"})])


def test_a_text_that_is_none_keeps_nobody_else_from_leaving() -> None:
    written = batches.write([calls.patch_object("1.a", {"accountName": "a\ud800b"}), calls.get_object("1.b")])
    assert [verb for verb, _, body in requests(written.content) if body] == ["PATCH"]
    assert b'"a?b"' in written.content


def test_google_s_own_client_asks_the_same_and_reads_what_we_read() -> None:
    """Three calls through both: equal verbs, paths and bodies; and it finds its answers where we do."""
    heard: list[bytes] = []

    class Wire(HttpMockSequence):  # type: ignore[misc]  # untyped
        def request(self, uri: str, *rest: Any, **named: Any) -> Any:
            heard.append(named["body"].encode())
            base = re.search(r"Content-ID: <(\S+) \+", named["body"])
            assert base
            theirs = Written(base[1], 3, "", b"")
            kind, content = answer(
                theirs, [(2, 409, b'{"error": {}}'), (0, 200, b'{"id": "1.a"}'), (1, 200, b"{}")]
            )
            self._iterable = [({"status": "200", "content-type": kind}, content)]
            return super().request(uri, *rest, **named)

    service = build_from_document(DOCUMENT, http=Wire([]))
    told: dict[str, Any] = {}

    def tell(name: str, body: Any, fault: Any) -> None:
        told[name] = fault.resp.status if fault else body

    batch = service.new_batch_http_request(callback=tell)
    objects, message = service.loyaltyobject(), {"message": {"body": "Кофе", "id": "m"}}
    batch.add(objects.patch(resourceId="1.a", body={"state": "ACTIVE"}), request_id="0")
    batch.add(objects.addmessage(resourceId="1.b", body=message), request_id="1")
    batch.add(objects.insert(body={"id": "1.c"}), request_id="2")
    batch.execute()
    assert told == {"0": {"id": "1.a"}, "1": {}, "2": 409}

    ours = batches.write(
        [
            calls.patch_object("1.a", {"state": "ACTIVE"}),
            calls.message_object("1.b", message["message"]),
            calls.insert_object({"id": "1.c"}),
        ]
    )
    assert requests(ours.content) == requests(heard[0])


def requests(content: bytes) -> list[tuple[str, str, Any]]:
    """(verb, path, body) of each part of a batch, with nothing of the service."""
    boundary = re.match(rb"\s*--(\S+)", content)
    assert boundary
    found = []
    for part in content.split(b"--" + boundary[1])[1:-1]:
        outer, inner = re.split(rb"\r?\n\r?\n", part, maxsplit=1)
        assert b"Content-Type: application/http" in outer
        head, body = re.split(rb"\r?\n\r?\n", inner, maxsplit=1)
        verb, path, version = head.splitlines()[0].decode().split()
        assert version == "HTTP/1.1"
        found.append((verb, path.removesuffix("?alt=json"), json.loads(body) if body.strip() else None))
    return found
