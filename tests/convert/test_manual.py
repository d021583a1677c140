"""What docs/convert.md shows is run: its commands are understood, its examples come out so."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch.cli._main import _parser, _words
from grapheme_torch.convert import (
    BACK,
    FORMATS,
    cogs,
    conllu,
    fingerprint,
    pairs,
    python,
    slog,
    smiles,
)
from grapheme_torch.convert import Piece as Source

MANUAL = (Path(__file__).parents[2] / "docs" / "convert.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)


COMMANDS = [shlex.split(line) for block in _blocks("sh")[1:] for line in block.splitlines()]
WEATHER = """# sent_id = weather-1
# text = It rains.
1\tIt\tit\tPRON\t_\t_\t2\texpl\t_\t_
2\trains\train\tVERB\t_\t_\t0\troot\t_\t_
3\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\t_
"""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_understood(words: list[str]) -> None:
    options = _parser("convert").parse_args(_words(words[1:]))
    assert options.convert.format == words[2]


def test_every_format_is_shown() -> None:
    assert {words[2] for words in COMMANDS} == {*FORMATS, BACK}


def test_the_examples_come_out_so() -> None:
    form = "* girl ( x _ 1 ) ; sleep . agent ( x _ 2 , x _ 1 )"
    tree = "want ( agent = * girl , xcomp = eat ( agent = * girl ) )"
    made: list[Any] = [
        *smiles(["C[NH3+]\tmethylammonium"]),
        *fingerprint(["C#N"]),
        *conllu(WEATHER.splitlines(), label="upos"),
        *cogs([f"The girl slept .\t{form}\tin_distribution"]),
        *slog([f"The girl wanted to eat .\t{tree}\tin_distribution"]),
        *python([Source("x = 1", extra={"path": "x.py"})]),
        *pairs(["go\tV;PST\twent"], columns="a,b,c", input="a,b", target="c"),
    ]
    assert made == [json.loads(block) for block in _blocks("json")]


def test_the_programs_run(capsys: pytest.CaptureFixture[str]) -> None:
    for program in _blocks("python"):
        exec(program, {})
    places = "[[2, 1], [2, 1, 4]]\n"
    assert capsys.readouterr().out == f"{places}ethanol CCO\nbenzene c1ccccc1\n"
