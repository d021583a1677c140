"""Are the gradients right, here and elsewhere? Every library against finite differences.

The relative error of a gradient is that of its derivatives along random directions, the worst of
five instances. `--only NAME` runs the rows whose name contains it, and records nothing.
"""

import argparse
import contextlib
import io
import math
import os
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import torch
from _instances import Case
from _methods import METHODS, Method, NotOffered
from _record import record
from torch import Tensor

SEEDS, DIRECTIONS = 5, 3
STEP = 2e-4  # of the longer of two central differences
BOUND = 1e-6  # on our own errors
PEERS = ("POT", "geomloss", "pygmtools", "ott-jax", "jax")
OUTPUTS = ("value", "plan")
CASES = (
    Case("converged"),
    Case("5 iterations", iterations=5),
    Case("zero masses", sizes=((4, 4), (4, 4)), scattered=True),
    Case("unequal sizes", sizes=((4, 6), (5, 3))),
    Case("directed edges", directed=True),
)
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

Cell = float | str


def main() -> None:
    """Prints the table row by row and records it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    only = parser.parse_args().only
    installed = {package: _version(package) for package in PEERS}
    print(
        ", ".join(f"{package} {number or 'not installed'}" for package, number in installed.items())
    )
    print(f"{'':46}" + "".join(f"{case.name:>18}" for case in CASES))
    rows = []
    for method in METHODS:
        if only not in method.name:
            continue
        start = time.perf_counter()
        cells: dict[str, dict[str, Cell]] | None = None
        if installed.get(method.package, True):
            cells = {case.name: _cells(method, case) for case in CASES}
        seconds = round(time.perf_counter() - start, 1)
        rows.append(
            {"package": method.package, "name": method.name, "cells": cells, "seconds": seconds}
        )
        print(_line(method, cells), flush=True)
    missing = [package for package, number in installed.items() if number is None]
    if missing:
        print(f"Not installed: {', '.join(missing)}. Try: pip install 'grapheme-torch[bench]'")
    if not only:
        present = tuple(package for package in PEERS if package not in missing)
        record(
            "gradient_table", {"bound": BOUND, "missing": missing, "rows": rows}, packages=present
        )


def _cells(method: Method, case: Case) -> dict[str, Cell]:
    """The worst of all instances for each output, in words where it is no number."""
    found = [_instance_cells(method, case, seed) for seed in range(SEEDS)]
    return dict(zip(OUTPUTS, map(_worst, zip(*found, strict=True)), strict=True))


def _worst(cells: Sequence[Cell]) -> Cell:
    words = [cell for cell in cells if isinstance(cell, str)]
    return words[0] if words else max(cell for cell in cells if not isinstance(cell, str))


def _instance_cells(method: Method, case: Case, seed: int) -> list[Cell]:
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return _relative_errors(method, case, seed)
    except NotOffered:
        return ["no"] * len(OUTPUTS)
    except FAILURES as error:
        return [f"fails: {type(error).__name__}"] * len(OUTPUTS)


def _relative_errors(method: Method, case: Case, seed: int) -> list[Cell]:
    instance = method.draw(case, seed)
    x = instance.x.clone().requires_grad_()
    outputs = method.evaluate(instance, x)
    gradients = [
        torch.autograd.grad(output, x, retain_graph=True)[0]
        if output is not None and output.requires_grad
        else None
        for output in outputs
    ]

    @torch.no_grad()
    def at(point: Tensor) -> Tensor:
        return torch.stack(
            [x.new_tensor(math.nan) if y is None else y for y in method.evaluate(instance, point)]
        )

    rng = torch.Generator().manual_seed(seed)
    directions = torch.randn(DIRECTIONS, len(x), generator=rng, dtype=x.dtype)
    directions /= directions.norm(dim=1, keepdim=True)

    def slope(direction: Tensor, step: float) -> Tensor:
        return (at(instance.x + step * direction) - at(instance.x - step * direction)) / (2 * step)

    measured = torch.stack([(4 * slope(d, STEP / 2) - slope(d, STEP)) / 3 for d in directions])
    return [
        "no" if gradient is None else _error(directions @ gradient, measured[:, k])
        for k, gradient in enumerate(gradients)
    ]


def _error(told: Tensor, measured: Tensor) -> Cell:
    error = float((told - measured).norm() / measured.norm())
    return error if math.isfinite(error) else "NaN"


def _line(method: Method, cells: dict[str, dict[str, Cell]] | None) -> str:
    label = f"{method.package}: {method.name}"
    if cells is None:
        return f"{label:46}  not installed"
    shown = (" ".join(f"{_shown(cell):>8}" for cell in row.values()) for row in cells.values())
    return f"{label:46}" + "".join(f"{text:>18}" for text in shown)


def _shown(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell:.0e}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
