"""pass.strings survives any words that a brand or a guest can write."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.passes.strings import parse, render

anything = st.text(max_size=60) | st.text('\\"\n\r\t\b\f\a\x1b\x00u=; йЁ«»—%@', max_size=30)


def read_by_the_grammar(text: str) -> dict[str, str]:
    """A reader of old-style property lists: quoted strings, a backslash quotes what follows it."""
    tokens: list[str] = []
    position = 0
    while position < len(text):
        if text[position] != '"':
            tokens += [text[position]] if not text[position].isspace() else []
            position += 1
            continue
        position += 1
        said = ""
        while text[position] != '"':
            if text[position] == "\\":
                position += 1
                said += {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}.get(
                    text[position], text[position]
                )
            else:
                said += text[position]
            position += 1
        position += 1
        tokens.append(f'"{said}')
    entries = {}
    for key, equals, value, end in zip(*[iter(tokens)] * 4, strict=True):
        assert (equals, end) == ("=", ";")
        entries[key[1:]] = value[1:]
    return entries


@given(st.dictionaries(anything, anything, max_size=6))
@example({'Кафе "У Ёлки"': "C:\\tmp\nвторая строка\r\n"})
def test_every_word_is_read_back_as_it_was_written(entries: dict[str, str]) -> None:
    text = render(entries)
    assert read_by_the_grammar(text) == entries
    assert parse(text) == entries
    assert text.count("\n") == len(entries)
    assert not text or text.startswith('"')


def test_an_entry_has_the_one_shape_that_all_readers_take() -> None:
    assert render({'Скидка "50 %"': "a\\b\nc\rd"}) == '"Скидка \\"50 %\\"" = "a\\\\b\\nc\\rd";\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a" = "b"', "line 1"),
        ('"a" = "b";\n"c"="d";', "line 2"),
        ('"a" = "b"c";', "line 1"),
        ("/* слова */", "line 1"),
        ('"a" = "b";\n"a" = "c";', "there already"),
    ],
)
def test_a_file_that_wallet_would_stumble_over_names_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)
