"""How many runs survive what happens to runs: the table of docs/reliability.md.

    python benchmarks/reliability.py [FAULT ...] [--trials 30] [--write docs/reliability.md]

A fault is a function of a folder and the number of a trial that tells whether all was well: add
one to `FAULTS`. "Lost" is something that had been reported as saved and does not load, or is not
whole.

Each outcome goes to `results/reliability.json` as soon as it is known, with its commit: the table
is made of what stands there, so that faults can be run one by one. A fault that has not been run
is told as such. `--none` runs no fault and only makes the table.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Container
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from _record import RESULTS, commit

OPTIONS = [
    "--network.dim=16", "--network.num-layers=1", "--network.num-buckets=64", "--batch-size=5",
    "--accelerator=cpu", "--checkpoint.share=1", "--checkpoint.steps=1",
]  # fmt: skip
LONG = "--epochs=100000"
BEGIN, END = "<!-- begin: reliability.py -->", "<!-- end: reliability.py -->"


@dataclass(frozen=True)
class Outcome:
    """What came of a fault: trials; those after which all that was saved loads; those that lost."""

    trials: int
    survived: int
    lost: int


def start(*words: str) -> subprocess.Popen[str]:
    """A training in a process of its own."""
    command = [sys.executable, "-m", "grapheme_torch", "train", *words, *OPTIONS]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def pointer(out: Path) -> str | None:
    """The version of a run that counts."""
    return os.readlink(out / "current") if os.path.lexists(out / "current") else None


def wait_until_saved(job: subprocess.Popen[str], out: Path, before: str | None = None) -> None:
    """Waits for the first checkpoint, or the first after another."""
    while pointer(out) == before and job.poll() is None:
        time.sleep(0.001)


def whole(out: Path, **expected: Container[object]) -> bool:
    """Whether the folder loads: network, loss, metrics, all of one state."""
    import torch

    from grapheme_torch._versions import current
    from grapheme_torch.train import load_network, saved_loss

    try:
        network = load_network(out)
        saved_loss(out)
        found = current(out)
        state = torch.load(found / "state.ckpt", weights_only=True)
        rows = len((found / "metrics.csv").read_text(encoding="utf-8").splitlines()) - 1
        if not (found / "summary.json").exists():  # a signal ends a run with a row more
            kept = state["callbacks"]["History"]["rows"]
            weights = {k: v for k, v in state["state_dict"].items() if k.startswith("network.")}
            same = all(
                torch.equal(value, weights["network." + name])
                for name, value in network.state_dict().items()
            )
            assert rows == len(kept), (rows, len(kept))
            assert same, "weights of another state"
        for name, value in expected.items():
            assert getattr(network, name) in value, (name, getattr(network, name))
    except Exception as error:  # noqa: BLE001 (of a loss, any)
        print(f"lost: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True


def pairs(path: Path, letters: str) -> str:
    """A data set with an alphabet of its own."""
    lines = [{"input": a + b, "target": b + a} for a in letters for b in letters]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def living(folder: Path, trial: int, *words: str) -> tuple[Path, subprocess.Popen[str]]:
    """A training in a folder of its own that has saved something, and trains on."""
    out = folder / str(trial)
    job = start(f"--out={out}", LONG, *words)
    wait_until_saved(job, out)
    return out, job


def killed(folder: Path, trial: int) -> bool:
    """`kill -9` at a random moment after a checkpoint; the run goes on, and is killed again."""
    out = folder / "out"
    before = pointer(out)
    job = start(f"--resume={out}", LONG)
    wait_until_saved(job, out, before)
    time.sleep(0.5 * random.Random(trial).random())
    job.kill()
    job.wait()
    return whole(out)


def exact(folder: Path, trial: int) -> bool:
    """Stopped by turns at random moments, and resumed until it ends: equal to one in one go."""
    words = [
        "--epochs=30", "--val=kindergarten", "--network.dropout.layers=0.2",
        "--optimization.ema-decay=0.9", "--optimization.schedule=cosine",
    ]  # fmt: skip
    at_once, out = folder / "whole", folder / str(trial)
    if trial == 0:
        start(f"--out={at_once}", *words).communicate()
    drawn, stops = random.Random(trial), 0
    while True:
        before = pointer(out)
        job = start(f"--resume={out}", *words)
        wait_until_saved(job, out, before)
        time.sleep(0.5 * drawn.random())
        job.send_signal((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[(trial + stops) % 3])
        job.communicate()
        if job.returncode == 0:
            return stops > 0 and _equal(out, at_once)
        if job.returncode not in (-signal.SIGKILL, 128 + signal.SIGTERM, 128 + signal.SIGINT):
            return False
        stops += 1


def _equal(one: Path, other: Path) -> bool:
    """Whether two runs have the same weights and metrics, bit for bit."""
    names = ("model.safetensors", "metrics.csv", "config.json")
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def killed_overwriting(folder: Path, trial: int) -> bool:
    """The same while `--overwrite` replaces a run with another alphabet."""
    out = folder / "out"
    data = [pairs(folder / f"{letters}.jsonl", letters) for letters in ("abc", "xyz")]
    if trial == 0:
        start(f"--out={out}", f"--data={data[0]}", "--epochs=1").communicate()
    job = start(f"--out={out}", f"--data={data[(trial + 1) % 2]}", LONG, "--overwrite")
    if trial % 3:  # within the first checkpoints; or else anywhere, the start included
        wait_until_saved(job, out, pointer(out))
    time.sleep((0.1 if trial % 3 else 6.0) * random.Random(trial).random())
    job.kill()
    job.wait()
    return whole(out, labels=(("a", "b", "c"), ("x", "y", "z")))


def signalled(number: signal.Signals) -> Callable[[Path, int], bool]:
    """A signal at a random moment; the status is 128 and its number."""

    def fault(folder: Path, trial: int) -> bool:
        out, job = living(folder, trial)
        time.sleep(random.Random(trial).random())
        job.send_signal(number)
        job.communicate(timeout=120)
        told = (out / "summary.json").exists() and job.returncode == 128 + number
        return whole(out) and told

    return fault


def full_disk(folder: Path, trial: int) -> bool:
    """No file may grow beyond a bound that the state of the run passes (RLIMIT_FSIZE)."""
    out, bound = folder / str(trial), 1000 * 2 ** min(trial, 10)
    start(f"--out={out}", "--epochs=1").communicate()
    words = ["train", f"--resume={out}", "--epochs=50", *OPTIONS]
    done = subprocess.run(
        [sys.executable, "-m", "grapheme_torch", *words], capture_output=True, text=True,
        preexec_fn=lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound)),
        ),
    )  # fmt: skip
    refused = done.returncode == 2 and done.stderr.count("\n") == 1
    return whole(out) and (refused or done.returncode == 0)


def read_only(folder: Path, trial: int) -> bool:
    """A folder that nothing can be written to: a file where the versions would be made."""
    out, job = living(folder, trial)
    versions, hidden = out / "checkpoints", out / "kept"
    os.rename(versions, hidden)
    versions.write_text("")  # for root, who may write anywhere, as for others
    _, said = job.communicate(timeout=120)
    versions.unlink()
    os.rename(hidden, versions)
    return whole(out) and job.returncode == 2 and "Traceback" not in said


def two_runs(folder: Path, trial: int) -> bool:
    """A second run into the folder of one that lives: it is refused, the first goes on."""
    out, job = living(folder, trial)
    others = [start(f"--out={out}", LONG, "--overwrite"), start(f"--resume={out}", LONG)]
    codes = [other.wait(120) for other in others if other.communicate()]
    alive = job.poll() is None
    job.send_signal(signal.SIGTERM)
    job.communicate()
    return codes == [2, 2] and alive and whole(out)


def links(folder: Path, trial: int) -> bool:
    """Files of a run that are links to something else: that stays as it is."""
    names = ("metrics.csv", "config.json", "model.safetensors", "train.yaml", "summary.json")
    out, mine = folder / str(trial), folder / f"mine {trial}"
    out.mkdir()
    mine.write_text("mine")
    os.symlink(mine, out / names[trial % len(names)])
    start(f"--out={out}", "--epochs=1", "--overwrite").communicate()
    return mine.read_text() == "mine" and whole(out)


def dead_process(folder: Path, trial: int) -> bool:
    """One of two processes is killed: the other ends within a minute, and the run goes on."""
    out, job = living(folder, trial, "--devices=2")
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    other, first = int(children[0]), bool(trial % 2)
    os.kill(job.pid if first else other, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (job.poll() is None or _lives(other)) and time.monotonic() < deadline:
        time.sleep(0.05)
    fine = not _lives(other) and job.poll() == (-signal.SIGKILL if first else 2)
    for process in [other] * _lives(other) + [job.pid] * (job.poll() is None):
        os.kill(process, signal.SIGKILL)
    job.communicate()
    return fine and whole(out) and _goes_on(out)


def _goes_on(out: Path) -> bool:
    """Whether a run of two processes saves more when it is resumed, and ends by a signal."""
    before = pointer(out)
    job = start(f"--resume={out}", LONG, "--devices=2")
    wait_until_saved(job, out, before)
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=120)
    return job.returncode == 128 + signal.SIGTERM and pointer(out) != before and whole(out)


def _lives(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


Fault = Callable[[Path, int], bool]
FAULTS: dict[str, tuple[str, Fault, float]] = {
    "kill": ("`kill -9` at a random moment, then `--resume`", killed, 1.0),
    "exact": (
        "stopped by turns and resumed to its end: equal, bit for bit, to one in one go",
        exact,
        0.2,
    ),
    "overwrite": ("`kill -9` while `--overwrite` replaces a run", killed_overwriting, 1.0),
    "sigterm": ("SIGTERM", signalled(signal.SIGTERM), 0.3),
    "sigint": ("SIGINT", signalled(signal.SIGINT), 0.3),
    "full": ("a full disk (a bound on files) at a checkpoint", full_disk, 0.3),
    "readonly": ("a folder that cannot be written to any more", read_only, 0.2),
    "two": ("two more runs into the folder of one", two_runs, 0.2),
    "process": ("`kill -9` of one of two processes", dead_process, 0.2),
    "links": ("a link in the place of a file of the run", links, 0.2),
}
"""By name: what the table says, the fault, and its share of the trials."""


def keep(name: str, came: Outcome) -> None:
    """Writes an outcome beside those of other faults, with the commit it was found at."""
    path = RESULTS / "reliability.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found[name] = {**asdict(came), "commit": commit()}
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def table() -> str:
    """What is recorded of every fault, a row each, and of hostile files and damaged inputs."""
    lines = ["| fault | trials | survived | lost |", "| --- | --- | --- | --- |"]
    found = _results("reliability")
    for name, (told, _, _) in FAULTS.items():
        lines.append(_row(told, found.get(name)))
    attacks = _results("attacks")
    for family in ("folders", "options", "data"):
        lines.append(_row(f"hostile files and words: {family}", attacks.get(family)))
    for reader, one in _results("fuzz").items():
        if isinstance(one, dict) and "faults" in one:
            survived = one["results"] + one["refused"]
            lines.append(_row(f"damaged input: {reader}", {**one, "survived": survived}))
    return "\n".join(lines)


def _results(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _row(told: str, one: dict[str, Any] | None) -> str:
    if one is None:
        return f"| {told} | not run | | |"
    lost = one.get("lost")
    lost = lost if isinstance(lost, int) else "–"
    return f"| {told} | {one['trials']:,} | {one['survived']:,} | {lost} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--none", action="store_true", help="run no fault: only make the table")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--write", type=Path, help="page that gets the table between its marks")
    given = parser.parse_args()
    for name in [] if given.none else given.faults or FAULTS:
        _, fault, share = FAULTS[name]
        with tempfile.TemporaryDirectory() as folder:
            trials = max(1, round(given.trials * share))
            survived = sum(fault(Path(folder), trial) for trial in range(trials))
        came = Outcome(trials, survived, trials - survived)
        keep(name, came)
        print(name, came, flush=True)
    print(table())
    if given.write is not None:
        before, _, rest = given.write.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        text = f"{before}{BEGIN}\n{table()}\n{END}{after}"
        given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
