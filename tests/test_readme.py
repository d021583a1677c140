"""What the README shows is run: its programs, its commands, its data."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch.cli._main import _parser, _words
from grapheme_torch.data import load_pairs
from grapheme_torch.data._conditions import check_sizes
from grapheme_torch.train import train

from .pages import call

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def _commands(block: str) -> list[list[str]]:
    return [shlex.split(line, comments=True) for line in block.splitlines() if line.strip()]


SHELL = [words for block in _blocks("sh") for words in _commands(block)]


def test_the_first_screen_installs() -> None:
    assert _commands(_blocks("sh")[0]) == [["pip", "install", "grapheme-torch"]]


def test_a_clone_takes_two_commands_of_the_makefile() -> None:
    first = _commands(_blocks("sh")[1])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [words[0] for words in first] == ["make", "make"]
    for _, target in first:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_first_program_learns(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    program = _blocks("python")[0]
    assert len([line for line in program.splitlines() if line.strip()]) <= 15
    exec(program, names)
    result = names["result"]
    assert result.total.item() < 1
    assert bool(result.converged.all())
    assert result.plan[0].shape == (7, 5)
    assert capsys.readouterr().out.startswith(f"{result.total.item()} tensor(")


@pytest.mark.repeats
def test_the_second_program_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {"dim": 32, "num_layers": 1, "num_buckets": 256}
    assert train("runs/kg", epochs=60, lr=0.01, network=small).exact_match == 1.0
    lines = _blocks("python")[1].splitlines()
    said = {name: _last(lines, name) for name in ("graph_to_text", "max_relative_error")}
    names: dict[str, Any] = {}
    exec("\n".join(lines[: said["graph_to_text"]]), names)
    assert eval(lines[said["graph_to_text"]], names) == "Sky is blue"
    assert lines[said["graph_to_text"]].endswith("# 'Sky is blue'")
    assert names["result"].converged.all()
    assert all(parameter.grad is not None for parameter in names["model"].parameters())
    assert eval(lines[said["max_relative_error"]], names) <= 1e-6


def _last(lines: list[str], word: str) -> int:
    return max(k for k, line in enumerate(lines) if word in line)


@pytest.mark.parametrize(
    "words", [words for words in SHELL if words[0] == "grapheme"], ids=lambda words: words[1]
)
def test_every_command_is_understood(words: list[str]) -> None:
    options = _parser(words[1]).parse_args(_words(words[1:]))
    assert options.command == words[1]


@pytest.mark.repeats
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.`:FutureWarning")
def test_every_command_runs_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their order, in a folder that has nothing but the samples."""
    shutil.copytree(ROOT / "examples" / "data", tmp_path / "examples" / "data")
    monkeypatch.chdir(tmp_path)
    for words in [words for words in SHELL if words[0] == "grapheme"]:
        assert call(words) == 0, shlex.join(words)
        if words[1:3] == ["predict", "runs/kg"]:
            assert capsys.readouterr().out.splitlines()[-1] == "Sky is blue"
    answers = (tmp_path / "answers.txt").read_text(encoding="utf-8").splitlines()
    assert answers == ["rings", "torches", "hills", "turned", "mailed"]


def test_every_command_is_shown() -> None:
    shown = {words[1] for words in SHELL if words[0] == "grapheme"}
    assert shown == {"train", "predict", "evaluate", "check-gradients", "compare", "convert"}


def test_the_pair_it_shows_can_be_trained_on(tmp_path: Path) -> None:
    (block,) = _blocks("json")
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(json.loads(block)), encoding="utf-8")
    pairs = load_pairs(path)
    check_sizes(pairs)
    assert pairs[0].target.num_edges == 2


@pytest.mark.parametrize("path", re.findall(r"\]\(((?!http)[^)#]+)", README))
def test_every_link_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()
