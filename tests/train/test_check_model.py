"""The finite-difference check of a saved network."""

import re
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError, Sinkhorn, StructuralLoss
from grapheme_torch._check import Notice
from grapheme_torch.train import check_saved_model

from .runs import PAIRS, quick, write_pairs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that learned five pairs for some epochs."""
    folder = tmp_path_factory.mktemp("model")
    data = write_pairs(folder / "data.jsonl", PAIRS)
    quick(folder / "run", data=data, epochs=60, lr=0.02)
    return folder / "run"


@pytest.mark.repeats
def test_the_gradients_of_a_saved_model(folder: Path) -> None:
    data = write_pairs(folder.parent / "one.jsonl", PAIRS[:1])
    seen: list[tuple[int, int]] = []
    report = check_saved_model(
        str(folder), data=data, entries=1, max_iterations=3, rounds=0, criterion="edit",
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert report.passed, str(report)
    assert seen[-1] == (len(report.rows), len(report.rows))
    options = {"data": data, "entries": 1, "max_iterations": 3}
    wrong = check_saved_model(str(folder), **options, gradient="detach")
    assert not wrong.passed


@pytest.mark.repeats
def test_pairs_that_a_model_cannot_be_checked_on_are_passed_over(folder: Path) -> None:
    pairs: list[dict[str, Any]] = [{"input": "a", "target": "ab"}, {"input": "ab", "target": "xy"}]
    data = write_pairs(folder.parent / "unfit.jsonl", pairs)
    message = f"{data}: the targets must be ones the model can give, got labels the model does not"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        check_saved_model(str(folder), data=data)
    both = write_pairs(folder.parent / "both.jsonl", [*pairs, PAIRS[0]])
    options = {"pairs": 1, "entries": 1, "max_iterations": 3}
    here, there = (
        check_saved_model(str(folder), data=name, **options)
        for name in (both, write_pairs(folder.parent / "one.jsonl", PAIRS[:1]))
    )
    assert here.loss == there.loss


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": 0}, "`pairs` must be at least 1, got 0. "),
        ({"threads": 0}, "`threads` must be from 1 to 1024, got 0. "),
        ({"entries": 0}, "`entries` must be at least 1, got 0. "),
        ({"bound": -1.0}, "`bound` must be positive and finite, got -1.0. "),
        ({"rounds": -1}, "`rounds` must not be negative, got -1. "),
        ({"model": "nowhere"}, "nowhere/config.json must be a readable file, got No such file"),
    ],
)
def test_refused_checks(folder: Path, options: dict[str, Any], message: str) -> None:
    data = write_pairs(folder.parent / "one.jsonl", PAIRS[:1])
    with pytest.raises(InputError, match="^" + re.escape(message)):
        check_saved_model(**{"model": str(folder), "data": data, **options})


def test_the_data_are_those_of_the_run_unless_others_are_named(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "own.jsonl", PAIRS)
    quick(tmp_path / "run", data=data, epochs=1)
    options = {"entries": 1, "max_iterations": 3, "pairs": 2}
    told = check_saved_model(str(tmp_path / "run"), **options)
    assert told.loss == check_saved_model(str(tmp_path / "run"), data=data, **options).loss
    Path(data).unlink()
    message = f"{tmp_path / 'run'}: the data of the run must be where they were, got {data}. Name "
    with pytest.raises(InputError, match="^" + re.escape(message)):
        check_saved_model(str(tmp_path / "run"))


def test_a_run_by_a_constant_plan_is_checked_by_the_derivative(tmp_path: Path) -> None:
    """What it learned by is no derivative; where that is asked for, it is found to be none."""
    data = write_pairs(tmp_path / "own.jsonl", PAIRS)
    constant = StructuralLoss(alignment=Sinkhorn(tolerance=1e-3, gradient="detach"))
    quick(tmp_path / "run", data=data, epochs=1, loss=constant)
    options: dict[str, Any] = {"model": str(tmp_path / "run"), "entries": 1, "pairs": 2}
    with pytest.warns(Notice, match="Checked is the exact gradient"):
        assert check_saved_model(**options).passed
    assert not check_saved_model(**options, gradient="detach").passed
