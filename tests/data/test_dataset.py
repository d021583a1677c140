"""Pairs as batches: nothing is lost, empty graphs included."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from grapheme_torch._check import InputError, Notice
from grapheme_torch.data import Alphabet, Pair, PairDataset, collate, kindergarten, load_pairs
from grapheme_torch.graphs import make_graph, text_to_graph


def _pairs(*texts: tuple[str, str]) -> list[Pair]:
    return [Pair(text_to_graph(given), text_to_graph(wanted)) for given, wanted in texts]


def _dataset(pairs: list[Pair]) -> PairDataset:
    return PairDataset(pairs, Alphabet.of(pair.target for pair in pairs))


def test_an_item_has_only_the_tensors_of_training() -> None:
    pairs = kindergarten()
    dataset = _dataset(pairs)
    assert len(dataset) == 10
    given, wanted = dataset[3]
    shared = {"edge_index", "position", "num_nodes", "directed"}
    assert set(given.keys()) == {"x", "edge_attr", "place", *shared}
    assert given.place == pairs[3].place
    assert set(wanted.keys()) == {"y", "edge_type", *shared}
    assert torch.equal(given.x, pairs[3].input.x)
    labels = [dataset.alphabet.decode_label(i) for i in wanted.y.tolist()]
    assert labels == pairs[3].target.label


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0), (1, 3, 1)])
def test_empty_graphs_survive_batching(order: tuple[int, ...]) -> None:
    dataset = _dataset(_pairs(("abc", "de"), ("", ""), ("f", "g"), ("hi", "")))
    given, wanted = collate([dataset[k] for k in order])
    for batch, sizes in ((given, (3, 0, 1, 2)), (wanted, (2, 0, 1, 0))):
        counts = torch.tensor([sizes[k] for k in order])
        assert batch.num_graphs == len(order)
        assert batch.num_nodes == counts.sum()
        assert torch.equal(batch.batch, torch.arange(len(order)).repeat_interleave(counts))
        assert torch.equal(batch.ptr, torch.nn.functional.pad(counts.cumsum(0), (1, 0)))
        assert batch.position.shape == (counts.sum(),)
        assert batch.edge_index.shape == (2, (counts - 1).clamp(min=0).sum())


def test_a_batch_is_the_disjoint_union_of_its_graphs() -> None:
    dataset = _dataset(_pairs(("ab", "c"), ("def", "gh")))
    items = [dataset[k] for k in (0, 1)]
    given, wanted = collate(items)
    assert torch.equal(given.x, torch.cat([item.x for item, _ in items]))
    assert given.edge_index.tolist() == [[0, 2, 3], [1, 3, 4]]
    assert wanted.y.tolist() == [0, 1, 2]
    assert wanted.edge_type.tolist() == [1]


def test_a_loader_of_pytorch_takes_it() -> None:
    loader = DataLoader(_dataset(kindergarten()), batch_size=4, collate_fn=collate)
    assert [(a.num_graphs, b.num_graphs) for a, b in loader] == [(4, 4), (4, 4), (2, 2)]


def test_graphs_with_and_without_position_batch_together() -> None:
    pairs = [*_pairs(("ab", "c")), Pair(make_graph(["a"]), text_to_graph("c"))]
    with pytest.warns(Notice, match="all inputs lose theirs"):
        dataset = _dataset(pairs)
    given, wanted = collate([dataset[0], dataset[1]])
    assert "position" not in given
    assert wanted.position.tolist() == [0.0, 0.0]


def test_a_pair_that_cannot_be_encoded_is_refused() -> None:
    pair = Pair(text_to_graph("a"), text_to_graph("b"), line=2, source="f.jsonl")
    message = 'f.jsonl:2: in "target": a node label must be one of the 0 labels of the alphabet'
    with pytest.raises(InputError, match="^" + re.escape(message)):
        PairDataset([pair], Alphabet((), ()))
    bare = Pair(pair.input, make_graph([]), line=3, source="f.jsonl", has_target=False)
    message = 'f.jsonl:3: the pair must have a "target" to train or evaluate on, got none. Add it'
    with pytest.raises(InputError, match="^" + re.escape(message)):
        PairDataset([bare], Alphabet((), ()))


def test_pairs_are_loaded_by_name_or_path(tmp_path: Path) -> None:
    path = tmp_path / "kindergarten"
    path.write_text(
        '{"input": "ab", "target": "c"}\n'
        '{"input": {"nodes": [{"id": 0, "label": "a"}], "edges": []}}\n'
    )
    assert len(load_pairs("kindergarten")) == 10
    with pytest.warns(Notice, match=re.escape(f'{path}:2: no position in the "input" (1 of 2')):
        pairs = load_pairs(path, need_target=False)
    assert "position" in load_pairs(path, need_target=False, unify=False)[0].input
    assert [pair.has_target for pair in pairs] == [True, False]
    assert "position" not in pairs[0].input
    with pytest.raises(InputError, match=re.escape(f'{path}:2: the line must have the key "targ')):
        load_pairs(str(path))


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("placed", [False, True])
@pytest.mark.parametrize("rows", [2**18, 5, 0])
def test_a_batch_is_what_pytorch_geometric_makes_of_its_items(
    rows: int, placed: bool, numbered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where labels are too many to be numbered."""
    monkeypatch.setattr("grapheme_torch.data._packed.MOST_ROWS", rows)
    texts = ["blue", "", "a", "b\u00fccher"]
    graphs = [text_to_graph(text) if placed else make_graph(list(text)) for text in texts]
    for graph in graphs if numbered else []:
        graph.features = torch.rand(graph.num_nodes or 0, 2)
    wanted = make_graph(["p", "q"], [(0, 1, "r")], directed=False)
    wanted.position = torch.tensor([0.5, 2.0])
    targets = [wanted, make_graph([]), wanted, wanted]
    pairs = [Pair(x, y, line=k) for k, (x, y) in enumerate(zip(graphs, targets, strict=True))]
    dataset = _dataset(pairs)
    for order in ([0, 1, 2, 3], [3, 0, 0], [1], [2, 1]):
        given = dataset.batch(order)[0]
        assert torch.equal(given.x, torch.cat([graphs[k].x for k in order]))
        both = zip(dataset.batch(order), collate([dataset[k] for k in order]), strict=True)
        for found, other in both:
            assert set(found.keys()) == set(other.keys())
            for name in sorted(found.keys()):
                assert _equal(found[name], other[name]), name
            assert found.num_graphs == other.num_graphs
            assert found.num_nodes == other.num_nodes
            each = zip(found.to_data_list(), other.to_data_list(), strict=True)
            for one, same in each:
                assert all(_equal(one[name], same[name]) for name in sorted(same.keys()))


def _equal(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return one == other


def test_an_item_that_is_changed_stays_in_the_data_set() -> None:
    dataset = _dataset(_pairs(("ab", "c")))
    dataset[0][0].position += 5
    assert dataset[0][0].position.tolist() == [0.0, 1.0]
