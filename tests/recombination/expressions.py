"""A language whose sentences have one meaning: prefix notation, a word for each node of a tree."""

from typing import Any

from hypothesis import strategies as st

from grapheme_torch.data import Pair, make_pair
from grapheme_torch.graphs import NEXT

ARITY = {"one": 0, "two": 0, "neg": 1, "not": 1, "sum": 2, "mul": 2}


def meaning(words: list[str]) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Labels and edges of the tree of a sentence; a node for each word, in their order."""
    edges: list[tuple[int, int, str]] = []

    def read(at: int) -> int:
        after = at + 1
        for k in range(ARITY[words[at]]):
            edges.append((at, after, f"arg{k}"))
            after = read(after)
        return after

    assert read(0) == len(words)
    return [word.upper() for word in words], sorted(edges)


def sentence_pair(words: list[str], line: int = 1) -> Pair:
    """The pair of a sentence and its tree."""
    return make_pair(expression_record(" ".join(words)), "expressions", line)


def expression_record(sentence: str) -> dict[str, Any]:
    """The record of a sentence and its tree."""
    words = sentence.split()
    return record(words, *meaning(words), list(range(len(words))))


def record(words: list[str], labels: list[str], edges: Any, places: Any) -> dict[str, Any]:
    """The record of any pair of words and a graph."""
    return {
        "input": {
            "nodes": [{"id": k, "label": word, "position": k} for k, word in enumerate(words)],
            "edges": [{"source": k, "target": k + 1, "label": NEXT} for k in range(len(words) - 1)],
        },
        "target": {
            "nodes": [{"id": k, "label": label} for k, label in enumerate(labels)],
            "edges": [{"source": s, "target": t, "label": label} for s, t, label in edges],
        },
        "alignment": places,
    }


LEAVES = st.sampled_from(["one", "two"]).map(lambda word: [word])


def _grown(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    return st.one_of(
        st.builds(lambda word, a: [word, *a], st.sampled_from(["neg", "not"]), inner),
        st.builds(lambda word, a, b: [word, *a, *b], st.sampled_from(["sum", "mul"]), inner, inner),
    )


SENTENCES = st.recursive(LEAVES, _grown, max_leaves=5)
