"""The ten question/answer pairs that come with the library."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

from ._records import Pair, parse_pairs

_FILE = "kindergarten/level_1.jsonl"


def kindergarten() -> list[Pair]:
    """Ten pairs of a question and its answer, such as "What color is sky?" and "Sky is blue".

    A memorising smoke test, too small to measure generalisation. Source and licence stand beside
    the file in the package.
    """
    assert __package__ is not None
    content = files(__package__).joinpath(_FILE).read_bytes()
    return parse_pairs(content, _FILE)


@contextmanager
def kindergarten_path() -> Iterator[tuple[str, str]]:
    """Path of the file of these pairs, within the body, and its name in messages."""
    assert __package__ is not None
    with as_file(files(__package__).joinpath(_FILE)) as path:
        yield str(path), _FILE
