"""CoNLL-U to dependency trees.

The nodes are the syntactic words (lines numbered 1, 2, 3, ...). A multiword token (3-4) gives its
form to the text, its words are nodes; an empty node (5.1) belongs to the enhanced graph and is left
out. The word whose head is 0, the root, has no edge to it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .._check import Received, refusal, require
from ._document import clusters_at, node_link
from ._pieces import LeftOut, Piece, Record, Skip, located, numbered, records

_COLUMNS = 10
_COLUMN = {"form": 1, "lemma": 2, "upos": 3}
_COMMENT = re.compile(r"#\s*(text|sent_id)\s*=\s*(.*)")


@dataclass(frozen=True)
class _Word:
    """A word: its line within the sentence (from 0), its columns."""

    offset: int
    columns: list[str]


@dataclass(frozen=True)
class _Sentence:
    """Words in order, and tokens as the text has them.

    A token is its form, the number of its first word, how many it has, and whether a space
    follows.
    """

    comments: dict[str, str]
    words: list[_Word]
    tokens: list[tuple[str, int, int, bool]]


def conllu(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    label: Literal["form", "upos", "lemma"] = "form",
    max_words: int | None = None,
    subtypes: bool = True,
    positions: bool = False,
) -> Iterator[Record]:
    """Sentences to their basic dependency trees, words in order, an edge from head to dependent.

    Args:
        lines: Lines of a CoNLL-U file.
        source: Name of the file, for messages.
        skip: Called with each sentence that is refused or too long; without it the first
            refused one is raised.
        label: What a node is: the word, its universal part of speech or its lemma.
        max_words: Leaves out sentences with more words.
        subtypes: Whether relations keep their subtype: `nsubj:pass`, or `nsubj` without.
        positions: Whether a word has a position, the character of the input at which it begins;
            words that begin at the same one, or nowhere, follow each other in steps of one.

    Yields:
        A record per sentence. The input is its `# text`, or else its tokens, joined as
        `SpaceAfter` says; "alignment": the character of the input (grapheme cluster, from 0) at
        which each word begins, None where the text does not show it; "sent_id", if there is one.

    Raises:
        InputError: "FILE:LINE: ..." at a line that is no CoNLL-U, or a sentence that is no tree.
    """

    def make(piece: Piece) -> Record:
        sentence = _sentence(piece.text)
        if max_words is not None and len(sentence.words) > max_words:
            raise LeftOut(f"{len(sentence.words)} words")
        edges = _edges(sentence.words, subtypes)
        labels = [_label(word, label) for word in sentence.words]
        text = sentence.comments.get("text") or _joined(sentence)
        record: Record = {"input": text, "target": node_link(labels, edges)}
        record["alignment"] = places = clusters_at(text, _offsets(text, sentence))
        if positions:
            for node, place in zip(record["target"]["nodes"], _apart(places), strict=True):
                node["position"] = place
        if "sent_id" in sentence.comments:
            record["sent_id"] = sentence.comments["sent_id"]
        return record

    return records(_pieces(lines, source), make, skip)


def _pieces(lines: Iterable[bytes | str], source: str) -> Iterator[Piece]:
    block: list[bytes] = []
    start = 1
    for number, raw in numbered(lines):
        if raw.strip():
            start = start if block else number
            block.append(raw)
        elif block:
            yield Piece(b"\n".join(block), source, start)
            block = []
    if block:
        yield Piece(b"\n".join(block), source, start)


def _sentence(text: str) -> _Sentence:
    found = _Sentence({}, [], [])
    covered = 0  # words up to here belong to a multiword token
    for offset, line in enumerate(text.split("\n")):
        if line.startswith("#"):
            if comment := _COMMENT.fullmatch(line):
                found.comments[comment[1]] = comment[2].strip()
            continue
        columns = line.split("\t")
        remedy = "Write 10 columns, separated by tabs."
        _check(
            len(columns) == _COLUMNS, offset, "the line", "have 10 columns", len(columns), remedy
        )
        number = columns[0]
        if "." in number:
            continue
        spaced = "SpaceAfter=No" not in columns[9].split("|")
        if "-" in number:
            first, last = _range(number, len(found.words) + 1, offset)
            found.tokens.append((columns[1], first - 1, last - first + 1, spaced))
            covered = last
            continue
        wanted = str(len(found.words) + 1)
        remedy = "Number the words 1, 2, 3, ..."
        _check(number == wanted, offset, "the ID", f"be {wanted}", number, remedy)
        found.words.append(_Word(offset, columns))
        if len(found.words) > covered:
            found.tokens.append((columns[1], len(found.words) - 1, 1, spaced))
    count = max(covered, 1)
    remedy = "End a sentence with a blank line, after all its words."
    _check(len(found.words) >= count, 0, "the sentence", f"have at least {count} words",
           len(found.words), remedy)  # fmt: skip
    return found


def _range(number: str, following: int, offset: int) -> tuple[int, int]:
    ends = re.fullmatch(r"(\d+)-(\d+)", number)
    ok = ends is not None and int(ends[1]) == following and int(ends[2]) > following
    remedy = "A multiword token stands before its words."
    _check(ok, offset, "the ID", f"be {following}-N, N larger", number, remedy)
    assert ends is not None
    return int(ends[1]), int(ends[2])


def _edges(words: Sequence[_Word], subtypes: bool) -> list[tuple[int, int, str]]:
    heads = [_head(word, len(words)) for word in words]
    roots = [k for k, head in enumerate(heads) if head == 0]
    shown = Received(f"{len(roots)}")
    require(len(roots) == 1, "the sentence", "have one root (HEAD 0)", shown, "Check the heads.")
    _check_tree(heads, words)
    edges = []
    for k, (word, head) in enumerate(zip(words, heads, strict=True)):
        relation = word.columns[7] if subtypes else word.columns[7].partition(":")[0]
        _check(relation not in ("", "_"), word.offset, "DEPREL", "be given", relation, "Add it.")
        if head:
            edges.append((head - 1, k, relation))
    return edges


def _head(word: _Word, count: int) -> int:
    value = word.columns[6]
    ok = re.fullmatch(r"\d{1,9}", value) is not None and int(value) <= count
    requirement = f"be the ID of a word, or 0 (at most {count})"
    _check(ok, word.offset, "HEAD", requirement, value, "Number heads by the words.")
    return int(value)


def _check_tree(heads: Sequence[int], words: Sequence[_Word]) -> None:
    rooted = {0}
    for k in range(1, len(heads) + 1):
        path = []
        while k not in rooted and k not in path:
            path.append(k)
            k = heads[k - 1]
        cycle = " -> ".join(str(word) for word in [*path, k])
        offset = words[k - 1].offset
        remedy = "Break the cycle."
        _check(k in rooted, offset, "the heads", "lead to the root", Received(cycle), remedy)
        rooted.update(path)


def _label(word: _Word, label: str) -> str:
    value = word.columns[_COLUMN[label]]
    written = value not in ("", "_") or (value == "_" and label != "upos" and _may_be_bare(word))
    name = label.upper()
    _check(written, word.offset, name, "be given", value, "Annotate it, or choose another label.")
    return value


def _may_be_bare(word: _Word) -> bool:
    """Whether "_" is no gap: the word is an underscore itself, or a part of the one before it."""
    return word.columns[1] == "_" or word.columns[7].partition(":")[0] == "goeswith"


def _joined(sentence: _Sentence) -> str:
    return "".join(form + " " * spaced for form, _, _, spaced in sentence.tokens).rstrip()


def _offsets(text: str, sentence: _Sentence) -> list[int | None]:
    """Where each word begins in the text; the words of a multiword token begin with it."""
    place: list[int | None] = []
    at = 0
    for form, _, count, _ in sentence.tokens:
        start = text.find(form, at)
        place += [start if start >= 0 else None] * count
        at = start + len(form) if start >= 0 else at
    return place


def _apart(places: Sequence[int | None]) -> Iterator[int]:
    """The same, each at least one step behind the one before."""
    at = -1
    for place in places:
        at = max(at + 1, place or 0)
        yield at


def _check(ok: bool, offset: int, name: str, requirement: str, value: object, remedy: str) -> None:
    if not ok:
        raise located(refusal(name, requirement, value, remedy), offset)
