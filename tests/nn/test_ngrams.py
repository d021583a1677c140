"""Runs of neighbouring labels as vectors."""

import itertools
import re

import pytest
import torch
from torch import Tensor

from grapheme_torch import GraphTransformNet, InputError, text_to_graph
from grapheme_torch.nn import NGramEmbedding
from grapheme_torch.nn._embedding import label_keys

from .inputs import assert_differentiates, union


def _embedding(longest: int, dropout: float = 0.5) -> NGramEmbedding:
    part = NGramEmbedding(4, longest, dropout=dropout).double().eval()
    torch.nn.init.normal_(part.weight)
    return part


def _read(part: NGramEmbedding, *texts: str) -> list[Tensor]:
    """The vectors of the nodes of each text, all in one batch."""
    graphs = [text_to_graph(text) for text in texts]
    keys = torch.cat([label_keys(graph.x) for graph in graphs])
    sizes = torch.tensor([len(graph.x) for graph in graphs])
    batch = torch.arange(len(graphs)).repeat_interleave(sizes)
    return list(part(keys, batch).split(sizes.tolist()))


def _runs(text: str, place: int, longest: int) -> list[tuple[str, str]]:
    """What begins and ends at a letter, with a mark before and behind the text."""
    marked, at = f"^{text}$", place + 1
    begin = [marked[at : at + n] for n in range(2, longest + 1) if at + n <= len(marked)]
    end = [marked[at - n + 1 : at + 1] for n in range(2, longest + 1) if at - n + 1 >= 0]
    return [("begins", run) for run in begin] + [("ends", run) for run in end]


@pytest.mark.parametrize("longest", [2, 3, 6])
def test_a_vector_is_the_sum_of_those_of_its_runs(longest: int) -> None:
    """Found by solving for one vector per run, from more nodes than there are runs."""
    texts = ["".join(text) for n in range(1, 8) for text in itertools.product("ab", repeat=n)]
    found = torch.cat(_read(_embedding(longest), *texts))
    runs = [_runs(text, k, longest) for text in texts for k in range(len(text))]
    names = sorted({run for one in runs for run in one})
    counts = torch.tensor([[float(one.count(name)) for name in names] for one in runs]).double()
    vectors = torch.linalg.lstsq(counts, found, driver="gelsd").solution
    torch.testing.assert_close(counts @ vectors, found)
    assert len(found) > 2 * len(names)


def test_only_what_stands_within_reach_counts() -> None:
    part = _embedding(3)
    one, other = _read(part, "abcdef", "abcdeg")
    same = (one == other).all(1).tolist()
    assert same == [True, True, True, False, False, False]
    assert len({tuple(row) for row in torch.cat([one, other]).tolist()}) == 9


def test_graphs_of_a_batch_are_apart() -> None:
    part = _embedding(4)
    together = _read(part, "abc", "", "d", "abc")
    alone = [_read(part, text)[0] for text in ("abc", "d")]
    for found, wanted in zip(
        (together[0], together[2], together[3]), (*alone, alone[0]), strict=True
    ):
        assert torch.equal(found, wanted)
    assert _read(part, "")[0].shape == (0, 4)


def test_what_was_never_met_says_nothing() -> None:
    assert not _read(NGramEmbedding(4, 3).double(), "abc")[0].any()


@pytest.mark.repeats
def test_some_runs_are_left_out_in_training_and_the_mean_stays() -> None:
    part = _embedding(3, dropout=0.25)
    wanted = _read(part, "abc")[0]
    part.train()
    torch.manual_seed(0)
    found = torch.stack([_read(part, "abc")[0] for _ in range(4000)])
    assert len(found.unique(dim=0)) > 10
    torch.testing.assert_close(found.mean(0), wanted, rtol=0, atol=0.1)


def test_it_differentiates() -> None:
    part = NGramEmbedding(3, 3, num_buckets=4).double().eval()
    keys, batch = torch.tensor([5, 7, 5, 7, 9]), torch.tensor([0, 0, 0, 1, 1])
    assert_differentiates(part, lambda: part(keys, batch))


def test_a_network_with_ngrams_reads_its_neighbours() -> None:
    torch.manual_seed(0)
    network = GraphTransformNet(["a"], ["next"], dim=16, ngrams=3, num_layers=0).eval()
    assert network.config["ngrams"] == 3
    assert network.ngrams is not None
    graphs = [text_to_graph("abc"), text_to_graph("abd")]
    before = network.embed(union(graphs))
    assert torch.equal(before[:2], before[3:5])
    torch.nn.init.normal_(network.ngrams.weight)
    after = network.embed(union(graphs))
    assert not torch.equal(after[0], after[3])  # "abc" and "abd" begin there
    torch.testing.assert_close(after[0] - before[0], _alone(network, "abc")[0])


def _alone(network: GraphTransformNet, text: str) -> Tensor:
    graph = text_to_graph(text)
    assert network.ngrams is not None
    return network.ngrams(label_keys(graph.x), torch.zeros(len(text), dtype=torch.long))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"longest": 1}, "`longest` must be at least 2, got 1. Try 4."),
        ({"longest": 2, "num_buckets": 0}, "`num_buckets` must be at least 1, got 0. "),
    ],
)
def test_refused_sizes(options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        NGramEmbedding(8, **options)


def test_a_network_refuses_runs_of_no_node() -> None:
    with pytest.raises(InputError, match=r"^`ngrams` must be at least 1, got 0\. Try 2\."):
        GraphTransformNet(["a"], [], ngrams=0)
