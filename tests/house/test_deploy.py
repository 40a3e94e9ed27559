"""docs/deploy.md names commands, settings, files and addresses that there are."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import click
import pytest

from app.__main__ import cli
from app.settings import PREFIX, SECRETS, Settings
from app.web import body_limits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def _commands() -> list[list[str]]:
    """Everything that is said after ``perkpass`` in code: a shell's line, a unit's, or between backticks."""
    code = "\n".join([*(body for _kind, body in BLOCKS), *re.findall(r"`([^`\n]+)`", PAGE)])
    said = re.findall(r"(?:^|/bin/)perkpass ([a-z][^\n;|']*)", code, re.MULTILINE)
    return [words.split() for words in said]


def test_every_command_exists_with_its_options() -> None:
    found = _commands()
    assert {"run", "web", "worker", "migrate", "doctor", "backup", "restore", "user", "brand"} <= {
        words[0] for words in found
    }
    unknown = []
    for words in found:
        command: click.Command = cli
        for word in words:
            if not isinstance(command, click.Group):
                break
            known = command.get_command(click.Context(command), word)
            if known is None:
                unknown.append(words)
                break
            command = known
        options = {name for each in command.params for name in each.opts}
        unknown += [words for word in words if word.startswith("--") and word not in options]
    assert unknown == []


def test_every_setting_exists() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", PAGE))
    assert len(named) > 10
    assert named - known == set()


def test_its_settings_are_read_as_they_stand() -> None:
    shell = "\n".join(body for kind, body in BLOCKS if kind == "sh")
    given = dict(re.findall(rf"^({PREFIX}[A-Z_]+)=(\S+)", shell, re.MULTILINE))
    values = {k.removeprefix(PREFIX).lower(): v for k, v in given.items() if not k.endswith("_FILE")}
    settings = Settings(**values)
    assert settings.public_url == "https://cards.example.com"
    assert settings.trusted_proxies == 1


def test_every_file_and_page_it_names_is_there() -> None:
    for target in re.findall(r"\]\(((?!https?://|#)[^)]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
    for name in re.findall(r"-r (\S+)", PAGE):
        assert (ROOT / name).exists(), name


def test_units_start_what_is_installed() -> None:
    units = [body for kind, body in BLOCKS if kind == "ini"]
    assert len(units) == 5
    starts = re.findall(r"^ExecStart=(.+)$", "\n".join(units), re.MULTILINE)
    assert [re.search(r"/opt/perkpass/\.venv/bin/perkpass (\w+)", each)[1] for each in starts] == [  # type: ignore[index]
        "run", "backup", "web", "worker",
    ]  # fmt: skip
    whole = configparser.RawConfigParser(strict=False)
    whole.optionxform = str  # type: ignore[assignment,method-assign]
    for unit in units:
        if unit.startswith("["):
            whole.read_string(unit)
    assert whole.sections() == ["Unit", "Service", "Install", "Timer"]


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics", "/passkit"])
def test_the_addresses_are_served(address: str) -> None:
    assert address in PAGE
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app" / "web").glob("*.py"))
    assert f'"{address}"' in sources


def test_proxies_let_through_what_the_service_takes() -> None:
    sizes = [int(found) for found in re.findall(r"(?:max_size |client_max_body_size )(\d+)", PAGE)]
    assert len(sizes) == 2
    most = body_limits.MOST_UPLOAD / 1_000_000
    assert all(size > most for size in sizes)
    assert f"at most {body_limits.MOST_UPLOAD // 2**20} MB" in PAGE


def test_it_names_apples_push_service() -> None:
    assert Settings.model_fields["apns_url"].default.removeprefix("https://") in PAGE
