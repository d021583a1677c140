"""The network and its loss as Lightning sees them."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch_geometric.data import Batch

from .._check import Received, refusal
from ..loss import StructuralLoss, StructuralLossResult
from ..nn import GraphTransformNet

PairBatch = tuple[Batch, Batch]


@dataclass(frozen=True)
class Terms:
    """Means of the loss and its terms over the pairs of a data set.

    Args:
        total, node, edge, clique: See `StructuralLossResult`.
        converged: Share of pairs whose alignment met the tolerance.
    """

    total: float
    node: float
    edge: float
    clique: float
    converged: float


class TrainingModule(pl.LightningModule):
    """Trains a network with a structural loss by Adam; use it with any Lightning `Trainer`.

    Args:
        network: Maps a batch of graphs to a `Prediction`.
        loss: Compares the prediction with a batch of encoded targets.
        lr: Learning rate of Adam.
        weight_decay: Of AdamW, for the weights that are matrices; 0 is Adam.

    `step_loss`, an attribute, is what the next step goes by: the loss, but for what is annealed.
    """

    def __init__(
        self,
        network: GraphTransformNet,
        loss: StructuralLoss,
        *,
        lr: float,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.lr, self.weight_decay = network, loss, lr, weight_decay
        self.step_loss = copy.copy(loss)

    def training_step(self, batch: Sequence[Batch], batch_idx: int) -> Tensor:
        """The mean loss of a batch of `(inputs, targets)`."""
        del batch_idx  # part of Lightning's interface
        inputs, targets = batch
        prediction = self.network(inputs)
        total: Tensor = self.step_loss(prediction, targets).total
        self.log("loss", total, prog_bar=True, batch_size=targets.num_graphs)
        return total

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Stops before a gradient that is not finite reaches the weights."""
        del optimizer  # part of Lightning's interface
        slopes = [p.grad for p in self.network.parameters() if p.grad is not None]
        if get_total_norm(slopes).isfinite():
            return
        for name, parameter in self.network.named_parameters():
            if parameter.grad is not None and not parameter.grad.isfinite().all():
                where = f"the gradient of `{name}` in epoch {self.current_epoch + 1}"
                remedy = "The weights are as before this step; train again at a lower --lr."
                raise refusal(where, "be finite", Received("NaN or infinity"), remedy)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam at a constant learning rate, or AdamW if weights decay; all tensors in one step."""
        parameters = list(self.network.parameters())
        if not self.weight_decay:
            return torch.optim.Adam(parameters, lr=self.lr, fused=True)
        # Biases and norms have no reason to be near zero.
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.lr, fused=True)


@torch.no_grad()
def measure(
    network: GraphTransformNet,
    loss: StructuralLoss,
    batches: Iterable[PairBatch],
    watch: Callable[[StructuralLossResult], None] | None = None,
) -> Terms:
    """The loss and its terms over a data set, each pair weighing the same; NaN if there is none.

    `watch` is called with what the loss says of each batch. Noise of the loss is drawn alike at
    every call, and the generator of a training that goes on is left as it was.
    """
    training = network.training
    network.eval()
    sums, count = torch.zeros(5, dtype=torch.float64), 0
    device = next(network.parameters()).device
    with _same_noise() if loss.tie_noise else nullcontext():
        for inputs, targets in batches:
            inputs, targets = inputs.to(device), targets.to(device)
            result = loss(network(inputs), targets)
            if watch is not None:
                watch(result)
            means = (result.total, result.node, result.edge, result.clique)
            shares = [term.mean().item() for term in means]
            shares.append(result.converged.double().mean().item())
            sums += torch.tensor(shares, dtype=torch.float64) * targets.num_graphs
            count += targets.num_graphs
    network.train(training)
    return Terms(*(sums / count if count else sums * torch.nan).tolist())


@contextmanager
def _same_noise() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
