"""The shares of the parts of a run in its time."""

import json
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from grapheme_torch import Pairs, Plan, StructuralLoss, Term
from grapheme_torch.cli import main
from grapheme_torch.train import Monitoring
from grapheme_torch.train._profile import PARTS, PartsProfiler

from .runs import quick


class Slow(Term):
    """A term that takes its time in training."""

    def forward(self, pairs: Pairs, plan: Plan) -> Tensor:
        if torch.is_grad_enabled():
            time.sleep(0.1)
        return torch.stack([one[:-1, -1].sum() for one in plan])


def test_the_innermost_part_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("grapheme_torch.train._profile.time.perf_counter", lambda: now[0])
    profiler = PartsProfiler()
    step = "[LightningModule]TrainingModule.optimizer_step"
    for action, seconds in (
        ("run_training_epoch", 1), (step, 2), ("[Strategy]SingleDeviceStrategy.training_step", 3),
        ("loss", 4),
    ):  # fmt: skip
        profiler.start(action)
        now[0] += seconds
    for action, seconds in (
        ("loss", 1), ("[Strategy]SingleDeviceStrategy.training_step", 2), (step, 3),
        ("run_training_epoch", 4),
    ):  # fmt: skip
        profiler.stop(action)
        now[0] += seconds
    wanted = {"other": 8, "optimiser": 4, "forward": 4, "loss": 4}
    assert profiler.shares() == {part: wanted.get(part, 0) / 20 for part in PARTS}


@pytest.mark.repeats
def test_a_slow_loss_is_seen_to_be_slow(tmp_path: Path) -> None:
    summary = quick(
        tmp_path, loss=StructuralLoss(terms={"slow": (0.1, Slow())}), val="kindergarten", epochs=4,
        batch_size=5, monitoring=Monitoring(profile=True, logger="none"),
    )  # fmt: skip
    shares = summary.profile
    assert shares is not None
    assert list(shares) == list(PARTS)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert all(share > 0 for share in shares.values())  # Lightning names its actions as before
    assert shares["loss"] * summary.seconds == pytest.approx(8 * 0.1, rel=0.3)
    saved = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert saved["profile"] == shares


@pytest.mark.repeats
def test_the_command_prints_the_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--epochs", "1", "--network.dim", "16", "--monitoring.profile", "true"]
    assert main([*arguments, "--out", str(tmp_path / "a")]) == 0
    assert "\ntime: data " in capsys.readouterr().out
    assert main([*arguments, "--out", str(tmp_path / "b"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["profile"]) == set(PARTS)
    assert quick(tmp_path / "c", epochs=1).profile is None
