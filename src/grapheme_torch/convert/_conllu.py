"""CoNLL-U to dependency trees.

The nodes are the syntactic words (lines numbered 1, 2, 3, ...). A multiword token (3-4) gives its
form to the text, its words are nodes. An empty node (5.1) belongs to the enhanced graph and is left
out. The word whose head is 0, the root, has no edge to it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from .._check import Received, require
from ._document import clusters_at, node_link
from ._pieces import LeftOut, Normal, Piece, Record, Skip, normal, numbered, records
from ._sentence import COLUMNS, Word, check, read_sentence, starts

_COLUMN = {"form": 1, "lemma": 2, "upos": 3}


def conllu(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    label: Literal["form", "upos", "lemma"] = "form",
    max_words: int | None = None,
    subtypes: bool = True,
    positions: bool = False,
    normalize: Normal | None = None,
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
        positions: Whether a word has a position, the character of the input at which it begins.
            Words that begin at the same one follow each other in steps of one.
        normalize: The normal form of Unicode in which all is written. Default: as it stands.

    Yields:
        A record per sentence. The input is its `# text`, or else its tokens, joined as
        `SpaceAfter` says; "alignment": the character of the input (grapheme cluster, from 0) at
        which each word begins, that of its token in a multiword token; "sent_id", if there is one.

    Raises:
        InputError: "FILE:LINE: ..." at a line that is no CoNLL-U, or a sentence that is no tree.
            Also at a sentence whose `# text` is another, or whose words were taken out (`_`).
    """

    def make(piece: Piece) -> Record:
        sentence = read_sentence(normal(piece.text, normalize))
        if max_words is not None and len(sentence.words) > max_words:
            raise LeftOut(f"{len(sentence.words)} words are more than `max_words`, {max_words}")
        edges = _edges(sentence.words, subtypes)
        labels = [_label(word, label) for word in sentence.words]
        record: Record = {"input": sentence.text, "target": node_link(labels, edges)}
        record["alignment"] = places = clusters_at(sentence.text, starts(sentence))
        if positions:
            for node, place in zip(record["target"]["nodes"], _apart(places), strict=True):
                node["position"] = place
        if sentence.sent_id is not None:
            record["sent_id"] = sentence.sent_id
        return record

    return records(_pieces(lines, source), make, skip)


def _pieces(lines: Iterable[bytes | str], source: str) -> Iterator[Piece]:
    block: list[bytes] = []
    start = 1
    for number, raw in numbered(lines):
        if number == 1:
            _check_columns(raw, source)
        if raw.strip():
            start = start if block else number
            block.append(raw)
        elif block:
            yield Piece(b"\n".join(block), source, start)
            block = []
    if block:
        yield Piece(b"\n".join(block), source, start)


def _check_columns(raw: bytes, source: str) -> None:
    """Refuses a file that says that its columns are others (CoNLL-U Plus)."""
    found = re.fullmatch(rb"#\s*global\.columns\s*=\s*(.*)", raw)
    names = "" if found is None else found[1].decode(errors="replace").strip()
    remedy = "Write these columns, `_` where there is nothing to say."
    name = f"{source}:1: the columns"
    wanted = " ".join(COLUMNS)
    require(names in ("", wanted), name, f"be {wanted}", Received(names), remedy)


def _edges(words: Sequence[Word], subtypes: bool) -> list[tuple[int, int, str]]:
    heads = [_head(word, len(words)) for word in words]
    roots = [k for k, head in enumerate(heads) if head == 0]
    shown = Received(f"{len(roots)}")
    require(len(roots) == 1, "the sentence", "have one root (HEAD 0)", shown, "Check the heads.")
    _check_tree(heads, words)
    edges = []
    for k, (word, head) in enumerate(zip(words, heads, strict=True)):
        relation = word.columns[7] if subtypes else word.columns[7].partition(":")[0]
        check(relation not in ("", "_"), word.offset, "DEPREL", "be given", relation, "Add it.")
        if head:
            edges.append((head - 1, k, relation))
    return edges


def _head(word: Word, count: int) -> int:
    value = word.columns[6]
    ok = re.fullmatch(r"[0-9]{1,9}", value) is not None and int(value) <= count
    requirement = f"be the ID of a word, or 0 (at most {count})"
    check(ok, word.offset, "HEAD", requirement, value, "Number heads by the words.")
    return int(value)


def _check_tree(heads: Sequence[int], words: Sequence[Word]) -> None:
    rooted = {0}
    for k in range(1, len(heads) + 1):
        path = []
        while k not in rooted and k not in path:
            path.append(k)
            k = heads[k - 1]
        cycle = " -> ".join(str(word) for word in [*path, k])
        offset = words[k - 1].offset
        remedy = "Break the cycle."
        check(k in rooted, offset, "the heads", "lead to the root", Received(cycle), remedy)
        rooted.update(path)


def _label(word: Word, label: str) -> str:
    value = word.columns[_COLUMN[label]]
    written = value not in ("", "_") or (value == "_" and label != "upos" and _may_be_bare(word))
    name = label.upper()
    check(written, word.offset, name, "be given", value, "Annotate it, or choose another label.")
    return value


def _may_be_bare(word: Word) -> bool:
    """Whether "_" is no gap: the word is an underscore itself, or a part of the one before it."""
    return word.columns[1] == "_" or word.columns[7].partition(":")[0] == "goeswith"


def _apart(places: Sequence[int | None]) -> Iterator[int]:
    """The same, each at least one step behind the one before."""
    at = -1
    for place in places:
        at = max(at + 1, place or 0)
        yield at
