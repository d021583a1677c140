"""What Slurm asks of a job that it is about to end: save, and say that it is to run again.

Lightning does this by itself where a `SLURMEnvironment` may requeue: it saves within a step, into
a file of its own. Here the step is finished, and the folder of the run is saved as ever.
"""

import os
import re
import signal
import subprocess
from contextlib import suppress

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

from .._check import notice

_SECONDS = 60.0


def requeue_signals() -> list[int]:
    """The signal before the end of a Slurm job (`--signal=SIGUSR1@90`); none elsewhere."""
    if not hasattr(signal, "SIGUSR1") or not SLURMEnvironment.detect():
        return []
    return [signal.SIGUSR1]


def requeue() -> bool:
    """Asks Slurm to run this job again; its command goes on with `--resume`."""
    array, task = (os.environ.get(f"SLURM_ARRAY_{part}_ID") for part in ("JOB", "TASK"))
    job = f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")
    done = False
    if re.fullmatch(r"[0-9]+(_[0-9]+)?", job):
        with suppress(OSError, subprocess.SubprocessError):
            command = ["scontrol", "requeue", job]
            done = not subprocess.run(
                command, timeout=_SECONDS, check=False, capture_output=True
            ).returncode
    if not done:
        notice(f"Slurm did not requeue job {job or 'without a number'}; the run is saved.")
    return done
