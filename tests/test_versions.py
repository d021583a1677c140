"""A folder whose files change together, whatever fails in between."""

import os
from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch import _versions as versions
from grapheme_torch._versions import current, publishing, reading

NAMES = ("a.txt", "b.txt")


def publish(out: Path, step: int, **content: str) -> None:
    """A version with these files."""
    with publishing(out, step, NAMES) as folder:
        for name, text in content.items():
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def files(out: Path) -> dict[str, str]:
    """What is read in the folder by its names."""
    return {n: (out / n).read_text(encoding="utf-8") for n in NAMES if (out / n).exists()}


def whole(out: Path) -> dict[str, str]:
    """What is read of the version that counts."""
    return reading(out, files)


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def out(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not request.param:

        def refused(*_: Any, **__: Any) -> None:
            raise OSError("no links here")

        monkeypatch.setattr(os, "symlink", refused)
    return tmp_path / "out"


def test_files_change_together_and_the_older_ones_go(out: Path) -> None:
    publish(out, 1, a="one", b="one")
    assert files(out) == whole(out) == {"a.txt": "one", "b.txt": "one"}
    publish(out, 2, a="two")
    assert files(out) == whole(out) == {"a.txt": "two"}
    (left,) = (out / "checkpoints").iterdir()
    assert left == current(out)
    assert left.name.startswith("2-")


@pytest.mark.parametrize("where", ["body", "rename", "pointer"])
def test_what_fails_on_the_way_leaves_the_version_before(
    out: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(out, 1, a="one", b="one")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    def attempt() -> None:
        with publishing(out, 2, NAMES) as folder:
            (folder / "a.txt").write_text("two", encoding="utf-8")
            if where == "body":
                full()

    with monkeypatch.context() as patch:
        if where == "rename":
            patch.setattr(os, "rename", full)
        if where == "pointer":
            patch.setattr(versions, "_point", full)
        with pytest.raises(InputError, match="No space left"):
            attempt()
    assert files(out) == whole(out) == {"a.txt": "one", "b.txt": "one"}
    assert [path.name[:2] for path in (out / "checkpoints").iterdir()] == ["1-"]
    publish(out, 3, a="three")
    assert whole(out) == {"a.txt": "three"}
    assert len([*(out / "checkpoints").iterdir()]) == 1


def test_a_process_that_is_killed_leaves_the_version_before(out: Path) -> None:
    """At each call to the system on the way, as `kill -9` would: nothing is cleaned up."""
    publish(out, 1, a="one", b="one")
    for step in range(2, 40):
        before = whole(out)
        if _killed_at(out, step, step - 2):
            assert whole(out) == {"a.txt": str(step)}
            return
        assert whole(out) in (before, {"a.txt": str(step)})
    pytest.fail("it was never done")


def _killed_at(out: Path, step: int, calls: int) -> bool:
    """Whether a process comes to its end that dies at so many calls."""
    child = os.fork()
    if child == 0:
        left = [calls]
        try:
            for name in ("mkdir", "fsync", "rename", "replace", "symlink", "unlink", "rmdir"):
                setattr(os, name, _counting(getattr(os, name), left))
            publish(out, step, a=str(step))
        finally:
            os._exit(0 if left[0] >= 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _counting(function: Any, left: list[int]) -> Any:
    def counted(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            os._exit(1)
        return function(*arguments, **named)

    return counted


def test_links_are_replaced_and_never_written_through(tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other.txt"
    other.write_text("mine", encoding="utf-8")
    out.mkdir()
    (out / "a.txt").symlink_to(other)
    publish(out, 1, a="one")
    assert other.read_text(encoding="utf-8") == "mine"
    assert files(out) == {"a.txt": "one"}


def test_versions_that_would_lie_elsewhere_are_refused(tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.mkdir()
    (out / "checkpoints").symlink_to(other)
    with pytest.raises(InputError, match="checkpoints must be a folder, got a link"):
        publish(out, 1, a="one")
    assert not [*other.iterdir()]


@pytest.mark.parametrize("target", ["../other", "/tmp", "checkpoints/../..", "checkpoints/x", ""])
def test_a_pointer_that_leads_elsewhere_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "current").write_text(target, encoding="utf-8")
    with pytest.raises(InputError, match="current must name a folder in checkpoints, got "):
        current(tmp_path)


def test_a_folder_without_a_pointer_is_its_own_version(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("plain", encoding="utf-8")
    assert current(tmp_path) == tmp_path
    assert whole(tmp_path) == {"a.txt": "plain"}


def test_a_reader_that_was_overtaken_reads_again(out: Path) -> None:
    publish(out, 1, a="one")
    seen: list[Path] = []

    def read(folder: Path) -> str:
        seen.append(folder)
        if len(seen) == 1:
            publish(out, 2, a="two")  # which removes the folder that is read
        try:
            return (folder / "a.txt").read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(str(error)) from None

    assert reading(out, read) == "two"
    assert len(seen) == 2


def test_a_refusal_names_the_folder_not_a_version(out: Path) -> None:
    publish(out, 1, a="one")

    def read(folder: Path) -> None:
        raise InputError(f"{folder / 'a.txt'} must be good")

    with pytest.raises(InputError, match=f"^{out / 'a.txt'} must be good$"):
        reading(out, read)
