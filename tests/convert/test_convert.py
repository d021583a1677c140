"""The command `grapheme convert`: files, what is skipped, and that nothing is lost."""

import bz2
import gzip
import io
import json
import lzma
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.cli._main import main
from grapheme_torch.convert import FORMATS, convert
from grapheme_torch.data import read_pairs
from grapheme_torch.edits._node_places import input_nodes

from .samples import BENZENE, BUTANOL, LOGICAL_FORMS, SENTENCES, SOURCE, VARIABLE_FREE

Capture = pytest.CaptureFixture[str]

SAMPLES = {
    "smiles": "CCO\tethanol\nc1ccccc1\tbenzene\n",
    "sdf": BUTANOL + BENZENE,
    "fingerprint": "CCO\tethanol\nc1ccccc1\tbenzene\n",
    "spectra": '{"peaks": [[31.0, 9]], "precursor_mz": 47.0, "adduct": null, "smiles": "CCO"}\n'
    * 2,
    "conllu": SENTENCES,
    "cogs": LOGICAL_FORMS,
    "slog": VARIABLE_FREE,
    "python": SOURCE,
    "pairs": "teh\tthe\nadn\tand\n",
}
GOOD, BAD = "a\tb\n", "lonely\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.tsv"
    path.write_text(GOOD + BAD + GOOD, encoding="utf-8")
    return path


