"""What `grapheme train --resume OUT` says beside its words: the options of the run in OUT."""

from collections.abc import Sequence
from pathlib import Path

from .._check import Received, refusal
from .._versions import current

_OPTION = "--resume"
_OPTIONS = "train.yaml"


def with_own_options(words: Sequence[str]) -> list[str]:
    """The words of a call, after the options of the run that is to go on, if one is.

    Where there is no run yet the other options begin one, so that one command line does both.

    Args:
        words: The name of the command, and its arguments.

    Raises:
        InputError: If there is neither a run nor an option to begin one with.
    """
    out, others = _parted(words[1:])
    if not out:
        return list(words)
    options = current(out) / _OPTIONS
    try:
        exists = options.exists()
    except (OSError, ValueError):  # too long, or a null character in it
        exists = False
    if exists:
        return [words[0], f"--config={options}", *words[1:], f"--out={out}"]
    if not [word for word in others if word != "--json"]:
        got, remedy = Received("none"), "Check the path; to begin a run give its --data too."
        raise refusal(f"{_OPTION} {out}", "hold a run to go on with", got, remedy)
    return [*words, f"--out={out}"]


def _parted(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The folder that is named, and the other words."""
    out, others, rest = None, [], iter(words)
    for word in rest:
        if word == _OPTION:
            out = next(rest, None)
        elif word.startswith(f"{_OPTION}="):
            out = word.partition("=")[2]
        elif word in ("-h", "--help"):
            return None, []
        else:
            others.append(word)
    return out and str(Path(out)), others
