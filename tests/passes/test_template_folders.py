"""A design taken away and brought back: equal, whatever was edited; and archives that are refused."""

from __future__ import annotations

import io
import shutil
import stat
import tomllib
import warnings
import zipfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.errors import BadInput, Conflict
from app.passes import edits, field_edits, link_edits, template_folders
from app.passes.assembly import assemble
from app.passes.content import LocalizedText
from app.passes.findings import DesignRefused, refusals
from app.passes.layout import FIELD_GROUPS
from app.passes.linter import lint_template
from app.passes.template import Template, read_template
from tests.passes import templates
from tests.passes.test_pictures import PICTURE, SVG, png_that_says, saved

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\t"), max_size=40
).filter(lambda words: "{" not in words)
LOGO = saved(Image.new("RGB", (160, 50), "#804020"))
TEXTS = st.builds(LocalizedText, WORDS, WORDS).filter(lambda text: text.ru.strip() or text.en.strip())


def read(name: str) -> Template:
    return read_template(templates.FOLDER / name)[0]


@st.composite
def edited(draw: st.DrawFn) -> Template:
    """A template that was changed some times as the editor can."""
    made = read(draw(st.sampled_from(templates.NAMES)))
    for _ in range(draw(st.integers(0, 5))):
        known = field_edits.fields(made)
        match draw(st.integers(0, 7)):
            case 0:
                made = edits.with_colour(made, "labelColor", draw(st.sampled_from(["#010203", None])))
            case 1:
                made = edits.with_text(made, "rules", draw(TEXTS))
            case 2:
                made = edits.with_barcode(made, draw(st.sampled_from([*edits.BARCODES, None])))
            case 3:
                made = field_edits.with_field(
                    made, draw(st.sampled_from(known)).key, label=draw(TEXTS), value=draw(TEXTS)
                )
            case 4:
                made = field_edits.without_field(made, draw(st.sampled_from(known)).key)
            case 5:
                moved = draw(st.sampled_from(known)).key
                made = field_edits.moved_field(
                    made, moved, draw(st.sampled_from(FIELD_GROUPS)), draw(st.integers(0, 9))
                )
            case 6:
                address = LocalizedText("https://example.com/ю", "")
                made = link_edits.add_link(made, draw(TEXTS), address)
            case 7:
                made = edits.with_images(made, "logo", {"logo.png": LOGO})
    return made


@settings(max_examples=60)
@given(edited())
def test_what_was_exported_comes_back_as_it_was(made: Template) -> None:
    archive = template_folders.to_zip(made)
    assert archive == template_folders.to_zip(made)
    again = template_folders.from_zip(archive, "any.zip").template
    assert again == made


@pytest.mark.parametrize("name", templates.NAMES)
def test_an_exported_folder_is_accepted_by_the_linter_as_the_template_is(name: str, tmp_path: Path) -> None:
    own = edits.with_text(read(name), "rules", LocalizedText("Правила", "Rules"))
    target = tmp_path / name
    template_folders.to_folder(own, target)
    assert refusals(lint_template(target)) == []
    assert template_folders.from_folder(target).template == own
    assert read_template(target)[0] == own
    values = templates.values("tiered_card", for_reward=6)
    assert assemble(template_folders.from_zip(template_folders.to_zip(own), "").template, values) == assemble(
        own, values
    )
    assert tomllib.loads((target / "texts.toml").read_text()) == {"rules": {"ru": "Правила", "en": "Rules"}}
    with pytest.raises(Conflict, match="already"):
        template_folders.to_folder(own, target)


