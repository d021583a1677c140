"""SLOG: forms without variables that come back to the letter, and where their words are."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grapheme_torch import InputError
from grapheme_torch.convert import slog, slog_to_logical_form

from .samples import LOGICAL_FORMS, VARIABLE_FREE

LINES = VARIABLE_FREE.splitlines()
WORDS = ["Ann", "saw", "the", "dog", "on", "the", "cat"]
FORMS = [line.split("\t")[1] for line in LINES]


def _labels(record: dict[str, Any]) -> list[str]:
    return [node["label"] for node in record["target"]["nodes"]]


def _edges(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    labels = _labels(record)
    ends = ((e["source"], e["target"], e["label"]) for e in record["target"]["edges"])
    return [(labels[source], role, labels[target]) for source, target, role in ends]


@pytest.mark.parametrize("articles", [False, True])
@pytest.mark.parametrize("unit", ["character", "word"])
def test_the_logical_form_comes_back(unit: Any, articles: bool) -> None:
    records = list(slog(LINES, unit=unit, articles=articles))
    sentences = [line.split("\t")[0] for line in LINES]
    made = zip(sentences, records, strict=True)
    assert [
        slog_to_logical_form(sentence, record["target"], record["alignment"], unit=unit)
        for sentence, record in made
    ] == FORMS


def test_a_concept_is_a_node_at_its_word() -> None:
    records = list(slog(LINES, unit="word"))
    assert _labels(records[3]) == ["* goat", "want", "sing"]
    assert records[3]["alignment"] == [1, 2, 4]
    wants = ("want", "agent", "* goat"), ("want", "xcomp", "sing"), ("sing", "agent", "* goat")
    assert _edges(records[3]) == list(wants)
    embedded = records[8]
    assert _labels(embedded) == ["* goat", "* cat", "Ada", "like", "see", "sing"]
    assert embedded["alignment"] == [1, 4, 6, 7, 8, 9]
    assert records[12]["alignment"] == [0, 2, 3, 5]  # a question is read at its word, not its mark
    assert records[14]["alignment"] == [0, 1, 3, 4, 5]
    assert [record["type"] for record in records] == [line.split("\t")[2] for line in LINES]


def test_characters_and_positions() -> None:
    record = list(slog(LINES, articles=True, positions=True))[3]
    assert _labels(record) == ["*", "goat", "want", "sing"]
    assert record["alignment"] == [0, 4, 9, 19]
    assert [node["position"] for node in record["target"]["nodes"]] == [0, 4, 9, 19]


def test_the_order_of_roles_is_that_of_the_words() -> None:
    graph = {
        "nodes": [{"id": k, "label": label} for k, label in enumerate(("see", "cat", "dog"))],
        "edges": [
            {"source": 0, "target": 1, "label": "theme"},
            {"source": 0, "target": 2, "label": "agent"},
        ],
    }
    sentence = "a dog saw a cat"
    form = "see ( agent = dog , theme = cat )"
    assert slog_to_logical_form(sentence, graph, [2, 4, 1], unit="word") == form
    assert slog_to_logical_form(sentence, graph, [2.5, 4.0, 1.5], unit="word") == form
    assert slog_to_logical_form(sentence, graph, [7, 12, 3]) == form
    assert slog_to_logical_form(sentence, graph, [7, None, 3]) == form


@pytest.mark.repeats
@settings(max_examples=50)
@given(st.recursive(
    st.sampled_from(["dog", "* cat", "Ann", "?"]),
    lambda inner: st.tuples(
        st.sampled_from(["see", "* man"]),
        st.lists(st.tuples(st.sampled_from(["agent", "nmod . on"]), inner), min_size=1, max_size=3),
    ),
))  # fmt: skip
def test_any_tree_comes_back_or_is_refused(tree: Any) -> None:
    """Whatever the tree: what comes out says the same, to the letter."""
    form = _told(tree)
    refused: list[Any] = []
    made = list(slog([f"{' '.join(WORDS)}\t{form}"], unit="word", skip=refused.append))
    assert len(made) + len(refused) == 1
    for record in made:
        sentence, graph, places = (
            "Ann saw the dog on the cat",
            record["target"],
            record["alignment"],
        )
        assert slog_to_logical_form(sentence, graph, places, unit="word") == form


def _told(tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    label, roles = tree
    return f"{label} ( {' , '.join(f'{role} = {_told(inner)}' for role, inner in roles)} )"


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("run ( agent = dog", "must be readable, got 'agent = dog'"),
        ("run ( agent = dog ) )", r"must be readable, got 'agent = dog \) \)'"),
        ("run ( dog )", r"must be readable, got 'dog \)'"),
        ("run ( agent = dog ) , x", "must be readable"),
        ("agent = dog", "must be readable"),
        ("dog ( )", "must be readable"),
        ("", "must be readable"),
        ("run ( agent = dog ) ( theme = dog )", "must be readable"),
        ("dog , run", "must be readable"),
        ("run . agent ( x _ 2 , x _ 1 )", "Forms with variables are of the format `cogs`"),
        ("run ( agent = dog , theme = dog )", "must be one, got agent and theme from run to dog"),
        ("run ( agent = dog , theme = A )", "come back from its graph, got 'run . theme = A"),
        ("run ( theme = ran , agent = dog )", "must come back from its graph, got 'run . agent"),
    ],
)  # fmt: skip
def test_another_form_is_refused(form: str, reason: str) -> None:
    good = "A dog ran .\trun ( agent = dog )"
    with pytest.raises(InputError, match=f"^s.tsv:2: .*{reason}"):
        list(slog([good, f"A dog ran .\t{form}"], source="s.tsv"))
    refused: list[Any] = []
    assert len(list(slog([f"A dog ran .\t{form}", good], skip=refused.append))) == 1
    assert [one.line for one in refused] == [1]


def test_forms_with_variables_are_sent_to_cogs_and_back() -> None:
    from grapheme_torch.convert import cogs

    with pytest.raises(InputError, match=r"^<memory>:1: .*of the format `cogs`"):
        list(slog(LOGICAL_FORMS.splitlines()))
    with pytest.raises(InputError, match=r"^<memory>:1: .*of the format `slog`"):
        list(cogs(LINES))


def _graph(count: int, *ends: tuple[int, int]) -> dict[str, Any]:
    nodes = [{"id": k, "label": f"n{k}"} for k in range(count)]
    edges = [{"source": s, "target": t, "label": "of"} for s, t in ends]
    return {"nodes": nodes, "edges": edges}


def test_a_graph_without_a_root_is_refused() -> None:
    for graph, places, reason in (
        (_graph(2), [0, 1], "have a root, got 1 of 2 nodes that it does not reach"),
        (_graph(3, (0, 2), (1, 2)), [0, 1, 2], "have a root"),
        (_graph(0), [], "have nodes, got none"),
        (_graph(2, (0, 1)), [0], "have one per node, got 1 for 2 nodes"),
    ):
        with pytest.raises(InputError, match=reason):
            slog_to_logical_form("a b c", graph, places, unit="word")


def test_a_circle_begins_at_the_first_word_and_may_be_deep() -> None:
    graph = _graph(2, (0, 1), (1, 0))
    assert slog_to_logical_form("a b", graph, [1, 0], unit="word") == "n1 ( of = n0 ( of = n1 ) )"
    deep = _graph(3000, *((k, k + 1) for k in range(2999)))
    form = slog_to_logical_form("a", deep, [0] * 3000, unit="word")
    assert form.count(" ( of = ") == form.count(" )") == 2999
