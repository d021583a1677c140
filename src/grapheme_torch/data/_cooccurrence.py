"""Which words of the inputs tell which labels of the targets, learned from what occurs together.

Two tables are learned: t(label | word), and t(word | label) with an empty label for the words that
tell nothing. Each explains a pair by links of a word and a label, and each is fitted to the links
on which both agree:

    link(w, l) = t(l | w) / sum_w' t(l | w')  *  t(w | l) / (t(w | empty) + sum_l' t(w | l'))
    t(l | w) ~ sum of link(w, l),   t(w | l) ~ sum of link(w, l),   over all pairs of the file.

Source: P. Liang, B. Taskar and D. Klein, "Alignment by Agreement", NAACL 2006, on model 1 of
P. F. Brown et al., "The Mathematics of Statistical Machine Translation", 1993.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

ROUNDS = 10
_TINY = 1e-12

Texts = Sequence[Sequence[str]]


@dataclass(frozen=True)
class _Links:
    """Every word of a pair with every label of it, for all pairs one after another.

    Args:
        kind: The number of the (word, label) that a link is of.
        word, label: The occurrence that a link is of, counted over all pairs.
        word_kinds, label_kinds: The word and the label of each kind.
        words, labels: The number of the word, and of the label, of each occurrence.
        shapes: Words and labels of each pair.
    """

    kind: Int[np.ndarray, " links"]
    word: Int[np.ndarray, " links"]
    label: Int[np.ndarray, " links"]
    word_kinds: Int[np.ndarray, " kinds"]
    label_kinds: Int[np.ndarray, " kinds"]
    words: Int[np.ndarray, " occurrences"]
    labels: Int[np.ndarray, " nodes"]
    shapes: list[tuple[int, int]]


def link_scores(words: Texts, labels: Texts) -> list[Float[np.ndarray, "words labels"]]:
    """How far the two tables agree on each link of each pair, from 0 to 1.

    Before the first round a link counts as much as its word and label occur together. It counts up
    to twice as much where they are spelled alike. So a file of a few pairs is aligned by spelling
    where counts cannot tell, and the counts of a large one decide for themselves.
    """
    word_numbers, label_numbers = _numbers(words), _numbers(labels)
    links = _all_links(words, labels, word_numbers, label_numbers)
    alike = _spelling(links, list(word_numbers), list(label_numbers))
    count = np.bincount(links.kind, minlength=len(alike)) * (1 + alike)
    empty = np.bincount(links.words, minlength=len(word_numbers)) / max(len(links.words), 1)
    link = np.zeros(0)
    for _ in range(ROUNDS):
        link = _agreement(links, count, empty)
        count = np.bincount(links.kind, link, len(alike)) + _TINY
        told = np.bincount(links.word, link, len(links.words))
        untold = np.bincount(links.words, np.clip(1 - told, 0, 1), len(word_numbers))
        empty = untold / max(untold.sum(), _TINY)
    ends = np.cumsum([0, *(n * m for n, m in links.shapes)])
    parts = zip(ends[:-1], ends[1:], links.shapes, strict=True)
    return [link[begin:end].reshape(shape) for begin, end, shape in parts]


def _agreement(
    links: _Links, count: Float[np.ndarray, " kinds"], empty: Float[np.ndarray, " words"]
) -> Float[np.ndarray, " links"]:
    label_given_word = count / np.bincount(links.words)[links.word_kinds]
    word_given_label = count / np.bincount(links.labels)[links.label_kinds]
    forth, back = label_given_word[links.kind], word_given_label[links.kind]
    over_words = np.bincount(links.label, forth, len(links.labels))
    over_labels = np.bincount(links.word, back, len(links.words)) + empty[links.words]
    return forth / over_words[links.label] * (back / over_labels[links.word])


def _numbers(texts: Texts) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for text in texts:
        for symbol in text:
            numbers.setdefault(symbol, len(numbers))
    return numbers


def _all_links(
    words: Texts, labels: Texts, word_numbers: dict[str, int], label_numbers: dict[str, int]
) -> _Links:
    shapes = [(len(text), len(names)) for text, names in zip(words, labels, strict=True)]
    first = np.cumsum([(0, 0), *shapes], axis=0)
    joined = [np.zeros((2, 0), int)]
    joined += [np.indices(shape).reshape(2, -1) + at[:, None]
               for shape, at in zip(shapes, first[:-1], strict=True)]  # fmt: skip
    word, label = np.concatenate(joined, axis=1)
    word_of = np.array([word_numbers[symbol] for text in words for symbol in text], int)
    label_of = np.array([label_numbers[symbol] for text in labels for symbol in text], int)
    many = max(len(label_numbers), 1)
    kinds, kind = np.unique(word_of[word] * many + label_of[label], return_inverse=True)
    return _Links(kind, word, label, kinds // many, kinds % many, word_of, label_of, shapes)


def _spelling(
    links: _Links, words: Sequence[str], labels: Sequence[str]
) -> Float[np.ndarray, " kinds"]:
    """Dice's coefficient of the bigrams of a word and a label."""
    word_grams, label_grams = list(map(_bigrams, words)), list(map(_bigrams, labels))
    pairs = zip(links.word_kinds.tolist(), links.label_kinds.tolist(), strict=True)
    return np.array([_dice(word_grams[word], label_grams[label]) for word, label in pairs])


def _bigrams(text: str) -> Counter[str]:
    padded = f" {text} "
    return Counter(padded[k : k + 2] for k in range(len(padded) - 1))


def _dice(left: Counter[str], right: Counter[str]) -> float:
    if left.keys().isdisjoint(right):
        return 0.0
    return 2 * (left & right).total() / (left.total() + right.total())
