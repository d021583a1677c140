"""The blocks of code of a page of Markdown, run as a reader would: in their order, in one place."""

import io
import re
import shlex
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import patch

from grapheme_torch.cli._main import main

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"needs `(\w+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line of its fence, and the prose before it."""

    language: str
    text: str
    line: int
    before: str


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page that name a language."""
    text = page.read_text(encoding="utf-8")
    found, last = [], 0
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2], line, text[last : match.start()]))
        last = match.end()
    return found


def commands(block: Block) -> list[list[str]]:
    """The words of each line of a block of shell; a line that ends in a backslash goes on."""
    lines = block.text.replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True) for line in lines]
    return [words for words in found if words]


def split_redirections(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """A command without `< FILE` and `> FILE`, and the files by `"<"` and `">"`."""
    files = {sign: words[words.index(sign) + 1] for sign in "<>" if sign in words}
    return [word for word in words if word not in files and word not in files.values()], files


def call(words: list[str]) -> int:
    """Runs `grapheme ...` in this process, its redirections as a shell would; the exit status."""
    words, files = split_redirections(words)
    with ExitStack() as stack:
        if "<" in files:
            given = io.TextIOWrapper(stack.enter_context(Path(files["<"]).open("rb")))
            stack.enter_context(patch("sys.stdin", given))
        if ">" in files:
            file = stack.enter_context(Path(files[">"]).open("w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(file))
        return main(words[1:])


SAVED = {"json": r"`([\w.-]+\.jsonl)`", "text": r"`([\w.-]+\.smi)`"}
"""Kinds of blocks that are files, and how these are named."""


def runnable(block: Block) -> bool:
    """Whether the packages are there that the prose before a block says it needs."""
    return all(find_spec(name) for name in NEEDS.findall(block.before))


def run_page(page: Path) -> None:
    """Runs what a page shows in the present folder.

    Python shares one namespace, `grapheme` is called as the shell would, and lines of JSON or of
    text are saved under the file name that the prose before them names last. Other commands are
    not run, nor is a block that needs a package which is not there.
    """
    names: dict[str, object] = {"__name__": "__page__"}
    for block in filter(runnable, blocks(page)):
        if block.language == "python":
            source = "\n" * block.line + block.text  # so that a traceback has the page's lines
            exec(compile(source, str(page), "exec"), names)
        elif block.language in SAVED:
            found = re.findall(SAVED[block.language], block.before)
            assert found or block.language == "text", f"{page.name}:{block.line}: of which file?"
            if found:  # other text is what a program says
                Path(found[-1]).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            for words in commands(block):
                if words[0] == "grapheme":
                    assert call(words) == 0, f"{page.name}:{block.line}: {shlex.join(words)}"