def _stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("format", SAMPLES)
def test_every_format_gives_a_data_set(tmp_path: Path, capsys: Capture, format: str) -> None:
    source, out = tmp_path / "source", tmp_path / "data.jsonl"
    source.write_text(SAMPLES[format], encoding="utf-8")
    assert main(["convert", format, str(source), str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    pairs = read_pairs(out)
    assert summary["records"] == len(pairs) > 0
    assert summary["max_target"] == max(pair.target.num_nodes or 0 for pair in pairs)
    assert summary["max_input"] == max(pair.input.num_nodes or 0 for pair in pairs)
    larger = sum((pair.target.num_nodes or 0) > (pair.input.num_nodes or 0) for pair in pairs)
    assert summary["larger"] == larger
    for pair in pairs:
        places = pair.extra.get("alignment", [0] * (pair.target.num_nodes or 0))
        assert len(places) == pair.target.num_nodes
        nodes = [at for place in places for at in input_nodes(place)]
        assert all(0 <= at < (pair.input.num_nodes or 1) for at in nodes)


def test_standard_input_and_output(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    _stdin(monkeypatch, GOOD + BAD)
    assert main(["convert", "pairs", "-", "-", "--skip-bad", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out) == {"input": "a", "target": "b"}
    first, summary = err.split("\n", 1)
    assert first.startswith("grapheme: skipped <stdin>:2: the line must have a column 2 (target)")
    assert json.loads(summary)["skipped"] == 1


def test_the_first_bad_line_ends_it(tmp_path: Path, capsys: Capture, table: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert main(["convert", "pairs", str(table), str(out)]) == 2
    assert f"grapheme: {table}:2: the line must have a column 2" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [table]


def test_skipped_lines_are_kept(tmp_path: Path, capsys: Capture, table: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert main(["convert", "pairs", str(table), str(out), "--skip-bad"]) == 0
    kept = tmp_path / "out.skipped.jsonl"
    assert f"1 skipped: {kept}" in capsys.readouterr().out
    (skipped,) = _lines(kept)
    assert (skipped["source"], skipped["line"], skipped["text"]) == (str(table), 2, "lonely")
    assert skipped["reason"].startswith("the line must have a column 2")
    assert len(_lines(out)) == 2


def test_what_is_there_is_kept(tmp_path: Path, table: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old", encoding="utf-8")
    with pytest.raises(InputError, match="the output must not exist"):
        convert("pairs", str(table), str(out), skip_bad=True)
    with pytest.raises(InputError, match=r"table\.tsv:2"):
        convert("pairs", str(table), str(out), overwrite=True)
    assert out.read_text(encoding="utf-8") == "old"
    assert convert("pairs", str(table), str(out), overwrite=True, skip_bad=True).records == 2
    (tmp_path / "new.skipped.jsonl").touch()
    with pytest.raises(InputError, match=r"new\.skipped\.jsonl: the output must not exist"):
        convert("pairs", str(table), str(tmp_path / "new.jsonl"), skip_bad=True)


def test_the_input_is_never_replaced(tmp_path: Path, table: Path) -> None:
    with pytest.raises(InputError, match="must not be the input"):
        convert("pairs", str(table), str(table), overwrite=True)
    link, out = tmp_path / "link", str(tmp_path / "out")
    link.symlink_to(table)
    with pytest.raises(InputError, match="must not be the input"):
        convert("pairs", str(table), out, overwrite=True, skip_bad=True, skipped=str(link))
    with pytest.raises(InputError, match="output and `skipped` must be two files"):
        convert("pairs", str(table), out, skip_bad=True, skipped=out)
    assert table.read_text(encoding="utf-8") == GOOD + BAD + GOOD


def test_a_data_set_without_a_pair_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "empty"
    for content, reason in (("", "none, 0 refused"), (BAD, "none, 1 refused.*The first: .*:1:")):
        source.write_text(content, encoding="utf-8")
        with pytest.raises(
            InputError, match=f"the input must give at least one pair, got {reason}"
        ):
            convert("pairs", str(source), str(tmp_path / "out"), skip_bad=True)
        assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "`FORMAT` must be given, got nothing"),
        (["nonsense", "a", "b"], "`FORMAT` must be one of smiles, sdf,"),
        (["pairs", "a"], "`OUTPUT` must be given, got nothing"),
        (["pairs", "no/such", "b"], "no/such: the input must be a readable file, got No such file"),
        (["pairs", ".", "b"], r".: the input must be a readable file, got a folder"),
        (["conllu", "a", "b", "--label=x"], "`--label` must be one of form, upos, lemma, got 'x'"),
        (["pairs", "a", "no/such/b"], "no/such/b: the file must be writable, got No such file"),
    ],
)
def test_a_command_that_cannot_be_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    words: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["convert", *words]) == 2
    assert capsys.readouterr().err.startswith(f"grapheme: {reason}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_help(capsys: Capture, format: str) -> None:
    assert main(["convert", format, "--help"]) == 0
    printed = capsys.readouterr().out
    options = printed.split("--help", 1)[1].split("\n  --")[1:]
    assert all(len(option.split(maxsplit=2)) > 2 for option in options)
    assert "--skip-bad" in printed


def test_a_folder_of_python(tmp_path: Path, capsys: Capture) -> None:
    folder, out = tmp_path / "src", str(tmp_path / "out.jsonl")
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (folder / "a.py").write_text("x = 1\n", encoding="utf-8")
    (folder / "sub" / "b.py").write_text("x = (\n", encoding="utf-8")
    (folder / "c.txt").write_text("no Python", encoding="utf-8")
    assert main(["convert", "python", str(folder), out, "--skip-bad"]) == 0
    (pair,) = read_pairs(out)
    assert pair.extra["path"] == "a.py"
    (skipped,) = _lines(tmp_path / "out.skipped.jsonl")
    assert (skipped["source"], skipped["text"]) == (str(folder / "sub" / "b.py"), None)
    with pytest.raises(InputError, match=r"hold files ending in .py, got none"):
        convert("python", str(tmp_path / "empty"), out, overwrite=True)


def test_sources_in_json_lines(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"code": "x", "stars": 3}, {"text": "x"}, {"code": "y = (", "stars": 1}, {"code": "z",
            "input": 1}]  # fmt: skip
    content = "".join(json.dumps(row) + "\n" for row in rows) + "{\n"
    source.write_text(content, encoding="utf-8")
    done = convert("python", str(source), str(out), key="code", skip_bad=True)
    assert (done.records, done.skipped) == (1, 4)
    assert read_pairs(out)[0].extra["stars"] == 3
    skipped = _lines(tmp_path / "out.skipped.jsonl")
    assert [row["line"] for row in skipped] == [2, 3, 4, 5]
    assert ["object with a text" in skipped[0]["reason"], "Python" in skipped[1]["reason"]] == [
        True, True,
    ]  # fmt: skip


def test_progress_is_told(table: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))

    convert("pairs", str(table), str(tmp_path / "out"), skip_bad=True, progress=progress)
    size = table.stat().st_size
    assert told[-1] == (size, size)


def test_what_is_left_out_is_counted(tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "s.conllu"
    source.write_text(SENTENCES, encoding="utf-8")
    words = ["convert", "conllu", str(source), str(tmp_path / "out.jsonl"), "--max-words=3"]
    assert main(words) == 0
    assert "1 pairs" in (printed := capsys.readouterr().out)
    assert f"; 1 left out, the first: {source}:1: 6 words are more than `max_words`, 3" in printed


def test_a_pair_that_no_network_could_learn_is_left_out(tmp_path: Path, capsys: Capture) -> None:
    package, out = tmp_path / "package", tmp_path / "out.jsonl"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text("x = 1\n", encoding="utf-8")
    listed = tmp_path / "listed.jsonl"
    assert main(["convert", "python", str(package), str(out), f"--skipped={listed}"]) == 0
    why = "the input is empty, and the target has 1 nodes"
    printed = capsys.readouterr().out
    assert f"1 left out, the first: {package / '__init__.py'}:1: {why}" in printed
    assert [pair.extra["path"] for pair in read_pairs(out)] == ["a.py"]
    (row,) = _lines(listed)
    assert (row["source"], row["line"], row["left_out"]) == (str(package / "__init__.py"), 1, True)
    with pytest.raises(InputError, match=f"got none, 0 refused, 1 left out.*The first: .*{why}"):
        convert("python", str(package / "__init__.py"), str(tmp_path / "none"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    for format, text in SAMPLES.items():
        plain, packed = tmp_path / f"{format}.plain", tmp_path / f"{format}.packed"
        plain.write_text(text, encoding="utf-8")
        packed.write_bytes(pack(text.encode()))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed.read_bytes())))
        for source, out in ((str(plain), "a"), (str(packed), "b"), ("-", "c")):
            convert(format, source, str(tmp_path / out), overwrite=True)
        read = [(tmp_path / out).read_bytes() for out in "abc"]
        assert read[0] == read[1] == read[2]
    twice = tmp_path / "twice.jsonl.gz"
    twice.write_bytes(pack(pack(b'{"source": "x"}\n')))
    assert convert("python", str(twice), str(tmp_path / "out")).records == 1


def test_a_damaged_packed_file_is_refused(tmp_path: Path) -> None:
    source, out = tmp_path / "x.gz", tmp_path / "out"
    whole = gzip.compress((GOOD * 1000).encode())
    for content in (whole[:-10], whole[:-8] + bytes(8), whole[:15] + b"xx" + whole[17:]):
        source.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.gz must be a whole packed file, got"):
            convert("pairs", str(source), str(out), skip_bad=True)
        assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a\tb\n".encode("utf-16"), "got UTF-16. Type `iconv -f UTF-16 -t UTF-8 "),
        ("\ufeffa\tb\n".encode("utf-16-be"), "got UTF-16"),
        ("a\tb\n".encode("utf-32"), "got UTF-32"),
        ("a\tb\n".encode("utf-16-le"), "got a null character at byte 2 of the line, as in UTF-16"),
        (b"PK\x03\x04\n", "got a ZIP archive. Type `unzip -p"),
        (b"\x28\xb5\x2f\xfd\n", "got a Zstandard file. Type `zstd -d"),
    ],
)
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    source, out = tmp_path / "x", str(tmp_path / "out")
    for format in SAMPLES:
        if format == "python" and b"\0\t" in content:
            continue  # Python itself refuses null characters
        source.write_bytes(content)
        with pytest.raises(InputError, match=f"^{source}.*must .*{re.escape(reason)}"):
            convert(format, str(source), out)
    data = tmp_path / "x.jsonl"
    data.write_bytes(content)
    with pytest.raises(InputError, match=rf"^{data}(:1: the line)? must .*{re.escape(reason)}"):
        read_pairs(data)


