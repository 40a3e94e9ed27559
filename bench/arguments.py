"""What a benchmark may be told on the command line; anything else ends it with a sentence and status 2."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Callable, Collection
from pathlib import Path

HERE = Path(__file__).parent


def about(name: str) -> str:
    """What the benchmark says of itself; nothing is imported for that."""
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def parser(name: str) -> argparse.ArgumentParser:
    """For a benchmark's arguments; each has a default, and without any the run is full."""
    return argparse.ArgumentParser(
        prog=f"python -m bench {name}",
        description=about(name),
        epilog="Without arguments the run is full; with some it is a trial.",
        formatter_class=_Help,
        allow_abbrev=False,
    )


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Paragraphs as they were written, and every default that there is."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def number(least: int = 1) -> Callable[[str], int]:
    """The type of a count of at least ``least``: ``3000`` or ``3_000``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return value

    return read


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """The type of one of ``names``; argparse's own choices refuse that there are none."""

    def read(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(names)}")
        return text

    return read


def seconds(text: str) -> float:
    """The type of a duration above nothing and of an hour at most."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:  # NaN is neither
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, above 0 and at most 3600")
    return value
