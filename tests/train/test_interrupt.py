"""A run that is asked to end: it is saved, and keeps others out until then."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from grapheme_torch import InputError, StructuralLoss, text_to_graph
from grapheme_torch.cli._main import main
from grapheme_torch.train import load_network, predict
from grapheme_torch.train._console import Interrupt

from .runs import listed, quick, rows
from .test_run import FILES


def test_the_signal_is_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    quick(tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("number", "word"),
    [(signal.SIGTERM, "Stopped by SIGTERM"), (signal.SIGHUP, "Stopped by SIGHUP")],
)
def test_a_run_that_is_asked_to_end_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals, word: str
) -> None:
    out, before = tmp_path / "out", signal.getsignal(number)

    def ask() -> None:
        while len(_lines(out / "metrics.csv")) < 4:
            time.sleep(0.02)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # some who send one send it twice

    asking = threading.Thread(target=ask)
    asking.start()
    summary = quick(out, epochs=100_000)
    asking.join()
    assert capsys.readouterr().err == f"\n{word}: finishing this step, then saving.\n"
    assert signal.getsignal(number) is before
    assert (summary.interrupted, summary.signal) == (True, number.name)
    assert 2 <= summary.epochs < 100_000
    assert listed(out) == FILES
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == asdict(summary)
    with pytest.raises(InputError, match=r"got config\.json of a run that was stopped in epoch"):
        quick(out)


def test_a_signal_is_not_lost_where_another_callback_decides(tmp_path: Path) -> None:
    """One that read `should_stop` before the signal, and writes it after."""

    class Forgetful(StructuralLoss):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            result = super().__call__(*args, **kwargs)
            if interrupt.number is None and torch.is_grad_enabled():
                os.kill(os.getpid(), signal.SIGTERM)
                interrupt.trainer_of().should_stop = False
            return result

    class Watched(Interrupt):
        def trainer_of(self) -> Any:
            return self._trainer

    interrupt = Watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grapheme_torch.train._fit.Interrupt", lambda *_: interrupt)
        summary = quick(tmp_path / "out", loss=Forgetful(), epochs=50)
    assert summary.signal == "SIGTERM"
    assert summary.epochs <= 2


@pytest.mark.repeats
def test_a_second_interruption_ends_a_run_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, heard, original = tmp_path / "out", threading.Event(), Interrupt._ask

    def listen(interrupt: Interrupt, number: int, frame: Any) -> None:
        original(interrupt, number, frame)
        heard.set()

    monkeypatch.setattr(Interrupt, "_ask", listen)

    def ask() -> None:
        while len(_lines(out / "metrics.csv")) < 4:
            time.sleep(0.02)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        heard.wait(60)  # signals of one number that wait together are one
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    class Slow(StructuralLoss):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            time.sleep(0.5)
            return super().__call__(*args, **kwargs)

    threading.Thread(target=ask).start()
    with pytest.raises(KeyboardInterrupt):
        quick(out, epochs=100_000, loss=Slow())
    assert len(rows(out)) >= 3  # of the last checkpoint
    assert load_network(out).config["dim"] == 16
    with pytest.raises(InputError, match=r"a run that was killed.*--resume goes on"):
        quick(out)


@pytest.mark.repeats
def test_what_told_of_an_older_run_goes_with_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(tmp_path)

    def killed(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr("grapheme_torch.train._fit._Run._summary", killed)
    with pytest.raises(SystemExit):
        quick(tmp_path, overwrite=True, seed=1)
    left = {*listed(tmp_path)}
    assert left == set(FILES) - {"loss.png", "summary.json"}
    with pytest.raises(InputError, match=r"got config\.json of a run that was killed"):
        quick(tmp_path)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.mark.repeats
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_keeps_others_out_and_is_saved_when_stopped(
    tmp_path: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = [
        "train",
        f"--out={out}",
        "--epochs=100000",
        "--network.dim=16",
        "--network.num-buckets=64",
        "--json",
    ]
    command = [sys.executable, "-m", "grapheme_torch", *words, "--accelerator=cpu"]
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    _wait_for_epoch(out / "metrics.csv", 3, run)
    assert main([*words, "--overwrite"]) == 2
    message = (
        f"grapheme: --out {out} must have no training under way, got one in process {run.pid}."
    )
    assert capsys.readouterr().err.startswith(message)
    run.send_signal(number)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 128 + number
    assert "finishing this step, then saving." in stderr
    assert f"\ngrapheme: stopped by {number.name}; {out} holds the network that was" in stderr
    assert stderr.count("\n") == 3
    assert listed(out) == FILES
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert json.loads(stdout) == summary
    assert (summary["interrupted"], summary["signal"]) == (True, number.name)
    assert 3 <= summary["epochs"] < 100000
    assert summary["epochs"] == int(rows(out)[-1]["epoch"])
    assert summary["final_loss"] < summary["initial_loss"]
    assert len(predict(load_network(out), [text_to_graph("What color is sky?")])) == 1


def _wait_for_epoch(path: Path, epoch: int, run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or len(path.read_text(encoding="utf-8").splitlines()) < epoch + 2:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
