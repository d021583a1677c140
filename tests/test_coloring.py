"""The Coloring benchmark: its pictures, its peer loss, and that both losses know a right answer."""

from dataclasses import replace

import networkx as nx
import pytest
import torch
from _coloring.data import LEAST, MOST, SIDE, SMALLEST, Pictures, draw
from _coloring.evaluate import decoded, graphs, score
from _coloring.gromov import by_assignment, by_network_simplex
from _coloring.network import SLOTS, Network, Outputs
from _coloring.ours import LOSS, _joint, prediction, structural
from _coloring.pmfgw import DIAGONAL, plan_of, pmfgw
from scipy.ndimage import label
from torch import Tensor
from torch.nn.functional import one_hot, softplus

from grapheme_torch import Given, StructuralLoss


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return draw((7,), 24)


def test_pictures_follow_from_their_seed(pictures: Pictures) -> None:
    again, other = draw((7,), 24), draw((8,), 24)
    assert torch.equal(again.image, pictures.image)
    assert torch.equal(again.adjacency, pictures.adjacency)
    assert not torch.equal(other.image, pictures.image)


def test_a_pixel_scan_finds_the_same_graph(pictures: Pictures) -> None:
    for k in range(24):
        region = pictures.region[k].tolist()
        found = set()
        for row in range(SIDE):
            for column in range(SIDE):
                for down, right in ((1, 0), (0, 1)):
                    if row + down < SIDE and column + right < SIDE:
                        pair = region[row][column], region[row + down][column + right]
                        if pair[0] != pair[1]:
                            found |= {pair, pair[::-1]}
        assert set(map(tuple, pictures.adjacency[k].nonzero().tolist())) == found


def test_regions_are_whole_and_their_graph_planar_and_coloured(pictures: Pictures) -> None:
    assert set(pictures.size.tolist()) <= set(range(LEAST, MOST + 1))
    for k, size in enumerate(pictures.size.tolist()):
        region, colour = pictures.region[k], pictures.colour[k]
        assert region.unique().tolist() == list(range(size))
        for number in range(size):
            assert int((region == number).sum()) >= SMALLEST
            assert label((region == number).numpy())[1] == 1
        graph = nx.from_numpy_array(pictures.adjacency[k].numpy())
        assert nx.check_planarity(graph)[0]
        assert all(colour[u] != colour[v] for u, v in graph.edges)


def test_a_pixel_has_the_colour_of_its_region(pictures: Pictures) -> None:
    pure = torch.stack([pictures.image[0, :, pictures.region[0] == k].mean(1) for k in (0, 1)])
    one, other = pictures.colour[0, :2]
    same = (pure[0] - pure[1]).abs().max() < 0.1
    assert bool(one == other) == bool(same)


def test_the_ragged_graphs_are_the_padded_ones(pictures: Pictures) -> None:
    target = pictures.target()
    exists, colour, adjacency = pictures.padded(SLOTS)
    assert torch.equal(exists.sum(1).long(), pictures.size)
    assert torch.equal(target.y, colour[exists > 0])
    dense = torch.zeros(24, SLOTS, SLOTS)
    first = pictures.size.cumsum(0) - pictures.size
    source, sink = target.edge_index
    graph = target.batch[source]
    assert torch.equal(graph, target.batch[sink])
    dense[graph, source - first[graph], sink - first[graph]] = 1
    assert torch.equal(dense + dense.mT, adjacency)


def test_edges_of_the_network_have_no_direction(pictures: Pictures) -> None:
    torch.manual_seed(0)
    outputs = Network()(pictures.image)
    torch.testing.assert_close(outputs.edge, outputs.edge.mT)


def test_the_peer_loss_has_its_gradient_at_a_given_plan() -> None:
    few = draw((9,), 2)
    outputs = _random(2)
    plan = plan_of(outputs, few, by_assignment)
    assert torch.autograd.gradcheck(lambda *x: pmfgw(Outputs(*x), few, plan), tuple(outputs))
    value, again = pmfgw(outputs, few), pmfgw(outputs, few, plan)
    torch.testing.assert_close(value, again)


def test_the_peer_solver_descends_and_keeps_its_margins(pictures: Pictures) -> None:
    outputs = _random(24)
    uniform = torch.full((24, SLOTS, SLOTS), SLOTS**-2.0, dtype=torch.float64)
    for corner in (by_assignment, by_network_simplex):
        plan = plan_of(outputs, pictures, corner)
        for margin in (plan.sum(1), plan.sum(2)):
            torch.testing.assert_close(margin, torch.full_like(margin, 1 / SLOTS))
        assert pmfgw(outputs, pictures, plan) < pmfgw(outputs, pictures, uniform)


