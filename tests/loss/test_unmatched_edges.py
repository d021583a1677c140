"""The charge for edges of nodes that match nothing, taken back."""

from dataclasses import replace

import pytest
import torch
from torch_geometric.data import Batch, Data

import grapheme_torch as gt

PATH = Data(y=torch.tensor([0, 1]), edge_index=torch.tensor([[0], [1]]), num_nodes=2)
ONE = Data(y=torch.tensor([1]), edge_index=torch.zeros(2, 0, dtype=torch.long), num_nodes=1)
EDGES = torch.combinations(torch.arange(3)).T


def prediction(graphs: int = 1) -> gt.Prediction:
    """Three output nodes a graph, each pair of them a candidate."""
    torch.manual_seed(0)
    n = 3 * graphs
    return gt.Prediction(
        torch.randn(n).double(),
        torch.randn(n, 2).double(),
        torch.cat([EDGES + 3 * k for k in range(graphs)], 1),
        torch.randn(n, 2).double(),
        torch.arange(graphs).repeat_interleave(3),
        graphs,
    )


def loss_of(**options: object) -> gt.StructuralLoss:
    terms = {"unmatched": (0.5, gt.UnmatchedEdges())}
    return gt.StructuralLoss(gamma=0, terms=terms, hints=gt.Hints(position=0), **options)


def test_under_a_certain_plan_edges_count_between_matched_nodes_only():
    said = prediction()
    plan = torch.zeros(1, 4, 3).double()
    plan[0, 0, 1] = plan[0, 2, 0] = plan[0, 1, 2] = 1  # the middle node is deleted
    result = loss_of()(said, PATH, alignment=gt.Given(plan))
    log_q = said.relation.log_softmax(1)
    pair = int(((torch.tensor([[0], [2]]) == EDGES).all(0)).nonzero())
    rest = [k for k in range(3) if k != pair]
    assert result.terms["unmatched"].item() == pytest.approx(log_q[rest, 0].sum().item())
    # The target edge leads from node 0 to 1, which are the slots 2 and 0: against the candidate.
    charged = result.edge.item() + result.terms["unmatched"].item()
    assert charged == pytest.approx(-log_q[pair, 0].item() + 1)


def test_nothing_is_taken_back_where_all_nodes_match():
    said = prediction().select(0)
    target = Data(y=torch.tensor([0, 1, 1]), edge_index=EDGES[:, :2], num_nodes=3)
    result = loss_of()(said, target)
    assert result.terms["unmatched"].item() == pytest.approx(0, abs=1e-9)


def test_a_node_that_matches_nothing_may_be_certain_of_an_edge():
    said = prediction()
    relation = said.relation.clone()
    relation[0] = torch.tensor([-torch.inf, 0.0])
    plan = torch.zeros(1, 4, 3).double()
    plan[0, 0, 2] = plan[0, 1, 0] = plan[0, 2, 1] = 1
    term = gt.UnmatchedEdges()
    result = gt.StructuralLoss(gamma=0, terms={"unmatched": (0.5, term)})(
        said, PATH, alignment=gt.Given(plan)
    )
    assert torch.isfinite(result.terms["unmatched"]).all()


@pytest.mark.parametrize("gradient", ["exact", "implicit"])
def test_the_gradient_is_that_of_finite_differences(gradient: str):
    loss, said = loss_of(alignment=gt.Sinkhorn(gradient=gradient)), prediction(2)
    target = Batch.from_data_list([PATH, ONE])
    names = ("existence", "label", "relation")
    inputs = [getattr(said, name).clone().requires_grad_() for name in names]

    def total(*values: torch.Tensor) -> torch.Tensor:
        return loss(replace(said, **dict(zip(names, values, strict=True))), target).total

    assert torch.autograd.gradcheck(total, inputs, eps=1e-6, atol=1e-7)


def test_batches_are_the_mean_of_their_pairs():
    said, loss = prediction(2), loss_of()
    together = loss(said, Batch.from_data_list([PATH, ONE])).total.item()
    alone = [loss(said.select(k), target).total.item() for k, target in enumerate((PATH, ONE))]
    assert together == pytest.approx(sum(alone) / 2)
