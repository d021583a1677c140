"""Are the gradients right, here and elsewhere? Every library against finite differences.

Five random instances a cell, two random directions each. The error is the largest difference
between gradient and measurement in an instance, relative to what is measured on average.
`--only NAME` runs the rows whose name contains it, and records nothing.
"""

import argparse
import contextlib
import functools
import io
import math
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from _instances import Case, NotOffered, Outputs
from _methods import METHODS, Method
from _record import record
from torch import Tensor

SEEDS, DIRECTIONS = 5, 2
STEP = 2e-4  # of the longer of two central differences; Richardson removes its quadratic error
BOUND = 1e-6  # on our own errors
OURS = "grapheme-torch"
PEERS = ("POT", "geomloss", "pygmtools", "ott-jax", "jax")
CASES = (
    Case("converged"),
    Case("5 iterations", iterations=5),
    Case("zero masses", sizes=((4, 4), (4, 4)), scattered=True),
    Case("unequal sizes", sizes=((4, 6), (5, 3))),
    Case("directed edges", directed=True),
)
OUTPUTS = ("value", "plan")
FAILURES = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)

Cells = dict[str, float | str]


def main() -> None:
    """Prints the table row by row and records it; exit status 1 if one of ours is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME")
    only = parser.parse_args().only
    start = time.perf_counter()
    versions = {package: _version(package) for package in PEERS}
    missing = [package for package, number in versions.items() if not number]
    for package, number in versions.items():
        print(f"{package:12} {number or 'not installed'}")
    print(f"{'':56}" + "".join(f"{case.name:>20}" for case in CASES))
    rows: list[dict[str, Any]] = []
    for method in METHODS:
        for mode in method.modes:
            name = ", ".join(filter(None, (method.name, mode)))
            if only in name:
                here = method.package not in missing
                cells = {case.name: _cells(method, mode, case) for case in CASES} if here else None
                rows.append({"package": method.package, "name": name, "cells": cells})
                print(f"{name:56}{_line(cells)}", flush=True)
    wrong = [row["name"] for row in rows if row["package"] == OURS and not _holds(row)]
    seconds = round(time.perf_counter() - start)
    print(f"{seconds} s. Beyond {BOUND:.0e}: {', '.join(wrong) or 'none of ours'}.")
    if missing:
        print(f"Not installed: {', '.join(missing)}. Try: pip install '{OURS}[bench]'")
    if not only:
        present = tuple(package for package in PEERS if package not in missing)
        head = {"bound": BOUND, "instances": SEEDS, "missing": missing, "seconds": seconds}
        record("gradient_table", {**head, "rows": rows}, packages=present)
    sys.exit(bool(wrong))


def _holds(row: dict[str, Any]) -> bool:
    """Whether all errors of a row of ours are within the bound; an approximation need not be."""
    cells = [cell for pair in row["cells"].values() for cell in pair.values()]
    return "approximation" in row["name"] or all(
        cell == "no" or (isinstance(cell, float) and cell <= BOUND) for cell in cells
    )


def _cells(method: Method, mode: str, case: Case) -> Cells:
    """The errors of value and plan, in words where they are no numbers."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            told = _told(method, mode, case, 0)[None]
            if not told.isfinite().any():
                return {name: _error(told[..., k], told[..., k]) for k, name in enumerate(OUTPUTS)}
            rest = [_told(method, mode, case, seed) for seed in range(1, SEEDS)]
            told = torch.stack([*told, *rest])
            measured = torch.stack([_measured(method, case, seed) for seed in range(SEEDS)])
    except NotOffered:
        return dict.fromkeys(OUTPUTS, "no")
    except FAILURES as error:
        return dict.fromkeys(OUTPUTS, f"fails: {type(error).__name__}")
    return {name: _error(told[..., k], measured[..., k]) for k, name in enumerate(OUTPUTS)}


def _told(method: Method, mode: str, case: Case, seed: int) -> Tensor:
    """The slopes along the directions by the gradients; infinite where there is no gradient."""
    instance = method.draw(case, seed)
    x = instance.x.clone().requires_grad_()
    slopes = []
    for output in method.evaluate(instance, x, mode):
        slope = torch.full((DIRECTIONS,), math.inf, dtype=x.dtype)
        if output is not None and output.requires_grad:
            (gradient,) = torch.autograd.grad(output, x, retain_graph=True)
            slope = _directions(x, seed) @ gradient
        slopes.append(slope)
    return torch.stack(slopes, 1)


@functools.cache  # all modes of a method compute the same
@torch.no_grad()
def _measured(method: Method, case: Case, seed: int) -> Tensor:
    """The slopes by central differences of two lengths, extrapolated to zero."""
    instance = method.draw(case, seed)

    def central(direction: Tensor, step: float) -> Tensor:
        moved = (instance.x + sign * step * direction for sign in (1, -1))
        above, below = (_stacked(method.evaluate(instance, x, method.modes[0])) for x in moved)
        return (above - below) / (2 * step)

    return torch.stack(
        [(4 * central(d, STEP / 2) - central(d, STEP)) / 3 for d in _directions(instance.x, seed)]
    )


def _directions(x: Tensor, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    directions = torch.randn(DIRECTIONS, len(x), generator=rng, dtype=x.dtype)
    return directions / directions.norm(dim=1, keepdim=True)


def _stacked(outputs: Outputs) -> Tensor:
    nothing = torch.tensor(math.nan, dtype=torch.float64)
    return torch.stack([nothing if output is None else output for output in outputs])


def _error(told: Tensor, measured: Tensor) -> float | str:
    """Of instances x directions; relative to the root mean square over the instances."""
    if told.isinf().any():
        return "no"
    typical = measured.square().sum(1).mean().sqrt()
    error = float((told - measured).norm(dim=1).max() / typical)
    return error if math.isfinite(error) else "NaN"


def _line(cells: dict[str, Cells] | None) -> str:
    if cells is None:
        return "not installed"
    pairs = (" ".join(f"{_shown(cell):>9}" for cell in pair.values()) for pair in cells.values())
    return "".join(f"{pair:>20}" for pair in pairs)


def _shown(cell: float | str) -> str:
    return cell if isinstance(cell, str) else f"{cell:.0e}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
