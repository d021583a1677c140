"""A run that was killed goes on as if it had not been: bit for bit."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import InputError, StructuralLoss
from grapheme_torch._check import Notice
from grapheme_torch._versions import current
from grapheme_torch.train import (
    Checkpointing,
    Optimization,
    Stopping,
    Summary,
    TrainingModule,
    load_network,
)

from .runs import PAIRS, SMALL, contents, quick, rows, write_pairs

EVERY = Checkpointing(steps=1, share=1.0)
NOISY = {**SMALL, "dropout": {"layers": 0.2}}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "average": {
        "val": "kindergarten",
        "optimization": Optimization(
            ema_decay=0.9, schedule="cosine", warmup=0.2, weight_decay=0.01, temperature_start=0.5
        ),
    },
    "patience": {"val": "kindergarten", "stopping": Stopping(val_every=2, patience=3)},
    "one batch": {"batch_size": 32, "optimization": Optimization(clip=1.0)},
}


class Killed(BaseException):
    """As `kill -9` within a step: nobody catches it, nothing is saved."""


def killed(out: Path, steps: int, **options: Any) -> None:
    """Trains until a step that is not done any more."""
    original, left = TrainingModule.training_step, iter(range(steps - 1))

    def step(module: TrainingModule, batch: Any, batch_idx: int) -> Any:
        if next(left, None) is None:
            raise Killed
        return original(module, batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", step)
        with pytest.raises(Killed):
            run(out, **options)


def run(out: Path, **options: Any) -> Summary:
    """Four epochs, three batches each, with noise, saved after every step."""
    usual = {"epochs": 4, "network": NOISY, "batch_size": 4, "checkpoint": EVERY}
    return quick(out, **{**usual, "accelerator": "cpu", **options})


def state(out: Path) -> Any:
    """What a run goes on from, but for times."""
    found = torch.load(current(out) / "state.ckpt", weights_only=True)
    found["callbacks"]["Start"].pop("seconds")
    del found["callbacks"][next(name for name in found["callbacks"] if name.startswith("Timer"))]
    return found


def same(a: Any, b: Any) -> bool:
    """Whether two states are equal, bit for bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    return bool(a == b) or (a != a and b != b)


@pytest.mark.repeats
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_goes_on_bit_for_bit(tmp_path: Path, kind: str) -> None:
    options = KINDS[kind]
    whole = run(tmp_path / "whole", **options)
    last = whole.steps
    for step in (last // 2 + 1, last):  # after an epoch, and within one
        out = tmp_path / str(step)
        killed(out, step, **options)
        assert len(rows(out)) < len(rows(tmp_path / "whole"))
        summary = run(out, resume=True, **options)
        for name in ("model.safetensors", "metrics.csv", "config.json"):
            assert contents(out)[name] == contents(tmp_path / "whole")[name], (step, name)
        assert same(state(out), state(tmp_path / "whole")), step
        for name in ("steps", "parameter_change_l2", "best_epoch", "saved_epoch", "final_loss"):
            assert getattr(summary, name) == getattr(whole, name)


@pytest.mark.repeats
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_stopped_anywhere_goes_on_bit_for_bit(
    tmp_path: Path, number: signal.Signals
) -> None:
    options = {"epochs": 16, **KINDS["average"]}
    run(tmp_path / "whole", **options)
    out = tmp_path / "out"
    for wait in (0.0, 0.05, 0.1):
        before = os.path.realpath(out / "current")
        job = get_context("fork").Process(
            target=run, args=(out,), kwargs={"resume": True, **options}
        )
        job.start()
        while os.path.realpath(out / "current") == before and job.is_alive():
            time.sleep(0.001)
        time.sleep(wait)
        os.kill(job.pid, number)
        job.join(60)
        assert job.exitcode in (0, -number)
        saved = len(rows(current(out)))
        assert wait or saved < len(rows(tmp_path / "whole"))  # the first is in time
    run(out, resume=True, **options)
    for name in ("model.safetensors", "metrics.csv"):
        assert contents(out)[name] == contents(tmp_path / "whole")[name], name


def test_what_has_ended_stays_and_says_so(tmp_path: Path) -> None:
    summary = quick(tmp_path, resume=True)  # there is none yet: it starts
    before = contents(tmp_path)
    with pytest.warns(Notice, match="the run has come to its end; nothing is left to do"):
        assert quick(tmp_path, resume=True) == summary
    assert contents(tmp_path) == before


@pytest.mark.repeats
def test_more_epochs_are_as_if_asked_for_at_once(tmp_path: Path) -> None:
    quick(tmp_path / "a", epochs=3, batch_size=5)
    quick(tmp_path / "b", epochs=1, batch_size=5)
    quick(tmp_path / "b", epochs=3, batch_size=5, resume=True)
    for name in ("model.safetensors", "metrics.csv"):
        assert contents(tmp_path / "a")[name] == contents(tmp_path / "b")[name]
    message = f"`--epochs` must be 3 as in the run of {tmp_path / 'a'}, got fewer. Leave it out"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "a", epochs=2, batch_size=5, resume=True)


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("option", "was", "now", "message"),
    [
        ("lr", 0.01, 0.02, "`--lr` must be 0.01 as in the run of"),
        ("network", SMALL, {**SMALL, "dim": 32}, "`--network.dim` must be 16 as in the run of"),
        ("loss", StructuralLoss(2.0), StructuralLoss(), "`--alpha` must be 2.0 as in the run of"),
        ("overwrite", False, True, "`overwrite` must be left out where a run may go on, got True."),
    ],
)
def test_other_options_are_refused_by_name(
    tmp_path: Path, option: str, was: Any, now: Any, message: str
) -> None:
    quick(tmp_path, **{option: was})
    before = contents(tmp_path)
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path, resume=True, **{option: now})
    assert contents(tmp_path) == before


