"""A folder of a run, told as a page."""

import csv
import io
import json
import math
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from torch_geometric.data import Data

from .._check import InputError, Received, refusal, relocate, require
from .._safe_files import read_regular
from .._versions import reading
from .._yaml import LARGEST, load_yaml
from ..data import Pair, load_pairs
from ..graphs import graph_from_node_link, text_to_graph
from ..loss import StructuralLoss
from ..page import Answers, Explanation, RunRecord
from ._evaluate import evaluate
from ._evaluation_report import EvaluationReport
from ._explain import explain
from ._folder import ANSWERS, METRICS, OPTIONS, SUMMARY, load_network, saved_loss, saved_shape
from ._large_pairs import check_nodes
from ._measure import weights_of
from ._resume import ORIGIN

T = TypeVar("T")

LARGEST_METRICS = 2**26
"""Bytes of `metrics.csv`, at most: a million epochs."""

MOST_MEASURED = 1000
"""Pairs of a data set, at most, that an answer is looked at for the page."""

_MOST_NODES = 500

_LARGE_FILE = 2**26
"""Bytes of a data set from which on it is read only where it is named."""


def run_record(folder: str | Path, data: str | None = None, *, worst: int = 3) -> RunRecord:
    """What a folder of a run says: curves, numbers, options, and its worst answers.

    Args:
        folder: What `train` wrote; also of a run that was stopped, as far as it came.
        data: The data set to find the worst answers in; the first 1000 pairs are looked at.
            Default: the validation data of the run, or else its training data, if they are still
            where they were.
        worst: How many of them to tell.

    Raises:
        InputError: If the folder holds no run, a file in it is spoilt, or `data` cannot be read.
    """
    require(worst >= 0, "`worst`", "not be negative", worst, "0 keeps none.")
    options, summary, rows, answers, hardware = reading(folder, _files)
    loss = saved_loss(folder)
    weights = weights_of(loss)
    name, pairs, note = _pairs(options, data)
    residuals = _not_converged(rows)
    metrics, found = {}, []
    if pairs is not None:
        report = evaluate(folder, pairs, worst=worst)
        metrics, found = _numbers(report), _explained(folder, report, loss)
        if report.covered:
            measured = {
                "data_not_converged": 1 - report.loss["converged"], "data_residual": report.residual
            }  # fmt: skip
            residuals |= {key: x for key, x in measured.items() if math.isfinite(x)}
    again = f"grapheme train --config {shlex.quote(f'{folder}/{OPTIONS}')} --out NEW"
    return RunRecord(
        str(folder), summary, rows, weights, options, again, name, metrics, found, note,
        answers, residuals, hardware,
    )  # fmt: skip


def _files(
    found: Path,
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, float]], Answers | None, dict[str, Any]]:
    """Options, summary, rows, answers, hardware; a run that was stopped may have no summary."""
    metrics, summary = found / METRICS, found / SUMMARY
    rows = _parsed(metrics, _rows, at_most=LARGEST_METRICS)
    options = _parsed(found / OPTIONS, lambda text: _mapping(load_yaml(text)))
    told = _parsed(summary, lambda text: _summary(json.loads(text))) if summary.exists() else {}
    path = found / ANSWERS
    answers = _parsed(path, _answers, at_most=LARGEST_METRICS) if path.exists() else None
    path = found / ORIGIN
    origin = _parsed(path, lambda text: _mapping(json.loads(text))) if path.exists() else {}
    # A run of an older release does not say what it was trained on.
    return options, told, rows, answers, _plain(origin.get("hardware"))


def _plain(values: Any) -> dict[str, Any]:
    """Texts and finite numbers by name."""
    found = values.items() if isinstance(values, dict) else ()
    return {
        str(name): value
        for name, value in found
        if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    }


