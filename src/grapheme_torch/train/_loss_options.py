"""A loss as options of a run, and back: what train.yaml and the command line say of it."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from .._check import Received, refusal, require
from ..loss import Classes, Dense, EdgeCost, Hints, Learned, Prices, Sinkhorn, StructuralLoss
from ._matcher_options import Matching, Sizes, learned, matching_of

LOSS_GROUPS: dict[str, type] = {"alignment": Sinkhorn, "hints": Hints, "prices": Prices}
"""Settings of a loss that are groups of options."""
MATCHER = "matcher"
LEARNT_GROUPS: dict[str, type] = {MATCHER: Matching}
"""Groups of options for a loss that is trained; of alignments by learnt scores."""
LOSS_OPTIONS = ("alpha", "beta", "gamma", "criterion", "directed")
"""Settings of a loss that are one option each. The mean of labelled pairs is given."""
MODULES = "loss_modules"
"""Key of train.yaml for what no option can say of a loss."""

MOST_STEPS = 10**6
"""Sweeps and Newton steps of one pair, rounds and restarts counted; the default has 200."""


def loss_options(loss: StructuralLoss, sizes: Sizes | None = None) -> dict[str, Any]:
    """The options that make this loss again; what they cannot say is named under `MODULES`.

    Args:
        loss: The loss.
        sizes: Those of the network that it is trained with, if they are known.
    """
    options = {name: getattr(loss, name) for name in LOSS_OPTIONS}
    groups = {name: getattr(loss, name) for name in LOSS_GROUPS}
    own = _own(loss)
    if isinstance(loss.alignment, Learned):
        matching = matching_of(loss.alignment, sizes)
        if matching is not None:
            groups["alignment"] = loss.alignment.solver
            options[MATCHER] = asdict(matching)
            del own["alignment"]
    for name, group in groups.items():
        if isinstance(group, LOSS_GROUPS[name]):
            settings: Any = group
            options[name] = asdict(settings)
    return options | ({MODULES: own} if own else {})


def _own(loss: StructuralLoss) -> dict[str, str]:
    """What is not made of options, with its class."""
    usual = {
        "node_cost": Classes, "edge_cost": EdgeCost, "matches": Dense, "alignment": Sinkhorn,
    }  # fmt: skip
    own = {}
    for name, kind in usual.items():
        value = getattr(loss, name)
        same = isinstance(value, kind) if name == "alignment" else type(value) is kind
        if not same:
            own[name] = type(value).__name__
    return own | ({"terms": ", ".join(loss.terms)} if loss.terms else {})


def make_loss(
    options: Mapping[str, Any], sizes: Sizes | None = None, **changes: Any
) -> StructuralLoss:
    """The loss of options of a run; others in the mapping are left aside.

    Args:
        options: Options by name, those of a group as a mapping.
        sizes: Those of the network that it is trained with. None: what learns with it has no
            weights yet.
        changes: Arguments of `StructuralLoss` to use instead.

    Raises:
        InputError: If a value is out of range, a group has no such option, or `changes` lacks what
            no option can say.
    """
    for name, kind in (options.get(MODULES) or {}).items():
        if name not in changes:
            remedy = f"Give it anew, such as saved_loss(folder, {name}=...)."
            raise refusal(f"`{name}`", "be given", Received(f"nothing for {kind}"), remedy)
    settings = {name: options[name] for name in LOSS_OPTIONS if name in options}
    for name, group in LOSS_GROUPS.items():
        if name in options and name not in changes:
            settings[name] = group(**_known(name, group, options[name]))
    if MATCHER in options and "alignment" not in changes:
        matching = Matching(**_known(MATCHER, Matching, options[MATCHER]))
        settings["alignment"] = learned(matching, settings.get("alignment", Sinkhorn()), sizes)
    return StructuralLoss(**{**settings, **changes})


def check_bounded(loss: StructuralLoss) -> StructuralLoss:
    """The loss, unless the options of a stranger's run make one alignment take for ever.

    Raises:
        InputError: If it may take more than `MOST_STEPS` steps.
    """
    solver = loss.spec.solver
    if solver is not None:
        steps = (solver.rounds + 1) * solver.max_iterations * loss.hints.restarts
        got = Received(f"up to {steps}")
        remedy = "Lower `rounds`, `max_iterations` or `restarts`."
        wanted = f"take at most {MOST_STEPS} steps"
        require(steps <= MOST_STEPS, "the alignment of a pair", wanted, got, remedy)
    return loss


def _known(name: str, group: Any, options: Any) -> Mapping[str, Any]:
    """The options of a group, if all of them are options it has."""
    mapping = isinstance(options, Mapping)
    require(mapping, f"`{name}`", "hold options by name", options, "Remove or restore it.")
    known = [field.name for field in fields(group)]
    unknown = Received(", ".join(str(each) for each in options if each not in known))
    only = f"hold only the options {', '.join(known)}"
    require(not unknown, f"`{name}`", only, unknown, "Remove or restore it.")
    return options