def test_a_run_of_an_older_release_goes_on_without_the_options_it_did_not_have(
    tmp_path: Path,
) -> None:
    quick(tmp_path, epochs=1)
    options = current(tmp_path) / "train.yaml"
    text = options.read_text("utf-8")
    for line in ("  label_smoothing: 0.0\n", "    loops: false\n", "  unmatched_edges: 1.0\n"):
        assert text.count(line) == 1
        text = text.replace(line, "")
    options.write_text(text, "utf-8")
    message = "`--optimization.label-smoothing` must be 0.0 as in the run of"
    with pytest.raises(InputError, match=message):
        quick(tmp_path, optimization=Optimization(label_smoothing=0.1), epochs=2, resume=True)
    assert quick(tmp_path, epochs=2, resume=True).epochs == 2


def test_a_schedule_that_goes_by_the_epochs_is_not_stretched(tmp_path: Path) -> None:
    chosen = Optimization(schedule="cosine")
    quick(tmp_path, optimization=chosen)
    with pytest.raises(InputError, match=r"must be 2 .* got 3, and its schedule goes by their num"):
        quick(tmp_path, epochs=3, optimization=chosen, resume=True)


def test_other_data_are_refused_by_content(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "data.jsonl", PAIRS)
    moved = write_pairs(tmp_path / "moved.jsonl", PAIRS)
    quick(tmp_path / "out", data=data, epochs=1)
    quick(tmp_path / "out", data=moved, epochs=2, resume=True)
    write_pairs(tmp_path / "moved.jsonl", PAIRS[::-1])
    message = f"{moved}: the data (--data) must be those the run began with, got other content"
    with pytest.raises(InputError, match="^" + re.escape(message)):
        quick(tmp_path / "out", data=moved, epochs=3, resume=True)


class Harmful:
    """What pickle would make a call of."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("harmed",)


@pytest.mark.repeats
@pytest.mark.parametrize("content", [b"", b"torn", pickle.dumps(Harmful()), None])
def test_a_spoilt_state_is_refused_and_runs_nothing(
    tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quick(tmp_path / "out", epochs=1)
    path = current(tmp_path / "out") / "state.ckpt"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"state\.ckpt must be the state of a run, got"):
        quick(tmp_path / "out", epochs=2, resume=True)
    assert not (tmp_path / "harmed").exists()
    assert load_network(tmp_path / "out").config["dim"] == 16


@pytest.mark.repeats
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_job_that_is_preempted_goes_on_by_the_same_command(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Slurm is asked to run the job again by its own signal."""
    called, scontrol = tmp_path / "called", tmp_path / "bin" / "scontrol"
    scontrol.parent.mkdir()
    scontrol.write_text(f'#!/bin/sh\necho "$@" > {called}\n', encoding="utf-8")
    scontrol.chmod(0o755)
    out = tmp_path / "out"
    words = [
        "train", f"--resume={out}", "--epochs=400", "--network.dim=16", "--batch-size=3",
        "--network.num-buckets=64", "--accelerator=cpu", "--network.dropout.layers=0.1",
    ]  # fmt: skip
    env = {
        **os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{scontrol.parent}:{os.environ['PATH']}",
        "SLURM_NTASKS": "1", "SLURM_JOB_ID": "17", "SLURM_JOB_NAME": "grapheme",
    }  # fmt: skip
    command = [sys.executable, "-m", "grapheme_torch", *words]
    job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    while not (out / "metrics.csv").exists():
        assert job.poll() is None
        time.sleep(0.02)
    job.send_signal(number)
    _, said = job.communicate(timeout=60)
    assert job.returncode == 128 + number, said
    assert f"Go on with --resume {out}." in said
    told = called.read_text(encoding="utf-8") if called.exists() else None
    assert told == ("requeue 17\n" if number == signal.SIGUSR1 else None)
    done = json.loads((out / "summary.json").read_text(encoding="utf-8"))["epochs"]
    assert 1 <= done < 400