def _parsed(path: Path, parse: Callable[[str], T], at_most: int = LARGEST) -> T:
    """What a file of a run holds.

    Raises:
        InputError: "FILE must ..." if it is not there or spoilt.
    """
    try:
        return parse(read_regular(path, at_most=at_most, within=path.parent).decode())
    except InputError as error:
        relocate(error, str(path))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        cause = Received(str(getattr(error, "strerror", None) or error).replace("\n", " "))
        remedy = "Name a folder that `grapheme train` wrote."
        raise refusal(str(path), "be a file of a run", cause, remedy) from None


def _mapping(value: Any) -> dict[str, Any]:
    require(isinstance(value, dict), "it", "hold values by name", value, "Train again.")
    assert isinstance(value, dict)
    return value


def _answers(text: str) -> Answers:
    """The answers to one pair: a line with the pair, then a line for each answer."""
    head, *rows = (_mapping(json.loads(line)) for line in text.splitlines())
    graphs = [_graph(row.get("answer")) for row in rows]
    epochs = [int(row.get("epoch", -1)) for row in rows]
    read, wanted = (_graph(head.get(name)) for name in ("input", "target"))
    return Answers(str(head.get("place")), read, wanted, epochs, graphs)


def _graph(document: Any) -> Data:
    return text_to_graph(document) if isinstance(document, str) else graph_from_node_link(document)


def _summary(value: Any) -> dict[str, Any]:
    summary = _mapping(value)
    for name in ("initial_loss", "final_loss", "epochs", "seconds"):
        number = isinstance(summary.get(name), int | float)
        require(number, f"`{name}`", "be a number", summary.get(name), "Train again.")
    return summary


def _rows(text: str) -> list[dict[str, float]]:
    """The rows of the metrics; empty cells are left out."""
    rows = [
        {str(name): float(cell) for name, cell in row.items() if cell}
        for row in csv.DictReader(io.StringIO(text))
    ]
    fits = bool(rows) and all(
        "epoch" in row and all(math.isfinite(x) for x in row.values()) for row in rows
    )
    require(
        fits, "the metrics", "have a finite row for each epoch", Received("others"), "Train again."
    )
    return rows


def _pairs(
    options: dict[str, Any], data: str | None
) -> tuple[str | None, Sequence[Pair] | None, str]:
    """Name and pairs of the data to be looked at; or why there are none."""
    name = data or options.get("val") or options.get("data")
    if not isinstance(name, str):
        return None, None, "The run does not say what it was trained on. Name it: --data."
    if data is None and Path(name).is_file() and Path(name).stat().st_size > _LARGE_FILE:
        return None, None, f"{name} is too large to look through unasked. Name it: --data."
    try:
        pairs = load_pairs(name)[:MOST_MEASURED]
        check_nodes(pairs, _MOST_NODES)
        require(bool(pairs), name, "hold a pair", Received("none"), "Name another file.")
    except InputError as error:
        if data is not None:
            raise
        return None, None, f"There is none: {error} Name the data: --data."
    return name, pairs, ""


def _not_converged(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The share of pairs whose alignment had not converged: before, at the end, and at worst."""
    shares = [(1 - row["converged"], row["epoch"]) for row in rows if "converged" in row]
    if not shares:
        return {}
    most, epoch = max(shares, key=lambda one: one[0])
    ends = {"first_not_converged": shares[0][0], "last_not_converged": shares[-1][0]}
    return {**ends, "most_not_converged": most, "most_not_converged_epoch": epoch}


def _numbers(report: EvaluationReport) -> dict[str, float]:
    metrics = {"pairs": float(report.pairs), "covered": report.covered, **report.metrics}
    return {name: x for name, x in metrics.items() if math.isfinite(x)}


def _explained(
    folder: str | Path, report: EvaluationReport, loss: StructuralLoss
) -> list[tuple[str, Explanation]]:
    """An explanation of each of the worst answers, which are of the shape of the targets."""
    network, shape, found = load_network(folder), saved_shape(folder), []
    for example in report.worst:
        pair = example.pair
        told = explain(network, pair.input, pair.target, loss=loss, constraint=shape)
        found.append((str(pair.place), told))
    return found
