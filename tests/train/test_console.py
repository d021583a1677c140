"""What a terminal shows of a run."""

import io
import re
import sys
from pathlib import Path

import pytest

from grapheme_torch import Sinkhorn, StructuralLoss

from .runs import quick


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_the_bar_tells_the_time_left_and_what_does_not_converge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", Terminal())
    loss = StructuralLoss(alignment=Sinkhorn(max_iterations=1, temperature=0.01))
    quick(tmp_path, loss=loss, epochs=20)
    shown = sys.stderr.getvalue()
    line = r"epoch \d+/20: +\d+%\|.*\| \d+/20 \[00:\d\d<00:\d\d, [\d. ]+step/s, loss [\d.]+, "
    assert re.search(line + r"not converged \d+\.\d%, lr 0\.003\]", shown), shown
