"""The charge for edges of nodes that match nothing, taken back."""

from dataclasses import replace

import pytest
import torch
from torch_geometric.data import Batch, Data

import grapheme_torch as gt
from grapheme_torch.loss import loss_shares

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


def loss_of(price: float = 0, **options: object) -> gt.StructuralLoss:
    prices, hints = gt.Prices(unmatched_edges=price), gt.Hints(position=0)
    return gt.StructuralLoss(gamma=0, prices=prices, hints=hints, **options)


def given(*matches: tuple[int, int]) -> gt.Given:
    """Slots and the target nodes of PATH that they match, 2 for none."""
    plan = torch.zeros(1, 4, 3).double()
    for slot, node in matches:
        plan[0, slot, node] = 1
    return gt.Given(plan)


@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_under_a_certain_plan_edges_count_between_matched_nodes_only(criterion: str):
    said = prediction()
    result = loss_of(criterion=criterion)(said, PATH, alignment=given((0, 1), (2, 0), (1, 2)))
    absent = said.relation.log_softmax(1)[:, 0]
    pair = int(((torch.tensor([[0], [2]]) == EDGES).all(0)).nonzero())
    charge = -absent[pair] if criterion == "likelihood" else 1 - absent[pair].exp()
    # The target edge leads from node 0 to 1, which are the slots 2 and 0: against the candidate.
    assert result.edge.item() == pytest.approx(charge.item() + 1)
    assert result.total.item() == pytest.approx((result.node + 0.5 * result.edge).item())


def test_the_price_is_a_share_of_the_charge():
    said, way = prediction(), given((0, 0), (2, 1), (1, 2))
    none, half, whole = (loss_of(price)(said, PATH, alignment=way).edge for price in (0, 0.5, 1))
    assert none < half < whole
    torch.testing.assert_close(half, (none + whole) / 2)


def test_all_is_charged_where_all_nodes_match():
    said = prediction().select(0)
    target = Data(y=torch.tensor([0, 1, 1]), edge_index=EDGES[:, :2], num_nodes=3)
    charged, plain = loss_of()(said, target).edge, loss_of(1)(said, target).edge
    torch.testing.assert_close(charged, plain)


def test_a_node_that_matches_nothing_may_be_certain_of_an_edge():
    said = prediction()
    said.relation[0] = torch.tensor([-torch.inf, 0.0])
    result = loss_of()(said, PATH, alignment=given((0, 2), (1, 0), (2, 1)))
    assert torch.isfinite(result.total)


@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_shares_of_candidates_add_up_to_the_edge_term(criterion: str):
    said, loss = prediction(), loss_of(0.25, criterion=criterion)
    result = loss(said, PATH)
    shares = loss_shares(loss, said, PATH, result.plan[0])
    charged = shares.candidates.sum() + shares.edges.sum()
    torch.testing.assert_close(charged, 0.5 * result.edge)


def test_a_factor_above_one_and_matches_without_matrices_are_refused():
    with pytest.raises(gt.InputError, match=r"`unmatched_edges` must be at most 1, got 1.5"):
        gt.Prices(unmatched_edges=1.5)
    with pytest.raises(gt.InputError, match=r"`unmatched_edges` must be 1 with matches=Window"):
        loss_of(matches=gt.Window(3))


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
