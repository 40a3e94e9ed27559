"""Documents of strangers: refused before they cost anything, and no sooner."""

from __future__ import annotations

import time

import pytest

from app.passes import toml_reading
from app.passes.toml_reading import DEEPEST, LONGEST


def a_key(parts: int) -> bytes:
    return b".".join([b"a"] * parts)


@pytest.mark.parametrize(
    "document",
    [
        a_key(30_000) + b" = 1",
        b"[" + a_key(30_000) + b"]",
        b"[[" + a_key(30_000) + b"]]",
        b"x = {" + a_key(30_000) + b" = 1}",
        b'x = {y = """a"""", ' + a_key(30_000) + b" = 1}",
        b"x = {y = '''a''''', " + a_key(30_000) + b" = 1}",
        b'x = {y = "\\"#", ' + a_key(30_000) + b" = 1}",
        b".".join([b'"a"'] * 15_000) + b" = 1",
        b" . ".join([b"'a.='"] * 7_000) + b" = 1",
        b"x = " + b"[" * 60_000,
    ],
)
def test_a_key_too_deep_costs_nothing(document: bytes) -> None:
    began = time.process_time()
    with pytest.raises(RecursionError):
        toml_reading.read(document)
    assert time.process_time() - began < 1  # parsed it would take minutes


@pytest.mark.parametrize(
    "document",
    [
        b"x = " + b"9" * 10_000,
        b"x = " + b"9" * 4_000,
        b"x = 0x" + b"f" * 60_000,
        b"#" * (LONGEST + 1),
        b'"""\\"""\n' * 8_000,
        b"x = " + b" " * 60_000,
        b"\xff",
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(document: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=r"\w"):
        toml_reading.read(document)
    assert time.process_time() - began < 1


def test_dots_of_texts_comments_and_numbers_are_no_keys() -> None:
    dots = "a." * 100
    document = f'''
    # {dots} "
    {".".join("a" * DEEPEST)} = 1.5  # {dots}
    b = "{dots}\\"{dots}"
    c = '{dots}'
    d = """{dots}
    ""{dots}"""""
    e = {{f = [1.5, 2.5, {", ".join(["0.5"] * 50)}], g = 1979-05-27}}
    '''
    found = toml_reading.read(document.encode())
    assert found["b"] == f'{dots}"{dots}'
    assert found["d"].endswith('a.""')
    assert found["e"]["g"] == "1979-05-27"