def test_a_folder_may_lie_at_the_top_of_its_archive_and_be_packed_by_a_desktop(tmp_path: Path) -> None:
    shutil.copytree(templates.FOLDER / "bonus_card", tmp_path / "Наша карта")
    (tmp_path / "Наша карта" / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "Наша карта" / "notes.txt").write_text("not ours")
    for root, name in ((tmp_path, "Наша_карта"), (tmp_path / "Наша карта", "given")):
        packed = Path(shutil.make_archive(str(tmp_path.parent / f"{tmp_path.name}-{name}"), "zip", root))
        brought = template_folders.from_zip(packed.read_bytes(), "given.zip")
        assert brought.template.name == name
        assert brought.template.files == read("bonus_card").files
        assert [finding.code for finding in brought.findings] == ["file-left-out"]


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], whole: bool = False) -> bytes:
    """A zip of these entries, and with those of a template where it is to be ``whole``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        own = template_folders.files_of(read("bonus_card")) if whole else {}
        for own_path, own_data in own.items():
            if own_path not in [path for path, _ in entries]:
                written.writestr(own_path, own_data)
        for path, data in entries:
            written.writestr(path, data)
    return out.getvalue()


def a_link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("icon@9x.png")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def with_false_size(data: bytes) -> bytes:
    """The directory says that the one file has ten bytes unpacked."""
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + (10).to_bytes(4, "little") + data[at + 28 :]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "archive-unreadable"),
        (b"PK\x03\x04" + bytes(100), "archive-unreadable"),
        (PICTURE, "archive-unreadable"),
        (archive(("layout.toml", b"a = 1"))[:-30], "archive-unreadable"),
        (bytes(template_folders.MOST_ARCHIVE + 1), "archive-too-large"),
        (archive(("../layout.toml", b"")), "archive-path"),
        (archive(("card/../../layout.toml", b"")), "archive-path"),
        (archive(("/etc/passwd", b"")), "archive-path"),
        (archive(("C:\\layout.toml", b"")), "archive-path"),
        (archive(("card\\layout.toml", b"")), "archive-path"),
        (archive(("la\nyout.toml", b"")), "archive-path"),
        (archive((a_link(), b"/etc/passwd")), "archive-link"),
        (archive(("layout.toml", b"a=1"), ("layout.toml", b"b=1")), "archive-twice"),
        (archive(*((f"{n}.png", b"") for n in range(301))), "archive-too-many"),
        (archive(("strip.png", bytes(50 * 1024 * 1024))), "archive-file-too-large"),
        (archive(("layout.toml", b"#" * 300_000)), "archive-file-too-large"),
        (with_false_size(archive(("strip.png", bytes(50 * 1024 * 1024)))), "archive-unreadable"),
        (archive(*((f"{n}.png", bytes(2_000_000)) for n in range(9))), "archive-too-large"),
        (archive(("logo@3x.png", SVG), whole=True), "picture-of-another-kind"),
        (archive(("logo.png", png_that_says(30_000, 30_000)), whole=True), "picture-too-large"),
        (archive(("strip@3x.png", png_that_says(2251, 400)), whole=True), "picture-too-large"),
        (archive(("ru.lproj/other.png", PICTURE), whole=True), "no-such-image"),
        (archive(("icon@3x@3x.png", PICTURE), whole=True), "no-such-image"),
        (archive(("tiers/1/google.png", PICTURE), whole=True), "no-such-image"),
        (archive(("google/hero@3x.png", PICTURE), whole=True), "no-such-image"),
    ],
    ids=count(),  # an archive says when it was made: its bytes are no name
)  # fmt: skip
def test_an_archive_that_is_no_templates_is_refused_with_what_to_do(data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        template_folders.from_zip(data, "card.zip")
    assert caught.value.code == code
    assert caught.value.field


def test_pictures_of_too_many_pixels_together_are_refused_before_one_is_opened() -> None:
    damaged = png_that_says(2250, 864)  # opened it would be told as damaged
    strips = [(f"tiers/{tier}/strip@3x.png", damaged) for tier in range(1, 12)]
    with pytest.raises(BadInput) as caught:
        template_folders.from_zip(archive(*strips, whole=True), "card.zip")
    assert caught.value.code == "archive-too-large"


def test_a_locked_archive_is_refused() -> None:
    data = bytearray(archive(("layout.toml", b"a = 1")))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    with pytest.raises(BadInput, match="password"):
        template_folders.from_zip(bytes(data), "card.zip")


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("layout.toml", b"= nonsense", "layout-unreadable"),
        ("layout.toml", b"\xff", "layout-unreadable"),
        ("layout.toml", b".".join([b"a"] * 30_000) + b" = 1", "layout-unreadable"),
        ("layout.toml", b"a = " + b"9" * 10_000, "layout-unreadable"),
        ("ru.lproj/pass.strings", b'"a" = "b', "strings-unreadable"),
        ("texts.toml", b"nonsense", "layout-unreadable"),
        ("texts.toml", b'description = "x"', "text-unreadable"),
        ("texts.toml", b'[rules]\nde = "Regeln"', "text-unreadable"),
        ("texts.toml", b"[rules]\nru = 5", "text-unreadable"),
    ],
)
def test_words_that_cannot_be_read_are_told_with_their_place(path: str, content: bytes, code: str) -> None:
    files = template_folders.files_of(read("bonus_card")) | {path: content}
    with pytest.raises(DesignRefused) as caught:
        template_folders.from_files("card", files)
    (finding,) = caught.value.findings
    assert finding.code == code
    assert finding.where.startswith(path)


@settings(max_examples=80)
@given(st.data())
def test_no_damage_to_an_archive_gets_past_with_anything_but_a_sentence(data: st.DataObject) -> None:
    packed = bytearray(archive(("icon.png", PICTURE), whole=True))
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(packed) - 1), st.integers(0, 255)), min_size=1, max_size=6)
    ):
        packed[at] = byte
    try:
        template_folders.from_zip(bytes(packed), "card.zip")
    except BadInput:
        return


def test_texts_that_windows_saved_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    folder = shutil.copytree(templates.FOLDER / "stamp_card", tmp_path / "stamp_card")
    marked = [*folder.rglob("*.toml"), *folder.rglob("pass.strings")]
    assert len(marked) >= 4
    for each in marked:
        each.write_bytes(b"\xef\xbb\xbf" + each.read_bytes())
    made, findings = read_template(folder)
    assert not refusals(findings)
    assert made == read("stamp_card")


@pytest.mark.parametrize("name", templates.NAMES)
def test_googles_wide_picture_is_drawn_and_no_band_of_one_colour(name: str) -> None:
    picture = Image.open(io.BytesIO(read(name).files["google/hero.png"])).convert("RGB")
    assert len(picture.getcolors(1 << 20) or ()) > 8
