"""The arguments of `train`, refused where no data would make them right."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from .._check import require
from ..loss import StructuralLoss
from ..nn import GraphTransformNet
from ._annealing import check_annealing
from ._folder import load_network
from ._initial import network_like
from ._large_pairs import MOST
from ._loss_options import make_loss
from ._monitoring import Monitoring
from ._optimization import Optimization
from ._processes import Processes
from ._run_groups import RUN_GROUPS, run_group
from ._run_plan import Given
from ._stopping import Stopping
from ._untrained import check_network

_MOST_WORKERS = 256

_PLAIN = (
    "data", "val", "out", "epochs", "batch_size", "bucket", "lr", "seed", "threads", "workers",
    "accelerator", "skip_larger", "max_nodes", "init",
)  # fmt: skip
"""In the order of train.yaml."""

_PATHS = ("data", "val", "out", "init")


def check_arguments(arguments: Mapping[str, Any]) -> tuple[Given, Monitoring]:
    """What the user says of a run, by the names of the arguments of `train`.

    Raises:
        InputError: If an argument is refused.
    """
    groups = {name: arguments[name] for name in RUN_GROUPS}
    made = {name: run_group(name, group) for name, group in groups.items()}
    loss = arguments["loss"]
    _check_numbers(arguments)
    whole = loss if isinstance(loss, StructuralLoss) else make_loss(loss or {})
    _check_together(arguments["val"], whole, made["optimization"], made["stopping"])
    network, trained = _network(arguments["network"], arguments["init"])
    plain = {name: arguments[name] for name in _PLAIN}
    paths = {name: str(plain[name]) for name in _PATHS if plain[name] is not None}
    return Given(plain | paths, loss, network, groups, trained), made["monitoring"]


def processes_of(arguments: Mapping[str, Any]) -> Processes:
    """How many processes share the work."""
    return Processes(*(arguments[name] for name in
                       ("devices", "num_nodes", "strategy", "accumulate")))  # fmt: skip


def _network(
    network: nn.Module | Mapping[str, Any] | None, init: str | Path | None
) -> tuple[nn.Module | Mapping[str, Any], GraphTransformNet | None]:
    """The network or its options, and the trained one that it starts from."""
    if isinstance(network, nn.Module):
        remedy = "Load the weights into the network instead."
        require(init is None, "`init`", "be left out with a network of your own", init, remedy)
        return network, None
    trained = None if init is None else load_network(init)
    options = (network or {}) if trained is None else network_like(trained, network or {})
    check_network(options)
    return options, trained


def _check_numbers(arguments: Mapping[str, Any]) -> None:
    epochs, size, bucket, lr, seed, workers, most = (
        arguments[name]
        for name in ("epochs", "batch_size", "bucket", "lr", "seed", "workers", "max_nodes")
    )
    fits = epochs is None or epochs >= 0
    require(fits, "`epochs`", "not be negative", epochs, "0 saves the untrained model.")
    require(size is None or size >= 1, "`batch_size`", "be at least 1", size, "Try 32.")
    fits = bucket is None or bucket >= 1
    require(fits, "`bucket`", "be at least 1", bucket, "1 draws batches at random.")
    fits = lr is None or 0 < lr <= 1e30
    require(fits, "`lr`", "be positive and at most 1e30", lr, "Try 0.003.")
    require(0 <= seed < 2**63, "`seed`", "be from 0 to 2**63 - 1", seed, "Any will do: try 0.")
    require(most >= 1, "`max_nodes`", "be at least 1", most, f"Try {MOST}.")
    remedy = "0 reads the pairs of a batch when it is their turn."
    require(
        0 <= workers <= _MOST_WORKERS, "`workers`", f"be from 0 to {_MOST_WORKERS}", workers, remedy
    )


def _check_together(
    val: str | Path | None, loss: StructuralLoss, optimization: Optimization, stopping: Stopping
) -> None:
    """Refuses options that need one another."""
    patience = stopping.patience
    remedy = "Give validation pairs with --val."
    fits = patience is None or val is not None
    require(fits, "`patience`", "be left out without validation pairs", patience, remedy)
    check_annealing(loss, optimization)
