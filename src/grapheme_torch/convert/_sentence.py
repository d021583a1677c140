"""A sentence of CoNLL-U, read strictly: its lines, their order, and its text.

What is asked is what the validator of Universal Dependencies asks at its first level, and of
`# text` that it shows the forms. Spaces between forms are not compared.
"""

import re
from dataclasses import dataclass

from .._check import Received, refusal, shown
from ._pieces import located

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_SPACED = ("FORM", "LEMMA", "MISC")
"""Columns that may hold a space, though not begin or end with one."""
_COMMENT = re.compile(r"#\s*(text|sent_id)\s*=\s*(.*)")
_RANGE = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_BARE = ("PUNCT", "SYM", "X", "_", "")
"""What an underscore may be. One of another kind stands for a word that was taken out."""


@dataclass(frozen=True)
class Word:
    """A word: its line within the sentence (from 0), its columns."""

    offset: int
    columns: list[str]


@dataclass(frozen=True)
class Token:
    """A token as the text has it.

    Args:
        form: How it is written.
        first, count: Number of its first word, from 0, and how many it has.
        spaced: Whether a space follows.
    """

    form: str
    first: int
    count: int
    spaced: bool


@dataclass(frozen=True)
class Sentence:
    """Words in order, and the tokens they make."""

    words: list[Word]
    tokens: list[Token]
    text: str
    sent_id: str | None


def read_sentence(block: str) -> Sentence:
    """The sentence in a block of lines.

    Raises:
        InputError: If it is no CoNLL-U, or its words were taken out; the error knows the line.
    """
    lines = list(enumerate(block.split("\n")))
    count = next((k for k, line in lines if not line.startswith("#")), len(lines))
    comments = _comments(lines[:count])
    reader = _Reader()
    for offset, line in lines[count:]:
        check(not line.startswith("#"), offset, "a comment", "stand before the words", line,
              "Move it up, or end the sentence above with a blank line.")  # fmt: skip
        reader.read(offset, line.split("\t"))
    reader.end()
    joined = "".join(token.form + " " * token.spaced for token in reader.tokens).rstrip()
    offset, text = comments.get("text", (0, ""))
    same = not text or _letters(text) == _letters(joined)
    found = Received(f"{shown(text)} for {shown(joined)}")
    check(same, offset, "`# text`", "show the forms in order", found, "Correct it, or remove it.")
    _, sent_id = comments.get("sent_id", (0, None))
    return Sentence(reader.words, reader.tokens, text or joined, sent_id)


def starts(sentence: Sentence) -> list[int]:
    """The character of the text at which each word begins; the words of a token begin with it."""
    shown = [at for at, character in enumerate(sentence.text) if not character.isspace()]
    place: list[int] = []
    done = 0
    for token in sentence.tokens:
        place += [shown[done]] * token.count
        done += len(_letters(token.form))
    return place


def check(ok: bool, offset: int, name: str, requirement: str, value: object, remedy: str) -> None:
    """Refuses line `offset` of a sentence unless `ok`."""
    if not ok:
        raise located(refusal(name, requirement, value, remedy), offset)


class _Reader:
    """The lines of a sentence, in their order."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.tokens: list[Token] = []
        self.covered = 0  # words up to here belong to a multiword token
        self.empty = 0  # how many empty nodes stand behind the last word
        self.begun = False  # whether the last line was a multiword token

    def read(self, offset: int, columns: list[str]) -> None:
        remedy = "Write 10 columns, separated by tabs."
        found = len(columns)
        check(found == len(COLUMNS), offset, "the line", "have 10 columns", found, remedy)
        number, form = columns[:2]
        check(form != "", offset, "FORM", "be given", form, "Write the word.")
        for name, value in zip(COLUMNS, columns, strict=True):
            bare = value.strip() if name in _SPACED else "".join(value.split())
            remedy = "Take the space away."
            check(bare == value, offset, name, "have no space around or in it", value, remedy)
        self._check_id(offset, number)
        following = len(self.words) + 1
        spaced = "SpaceAfter=No" not in columns[9].split("|")
        if "." in number:
            self.empty += 1
            return
        self.empty = 0
        if "-" in number:
            self.covered = int(number.split("-")[1])
            check(form != "_", offset, "FORM", "be given", form, "Write the token.")
            self.tokens.append(Token(form, following - 1, self.covered - following + 1, spaced))
        else:
            self.words.append(Word(offset, columns))
            if following > self.covered:
                self.tokens.append(Token(form, following - 1, 1, spaced))
        self.begun = "-" in number

    def end(self) -> None:
        """Refuses a sentence that misses words."""
        count = max(self.covered, 1)
        remedy = "End a sentence with a blank line, after all its words."
        found = len(self.words)
        check(found >= count, 0, "the sentence", f"have at least {count} words", found, remedy)
        remedy = "Put the text back as the README of the treebank says, or leave the sentence out."
        forms = {token.form for token in self.tokens}, {word.columns[1] for word in self.words}
        nothing = Received(f"'_' for all {found}")
        check({"_"} not in forms, 0, "the words", "have a FORM", nothing, remedy)
        for word in self.words:
            bare = word.columns[1] != "_" or word.columns[3] in _BARE
            check(bare, word.offset, "FORM", "be given", f"_ ({word.columns[3]})", remedy)

    def _check_id(self, offset: int, number: str) -> None:
        """Refuses an ID that is not the next one of a word, multiword token or empty node."""
        before = len(self.words)
        wanted, remedy = f"{before + 1}", "Number the words 1, 2, 3, ..."
        ok = number == wanted
        if "-" in number:
            ends = _RANGE.fullmatch(number)
            wanted, remedy = (
                f"{before + 1}-N, N larger",
                "A multiword token stands before its words.",
            )
            ok = ends is not None and int(ends[1]) == before + 1 < int(ends[2])
        elif "." in number and not self.begun:
            empty = f"{before}.{self.empty + 1}"
            wanted = f"{before + 1}, or {empty} for an empty node"
            ok = number == empty
        check(ok, offset, "the ID", f"be {wanted}", number, remedy)
        found = Received(f"{number}, though {before + 1} to {self.covered} belong to the one above")
        inside = "-" in number and before < self.covered
        check(not inside, offset, "multiword tokens", "not overlap", found, "Keep one of them.")


def _comments(lines: list[tuple[int, str]]) -> dict[str, tuple[int, str]]:
    """Line and value of the comments that matter."""
    found: dict[str, tuple[int, str]] = {}
    for offset, line in lines:
        if (comment := _COMMENT.fullmatch(line)) is not None:
            name, value = comment[1], comment[2].strip()
            remedy = "Keep one of them, and one sentence in a block."
            check(name not in found, offset, f"`# {name}`", "be given once", value, remedy)
            found[name] = offset, value
    return found


def _letters(text: str) -> str:
    """All but the spaces."""
    return "".join(text.split())
