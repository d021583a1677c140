"""Formats of one's own, from a package that this one does not know."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grapheme_torch import InputError
from grapheme_torch._check import Notice
from grapheme_torch.convert import FORMATS, Format, convert, formats
from grapheme_torch.data import load_pairs

from ..cli.commands import output, refused

MODULE = '''
from grapheme_torch import InputError
from grapheme_torch.convert import Format, line_pieces, records

def shout(lines, *, source="<memory>", skip=None, marks: int = 1):
    """Texts to loud texts.

    Args:
        lines: A text per line.
        source: Name of the file.
        skip: Called with what is refused.
        marks: How many exclamation marks there are.
    """

    def make(piece):
        if not piece.text.islower():
            raise InputError("a text must be quiet. Write it small.")
        return {"input": piece.text, "target": piece.text.upper() + "!" * marks}

    return records(line_pieces(lines, source), make, skip)

SHOUT = Format(shout, "Texts to loud texts.")
NO_FORMAT = 3
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package with formats of its own."""
    (tmp_path / "loud_formats.py").write_text(MODULE)
    about = tmp_path / "loud_formats-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: loud-formats\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield about
    sys.modules.pop("loud_formats", None)


def install(package: Path, **entries: str) -> None:
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (package / "entry_points.txt").write_text(f"[grapheme_torch.formats]\n{lines}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "quiet.txt"
    path.write_text("hello\nHELLO\nyou\n")
    return path


def texts(path: Path) -> list[str]:
    return ["".join(pair.target.label) for pair in load_pairs(path)]


def test_a_format_of_ones_own_converts(package: Path, file: Path, tmp_path: Path) -> None:
    shout = importlib.import_module("loud_formats").SHOUT
    out = tmp_path / "loud.jsonl"
    done = convert(shout, str(file), str(out), skip_bad=True, marks=2)
    assert (done.format, done.records, done.skipped) == ("shout", 2, 1)
    assert texts(out) == ["HELLO!!", "YOU!!"]
    with pytest.raises(InputError, match=r"quiet.txt:2: a text must be quiet\."):
        convert(shout, str(file), str(tmp_path / "other.jsonl"))


def test_an_installed_format_is_a_command(
    package: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(package, shout="loud_formats:SHOUT")
    assert list(formats()) == [*FORMATS, "shout"]
    out = tmp_path / "loud.jsonl"
    words = ("convert", "shout", str(file), str(out))
    assert "quiet.txt:2: a text must be quiet." in refused(capsys, *words)
    told = output(capsys, *words, "--skip-bad", "--marks", "3")
    assert "2 pairs" in told
    assert texts(out) == ["HELLO!!!", "YOU!!!"]
    assert convert("shout", str(file), str(out), overwrite=True, skip_bad=True).records == 2
    assert "How many exclamation marks there are" in output(capsys, *words[:2], "--help")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("smiles", "loud_formats:SHOUT", "its name must not be taken, got 'smiles'. Rename it."),
        ("shout", "loud_formats:WHISPER", "it must be importable, got AttributeError: module 'lo"),
        ("shout", "no_such_package:SHOUT", "it must be importable, got ModuleNotFoundError: No m"),
        ("shout", "loud_formats:NO_FORMAT", "it must be a `Format`, got 3. Name a `Format`."),
    ],
)
def test_what_is_no_format_is_left_aside(package: Path, name: str, value: str, reason: str) -> None:
    install(package, **{name: value})
    with pytest.warns(
        Notice, match=re.escape(f"format '{name}' ({value}) is left aside: {reason}")
    ):
        assert formats() == FORMATS


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    message = (
        r"^the format must be known, got 'nope'\. Choose one of smiles, .*, or give a `Format`"
    )
    with pytest.raises(InputError, match=message):
        convert("nope", "in", str(tmp_path / "out"))


def test_the_formats_of_the_package_are_formats() -> None:
    assert all(isinstance(format, Format) for format in FORMATS.values())
