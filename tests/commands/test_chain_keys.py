"""A key's secret is in the file if, and only if, the key was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.accounts import brands
from app.commands.chain_file import read_chain
from app.commands.chain_keys import kept_keys
from app.commands.chain_load import NewKey, Surroundings, load_chain
from app.db import Database
from app.errors import Misconfigured

TEMPLATES = Path(__file__).parents[2] / "pass_templates"


def test_a_load_that_fails_takes_back_no_secret_of_another(tmp_path: Path) -> None:
    kept, key = tmp_path / "keys", NewKey("pechka", "nevsky", "till 1", 1, "ppk_ours")
    with kept_keys(kept, [key]):
        pass
    ours = kept.read_text()

    def fail_while_another_writes(new: Sequence[NewKey]) -> None:
        with kept_keys(kept, new):
            with kept.open("a") as another:
                another.write("theirs\n")
            raise RuntimeError

    for new in ([], [key]):
        with pytest.raises(RuntimeError):
            fail_while_another_writes(new)
        assert kept.read_text().startswith(ours)
    assert kept.read_text().count("theirs") == 2
    before = kept.read_bytes()
    with pytest.raises(RuntimeError), kept_keys(kept, [key]):
        raise RuntimeError
    assert kept.read_bytes() == before


def test_secrets_of_a_brand_that_was_made_stay_whatever_becomes_of_the_next(
    database: Database, chain_file: Path, tmp_path: Path
) -> None:
    kept, loaded = tmp_path / "keys", list[Sequence[NewKey]]()

    def keep(new: Sequence[NewKey]) -> AbstractContextManager[None]:
        loaded.append(new)
        return kept_keys(kept if len(loaded) == 1 else tmp_path, new)  # the next one finds a directory

    around = Surroundings(chain_file.parent, TEMPLATES, datetime.now(UTC), "test")
    with pytest.raises(Misconfigured):
        load_chain(database, read_chain(chain_file), around, keep_keys=keep)
    with database.read() as tx:
        assert len(brands.all_brands(tx)) == 1
    assert [json.loads(line)["id"] for line in kept.read_text().splitlines()] == [key.id for key in loaded[0]]
