"""Words of the command line, and files of options, that are bombs or of another kind."""

from collections.abc import Iterator
from pathlib import Path

from .documents import BOMBS
from .files import spoils

_WORDS: dict[str, str] = {
    "10^4 opening brackets": "[" * 10_000,
    "10^4 brackets": "[" * 10_000 + "]" * 10_000,
    "10^4 braces": "{a: " * 10_000 + "1" + "}" * 10_000,
    "10^30": "1" + "0" * 30,
    "10^5000": "1" + "0" * 5_000,
    "an anchor in itself": "&a [*a]",
    "a call": "!!python/object/apply:os.system ['true']",
    "a null": "a\0b",
    "31 February": "2001-02-31",
    "1e999": "1e999",
}
_OPTIONS = (
    "epochs", "lr", "batch-size", "seed", "alpha", "alignment.rounds", "alignment.temperature",
    "network.dim", "network.candidates.window", "network.slots.per-node", "val", "network",
)  # fmt: skip


def attacks(folder: Path, data: str) -> Iterator[tuple[str, list[str]]]:
    """The attacks by name, each a command line; files for them are made in the folder."""
    train = ["train", f"--data={data}", f"--out={folder / 'out'}"]
    for option in _OPTIONS:
        for name, word in _WORDS.items():
            yield f"--{option}: {name}", [*train, f"--{option}={word}", "--network.num-layers=0"]
    for k, (name, text) in enumerate(BOMBS.items()):
        path = folder / f"{k}.yaml"
        path.write_text(text, encoding="utf-8")
        yield f"--config: {name}", [*train, f"--config={path}"]
    (folder / "spoilt").mkdir(exist_ok=True)  # a spoilt file has things beside its folder
    for k, (name, spoil) in enumerate(spoils().items()):
        path = folder / "spoilt" / f"{k}.yaml"
        path.write_text("alpha: 1.0\nepochs: 0\n", encoding="utf-8")
        spoil(path)
        yield f"--config: {name}", [*train, f"--config={path}", "--epochs=0"]
