"""What C code prints does not stand in the output of a command."""

import ctypes
import subprocess
import sys
from typing import Any

import pytest
import scipy.optimize
from torch import tensor

from grapheme_torch import Bounds, Prediction, decode, make_graph
from grapheme_torch.decoding._c_output import c_output_as_messages

_NOISE = b"a line of the solver"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def test_what_c_prints_goes_to_the_messages(capfd: pytest.CaptureFixture[str]) -> None:
    _write("before\n")
    with c_output_as_messages():
        ctypes.CDLL(None).puts(_NOISE)
    _write("after\n")
    said = capfd.readouterr()
    assert said.out == "before\nafter\n"
    assert said.err == _NOISE.decode() + "\n"


def test_an_error_leaves_the_output_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="of the solver"), c_output_as_messages():
        raise ValueError("of the solver")
    _write("after\n")
    assert capfd.readouterr().out == "after\n"


def test_a_process_without_standard_output() -> None:
    code = (
        "import os; os.close(1)\n"
        "from grapheme_torch.decoding._c_output import c_output_as_messages\n"
        "with c_output_as_messages(): pass"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_the_solver_prints_nothing_before_an_answer(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    solve, calls = scipy.optimize.milp, []

    def noisy(*given: Any, **options: Any) -> Any:
        calls.append(given)
        ctypes.CDLL(None).puts(_NOISE)
        return solve(*given, **options)

    monkeypatch.setattr(scipy.optimize, "milp", noisy)
    bounds = Bounds.of([make_graph(["a", "a"], [(0, 1, "x")])])
    said = Prediction(
        tensor([3.0, 3.0, 3.0]), tensor([[0.0]] * 3), tensor([[0, 0, 1], [1, 2, 2]]),
        tensor([[0.0, 5.0], [0.0, 4.0], [0.0, 3.0]]), tensor([0, 0, 0]), 1,
    )  # fmt: skip
    (found,) = decode(said, ["a"], ["x"], bounds)
    assert found.num_nodes
    assert calls
    ctypes.CDLL(None).fflush(None)  # what C still keeps
    assert capfd.readouterr().out == ""
