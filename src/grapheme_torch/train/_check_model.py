"""The finite-difference check of a saved model on a data set."""

from collections.abc import Callable
from typing import Any, Literal

from .._check import Received, notice, refusal, require
from ..data import Alphabet, load_pairs
from ..gradients import GradientReport, check_gradients
from ..loss import Sinkhorn, StructuralLoss
from ._annealing import with_solver
from ._data import batches
from ._edge_direction import with_direction
from ._folder import load_network, saved_loss
from ._hardware import set_threads
from ._predict import room_of
from ._saved_data import saved_data


def check_saved_model(
    model: str,
    *,
    data: str | None = None,
    pairs: int = 10,
    bound: float = 1e-6,
    entries: int = 4,
    seed: int = 0,
    threads: int = 1,
    criterion: Literal["likelihood", "edit"] | None = None,
    rounds: int | None = None,
    max_iterations: int | None = None,
    gradient: Literal["exact", "unrolled", "detach"] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> GradientReport:
    """Compares the gradient of every parameter tensor of a saved model with central differences.

    Args:
        model: Folder that `grapheme train` wrote.
        data: Data set to take the loss on. Default: what the model was trained on, or
            kindergarten where its folder does not tell.
        pairs: Number of pairs of it to use, from the start.
        bound: Largest relative error accepted.
        entries: Entries compared in each tensor, beside one direction through all of them.
        seed: Of the choice of entries.
        threads: Processor threads; one is fastest for small graphs.
        criterion: Criterion of the loss. Default: that of the run; so for the following.
        rounds: Edge-aware rounds.
        max_iterations: Bound on Sinkhorn sweeps plus Newton steps.
        gradient: How the alignment differentiates. Default: that of the run; "exact", of settled
            plans, for one that learned by a constant plan, which is no derivative of the loss.
        progress: Called with the number of tensors done and their total.

    Raises:
        InputError: If the folder holds no model, or the data no pair that the model can be
            trained on. Also if none are named, and those of the run are not where they were.
    """
    remedy = "The check of ten pairs is a good start."
    require(pairs >= 1, "`pairs`", "be at least 1", pairs, remedy)
    set_threads(threads)
    network = load_network(model)
    loss = saved_loss(model, criterion=criterion)
    asked = {"rounds": rounds, "max_iterations": max_iterations, "gradient": gradient}
    changes: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if gradient is None:
        changes |= _for_a_derivative(loss)
    if changes:
        loss = with_solver(loss, **changes)
    data = saved_data(model, "data") if data is None else data
    alphabet = Alphabet(network.labels, network.relations)
    usable = [
        pair
        for pair in with_direction(load_pairs(data), network.directed)
        if room_of(network).fits(pair) and alphabet.covers(pair.target)
    ]
    if not usable:
        remedy = "Use the data the model was trained on."
        cause = Received("labels the model does not know, or targets too large")
        raise refusal(f"{data}: the targets", "be ones the model can give", cause, remedy)
    chosen = usable[:pairs]
    inputs, targets = next(iter(batches(chosen, alphabet, len(chosen))))
    return check_gradients(
        network, loss, inputs, targets, bound=bound, entries=entries, seed=seed, progress=progress
    )


def _for_a_derivative(loss: StructuralLoss) -> dict[str, Any]:
    """The settings by which a run by a constant plan has a derivative; none for others."""
    solver = loss.spec.solver
    if solver is None or solver.gradient != "detach":
        return {}
    notice(
        "The run learned by a constant plan (--alignment.gradient detach), which is no derivative "
        "of the loss. Checked is the exact gradient, of settled plans; --gradient detach checks "
        "the other."
    )
    # A plan that stops early jumps where it stops a sweep sooner, by about its tolerance.
    return {"gradient": "exact", "tolerance": Sinkhorn().tolerance}
