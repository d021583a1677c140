"""Several processes train as one does, and end together."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from lightning.pytorch.strategies.launchers import subprocess_script

from grapheme_torch import InputError
from grapheme_torch.train import _processes as processes
from grapheme_torch.train._processes import Processes

from .runs import rows
from .twenty_steps import curve

PROGRAM = Path(__file__).with_name("twenty_steps.py")
COMMAND = [sys.executable, "-W", "ignore", "-m", "grapheme_torch", "train", "--network.dim", "16",
           "--network.num_layers", "1", "--network.num_heads", "2"]  # fmt: skip


def curve_of_two(out: Path) -> list[float]:
    """The losses of `twenty_steps.py` with two processes and two short steps."""
    command = [sys.executable, str(PROGRAM), str(out), "2", "2"]
    subprocess.run(command, check=True, capture_output=True, env=environment())
    found: list[float] = json.loads(out.read_text(encoding="utf-8"))
    return found


def environment(**more: str) -> dict[str, str]:
    """That of this process, without what tells it of others."""
    told = {"LOCAL_RANK", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "NODE_RANK"}
    return {k: v for k, v in os.environ.items() if k not in told} | more


@pytest.mark.repeats
@pytest.mark.filterwarnings("ignore:::lightning")  # advice on loaders
def test_two_processes_and_short_steps_give_the_curve_of_one(tmp_path: Path) -> None:
    """Batches of 4, 4 and 2 among two processes with two short steps each: some have no pair."""
    alone = curve(1, 1)
    assert alone[-1] < 0.7 * alone[0]
    assert curve(1, 3) == pytest.approx(alone, rel=1e-9)
    assert curve_of_two(tmp_path / "two") == pytest.approx(alone, rel=1e-9)


@pytest.mark.repeats
@pytest.mark.parametrize("lost", ["first", "second"])
def test_a_process_that_is_killed_ends_the_others(tmp_path: Path, lost: str) -> None:
    out = tmp_path / "out"
    command = [*COMMAND, "--out", str(out), "--epochs=1000000", "--devices=2"]
    with started(command, environment()) as first:
        deadline = time.monotonic() + 60
        while not (out / "metrics.csv").exists() or len(rows(out)) < 3:
            assert first.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = _child(first.pid)
        os.kill(first.pid if lost == "first" else second, signal.SIGKILL)
        _, said = first.communicate(timeout=60)
        if lost == "second":
            assert first.returncode == 2
            assert "a process of the run must stay alive" in said
        else:
            _wait_for_end(second, 60)


def test_a_process_may_say_that_another_is_gone_before_it_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lightning's watch kills all at once, by chance before the broken connection is told of."""
    killed: list[int] = []
    waited: list[float] = []
    ended = [Ended(), Ended()]
    with processes.patient_watch():
        monkeypatch.setattr(processes._Watch, "start", processes._Watch._run)
        monkeypatch.setattr("time.sleep", waited.append)
        monkeypatch.setattr(os, "kill", lambda process, number: killed.append(len(waited)))
        vars(subprocess_script)[processes._LAUNCH](ended)
    assert waited == [processes._GRACE]
    assert killed == [1]  # after it has waited
    assert all(one.signals == [signal.SIGKILL] for one in ended)
    assert vars(subprocess_script)[processes._LAUNCH].__module__.startswith("lightning.")


class Ended:
    """A process that has failed."""

    returncode = -9

    def __init__(self) -> None:
        self.pid, self.signals = 1, list[int]()

    def poll(self) -> int:
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.mark.repeats
def test_a_signal_ends_all_processes_after_the_same_step(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [*COMMAND, "--out", str(out), "--epochs=1000000", "--devices=2"]
    with started(command, environment()) as first:
        deadline = time.monotonic() + 60
        while not (out / "metrics.csv").exists() or len(rows(out)) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = _child(first.pid)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        assert first.returncode == 143
        _wait_for_end(second, 60)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["signal"] == "SIGTERM"


@pytest.mark.repeats
def test_two_machines_by_torchrun(tmp_path: Path) -> None:
    """Two network namespaces with a cable between them."""
    with machines() as names:
        runs = []
        for k, name in enumerate(names):
            enter = ["ip", "netns", "exec", name, sys.executable, "-m", "torch.distributed.run"]
            where = ["--nnodes=2", f"--node_rank={k}", "--nproc_per_node=1"]
            meet = ["--master_addr=10.77.0.1", "--master_port=29617", "-m", "grapheme_torch"]
            options = ["--out", str(tmp_path / "two"), "--epochs=2", "--num_nodes=2"]
            command = [*enter, *where, *meet, *COMMAND[5:], *options]
            own = environment(GLOO_SOCKET_IFNAME=f"{name}v")
            runs.append(subprocess.Popen(command, env=own, stderr=subprocess.PIPE, text=True))
        for run in runs:
            _, said = run.communicate(timeout=120)
            assert run.returncode == 0, said
    one = [*COMMAND, "--out", str(tmp_path / "one"), "--epochs=2"]
    subprocess.run(one, check=True, capture_output=True, env=environment())
    for two, alone in zip(rows(tmp_path / "two"), rows(tmp_path / "one"), strict=True):
        assert float(two["total"]) == pytest.approx(float(alone["total"]), rel=1e-5)


@pytest.mark.parametrize("name", ["devices", "num_nodes", "accumulate"])
def test_refusals(name: str) -> None:
    with pytest.raises(InputError, match=f"`{name}` must be at least 1, got 0"):
        Processes(**{name: 0})


@contextmanager
def started(command: list[str], own: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone at the end, with its children."""
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield run
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()


@contextmanager
def machines() -> Iterator[tuple[str, str]]:
    """Two network namespaces, `10.77.0.1` and `10.77.0.2`; skips where they cannot be made."""
    names = f"gt{os.getpid() % 10000}a", f"gt{os.getpid() % 10000}b"
    ip = shutil.which("ip")
    if ip is None:
        pytest.skip("no program `ip`")

    def call(*arguments: str) -> None:
        done = subprocess.run([str(ip), *arguments], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no network namespaces: {done.stderr.strip()}")

    try:
        for name in names:
            call("netns", "add", name)
        ends = [f"{name}v" for name in names]
        call("link", "add", ends[0], "netns", names[0], "type", "veth",
             "peer", "name", ends[1], "netns", names[1])  # fmt: skip
        for k, name in enumerate(names):
            call("-n", name, "addr", "add", f"10.77.0.{k + 1}/24", "dev", ends[k])
            call("-n", name, "link", "set", ends[k], "up")
            call("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            subprocess.run([str(ip), "netns", "del", name], capture_output=True)


def _child(parent: int) -> int:
    """The one process that a process has started."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8")
    return int(text.split()[0])


def _wait_for_end(process: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{process}").exists():
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        if state[0] == "Z":
            return
        assert time.monotonic() < deadline, "the process is still there"
        time.sleep(0.05)
