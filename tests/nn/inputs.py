"""Small input graphs, and what it means for a network to treat a graph for itself."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch_geometric.data import Batch, Data

from grapheme_torch.graphs import make_graph

TEXTS = ["", "a", "blue", "🇩🇪 é!"]


def random_graph(seed: int, n: int) -> Data:
    """Letters joined at random, cycles and loops included, without positions."""
    rng = torch.Generator().manual_seed(seed)
    label = [chr(97 + int(k)) for k in torch.randint(26, (n,), generator=rng)]
    joined = (torch.rand(n, n, generator=rng) < 0.4).nonzero().tolist()
    return make_graph(label, [(u, v, "xyz"[(u + v) % 3]) for u, v in joined])


def permuted(graph: Data, order: Tensor) -> Data:
    """The same graph with node `order[k]` at place `k`, and its edges turned round."""
    return Data(
        x=graph.x[order],
        edge_index=order.argsort()[graph.edge_index].flip(1),
        edge_attr=graph.edge_attr.flip(0),
        **({"position": graph.position[order]} if "position" in graph else {}),
    )


def union(graphs: list[Data]) -> Batch:
    """The disjoint union, with only the tensors a network reads."""
    names = ("x", "edge_index", "edge_attr", "position")
    bare = [Data(**{k: graph[k] for k in names if k in graph}) for graph in graphs]
    for one, graph in zip(bare, graphs, strict=True):
        one.num_nodes = graph.num_nodes
    return Batch.from_data_list(bare)


def assert_differentiates(part: nn.Module, call: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Finite differences agree in every input and in every parameter of `part`, all float64."""
    names, values = zip(*part.named_parameters(), strict=True)
    count = len(inputs)

    def function(*arguments: Tensor) -> Tensor:
        weights = dict(zip(names, arguments[count:], strict=True))
        return torch.func.functional_call(_Call(part, call), _prefixed(weights), arguments[:count])

    leaves = [value.detach().clone().requires_grad_() for value in (*inputs, *values)]
    assert gradcheck(function, leaves, eps=1e-6, atol=1e-8, rtol=1e-6)
    slopes = torch.autograd.grad(_spread(function(*leaves)), leaves[count:])
    for name, slope in zip(names, slopes, strict=True):
        assert slope.abs().max() > 1e-8, name


class _Call(nn.Module):
    """A part with the call that is to be differentiated."""

    def __init__(self, part: nn.Module, call: Callable[..., Tensor]) -> None:
        super().__init__()
        self.part, self.call = part, call

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.call(*inputs)


def _prefixed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"part.{name}": value for name, value in weights.items()}


def _spread(value: Tensor) -> Tensor:
    return (value * torch.linspace(0.5, 1.5, value.numel()).to(value).view(value.shape)).sum()