@pytest.mark.parametrize("format", sorted(SAMPLES.keys() - {"python"}))
def test_line_ends_are_those_of_unix_or_windows(tmp_path: Path, format: str) -> None:
    source = tmp_path / "source"
    text = SAMPLES[format]
    outputs = []
    for end in ("\n", "\r\n"):
        source.write_text(text, encoding="utf-8", newline=end)
        convert(format, str(source), str(tmp_path / "out"), overwrite=True)
        outputs.append((tmp_path / "out").read_bytes())
    assert outputs[0] == outputs[1]
    for end in ("\r", "\r\r\n"):
        source.write_bytes(text.replace("\n", end).encode())
        with pytest.raises(InputError, match=r"source:\d+: the line must end in .*old Macs"):
            convert(format, str(source), str(tmp_path / "none"))


def test_a_data_set_may_be_packed(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl.gz"
    data.write_bytes(gzip.compress(b'{"input": "a", "target": "b"}\n'))
    assert len(read_pairs(data)) == 1
    data.write_bytes(data.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"data\.jsonl\.gz must be a whole packed file"):
        read_pairs(data)


def test_a_file_of_a_folder_that_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a.py").write_bytes("x = 1\n".encode("utf-16"))
    (folder / "b.py").write_text("x = 1\n", encoding="utf-8")
    done = convert("python", str(folder), str(tmp_path / "out.jsonl"), skip_bad=True)
    assert (done.records, done.skipped) == (1, 1)
    (row,) = _lines(tmp_path / "out.skipped.jsonl")
    assert "UTF-16" in row["reason"]


def test_nothing_is_kept_in_memory(tmp_path: Path) -> None:
    """A reader that is asked for one record at a time has read one line at a time."""
    read = 0

    def lines() -> Any:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield GOOD

    records = FORMATS["pairs"].read(lines())
    for k in range(1, 4):
        next(records)
        assert read == k