def test_the_right_answer_is_least_whatever_slot_is_which(pictures: Pictures) -> None:
    right, plan = _right(pictures)
    floor = (softplus(torch.tensor(DIAGONAL)) / pictures.size).mean().double()
    torch.testing.assert_close(pmfgw(right, pictures, plan / SLOTS), floor)
    padded = torch.zeros(24, SLOTS + 1, MOST + 1, dtype=torch.float64)
    padded[:, :-1, :-1] = plan[:, :, :MOST] * pictures.padded(MOST)[0][:, None]
    padded[:, :-1, -1] = 1 - padded[:, :-1, :-1].sum(2)
    padded = padded[:, :, [*range(int(pictures.size.max())), MOST]]
    ours = LOSS(prediction(right), pictures.target(), alignment=Given(padded))
    assert ours.total.max().item() < 1e-12
    for wrong in _wrong(right):
        assert pmfgw(wrong, pictures) > floor + 0.1
        assert structural(wrong, pictures) > 0.1


def test_both_losses_find_most_right_answers(pictures: Pictures) -> None:
    """Not all: where regions look alike, either alignment may settle on another."""
    right, _ = _right(pictures)
    edits = StructuralLoss(
        beta=LOSS.beta,
        gamma=0,
        directed=False,
        criterion="edit",
        reduction="none",
        alignment=replace(LOSS.alignment, gradient="exact"),
    )(prediction(right), pictures.target())
    assert (edits.edge < 0.1).double().mean() > 0.7
    plan = plan_of(right, pictures, by_assignment)
    assert (plan.amax(2) > 0.99 / SLOTS).double().mean() > 0.7
    assert (
        pmfgw(right, pictures).item()
        < 10 * (softplus(torch.tensor(DIAGONAL)) / pictures.size).mean()
    )


def test_decoded_right_answers_are_exact(pictures: Pictures) -> None:
    right, _ = _right(pictures)
    wanted = graphs(pictures)
    assert score(decoded(right), wanted) == {"edit_distance": 0, "exact": 1, "right_size": 1}
    edge = right.edge.clone()
    slots = right.existence[0].argsort(descending=True)[:2]
    edge[0, slots[0], slots[1]] *= -1
    edge[0, slots[1], slots[0]] *= -1
    found = score(decoded(right._replace(edge=edge)), wanted)
    assert found["edit_distance"] == pytest.approx(1 / 24)


def test_an_edge_needs_both_its_ends() -> None:
    existence = torch.tensor([[0.0, 1.0, -300.0, 300.0]], requires_grad=True)
    edge = torch.tensor([0.5, -300.0, 300.0, 0.0]).expand(1, 4, 4).clone().requires_grad_()
    present, absent = _joint(existence, edge)
    h = existence.sigmoid()
    torch.testing.assert_close(present.exp(), edge.sigmoid() * h[:, :, None] * h[:, None])
    torch.testing.assert_close(present.exp() + absent.exp(), torch.ones(1, 4, 4))
    (present + absent).sum().backward()
    assert edge.grad is not None
    assert edge.grad.isfinite().all()


def _random(size: int) -> Outputs:
    draw = torch.Generator().manual_seed(0)
    shapes = ((), (4,), (SLOTS,), (4,))
    drawn = (
        torch.randn(size, SLOTS, *shape, generator=draw, dtype=torch.float64) for shape in shapes
    )
    return Outputs(*(x.requires_grad_() for x in _symmetric(Outputs(*drawn))))


def _symmetric(outputs: Outputs) -> Outputs:
    return outputs._replace(edge=(outputs.edge + outputs.edge.mT) / 2)


def _right(pictures: Pictures) -> tuple[Outputs, Tensor]:
    """The answer that is sure and right, its slots shuffled; and which slot is which region."""
    exists, colour, adjacency = pictures.padded(SLOTS)
    order = torch.rand(len(exists), SLOTS, generator=torch.Generator().manual_seed(0)).argsort(1)
    plan = one_hot(order, SLOTS).double()
    colours = one_hot(colour, 4).double() * exists[..., None]
    sure = (80 * x.double() - 40 for x in (plan @ exists.double()[..., None], plan @ colours))
    existence, label = sure
    edge = 80 * (plan @ adjacency.double() @ plan.mT) - 40
    return Outputs(existence[..., 0], label, edge, plan @ (adjacency.double() @ colours)), plan


def _wrong(right: Outputs) -> list[Outputs]:
    return [
        right._replace(existence=-right.existence),
        right._replace(label=right.label.roll(1, 2)),
        right._replace(edge=-right.edge),
    ]
