"""What a run is made of: the options that were given, and those that its data choose."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from ..data import OutputRoom
from ..loss import StructuralLoss
from ..nn import GraphTransformNet, grouped
from ._annealing import check_annealing
from ._datamodule import PairsDataModule
from ._folder import network_options
from ._initial import defaults_of_network, take_over
from ._loss_options import LOSS_GROUPS, LOSS_OPTIONS, loss_options, make_loss
from ._matcher_options import Sizes, sizes_of
from ._module import TrainingModule
from ._predict import alphabet_of, room_of
from ._processes import Processes
from ._run_groups import RUN_GROUPS, run_group
from ._untrained import pairs_asked, room_asked, standardise, untrained_network
from .choice import Asked, Choices, Facts, choose, flat, nested

ROOM = ("slots.per_node", "queries.number")
"""Options of a network that say how many output nodes there are; without any, the data do."""
OPEN = ("epochs", "batch_size", "bucket", "lr", "skip_larger")
"""Arguments of `train` that the data choose where they are None."""


@dataclass(frozen=True)
class Given:
    """What the user says of a run.

    Args:
        plain: Options that are in no group; None where one of `OPEN` is left open.
        loss: The loss, or some options of it.
        network: The network, or some options of it.
        groups: Those of `RUN_GROUPS` by name: all options of one, some, or None.
        trained: The network to start from.
    """

    plain: Mapping[str, Any]
    loss: StructuralLoss | Mapping[str, Any] | None
    network: nn.Module | Mapping[str, Any]
    groups: Mapping[str, Any]
    trained: GraphTransformNet | None = None

    @property
    def asked(self) -> Asked:
        """Every option that is set, by its full name."""
        asked = {name: value for name, value in self.plain.items() if value is not None}
        if isinstance(self.loss, StructuralLoss):
            usual = {name: asdict(kind()) for name, kind in LOSS_GROUPS.items()}
            asked |= flat(usual | loss_options(self.loss))
        else:
            asked |= flat(self.loss or {})
        network: Mapping[str, Any]
        if isinstance(self.network, nn.Module):
            room = room_of(self.network)
            network = defaults_of_network() | {
                "slots": {"per_node": room.per_node}, "queries": {"number": room.queries},
            }  # fmt: skip
        else:
            network = self.network
        given = {name: group for name, group in self.groups.items() if group is not None}
        return asked | flat({"network": network, **given})


@dataclass(frozen=True)
class Plan:
    """A run that can begin.

    Args:
        module, pairs: What is trained, and on what.
        groups: Those of `RUN_GROUPS`, complete.
        plain: Options that are in no group, complete.
        choices: What was chosen by the facts.
        facts: What the data are like.
    """

    module: TrainingModule
    pairs: PairsDataModule
    groups: dict[str, Any]
    plain: dict[str, Any]
    choices: Choices
    facts: Facts

    @property
    def sizes(self) -> Sizes:
        """What a matcher of the loss goes by."""
        return _sizes(self.pairs, self.module.network)

    def options(self, processes: Processes) -> dict[str, Any]:
        """All options, as train.yaml holds them."""
        return {
            **self.plain, **asdict(processes), **loss_options(self.module.loss, self.sizes),
            "network": network_options(self.module.network),
            **{name: asdict(group) for name, group in self.groups.items()},
        }  # fmt: skip


def make_plan(given: Given) -> Plan:
    """Reads and checks the data, chooses what is open, and makes the network.

    The random numbers begin here.

    Raises:
        InputError: If a pair or an option is refused.
    """
    torch.manual_seed(given.plain["seed"])
    pairs = _pairs(given)
    facts = pairs.split.facts
    choices = choose(facts, given.asked)
    chosen = nested({name: choice.value for name, choice in choices.items()})
    plain = {**given.plain, **{name: chosen[name] for name in OPEN if name in chosen}}
    groups = {
        name: run_group(name, given.groups.get(name), chosen.get(name)) for name in RUN_GROUPS
    }
    model: nn.Module
    if isinstance(given.network, nn.Module):
        model = given.network
        pairs.settle(room_of(model), plain["batch_size"], plain["bucket"])
        if isinstance(model, GraphTransformNet):
            standardise(model, pairs.split)
    else:
        options = _merged(given.network, chosen.get("network", {}))
        pairs.settle(room_asked(grouped(options)), plain["batch_size"], plain["bucket"])
        model = untrained_network(pairs, **options)
    loss = _loss(given.loss, chosen, _sizes(pairs, model))
    check_annealing(loss, groups["optimization"])
    loss = loss if loss.directed is pairs.directed else loss.replace(directed=pairs.directed)
    if given.trained is not None and isinstance(model, GraphTransformNet):
        take_over(given.trained, model, str(plain["init"]))
    module = TrainingModule(
        model, loss, lr=plain["lr"], optimization=groups["optimization"], alphabet=pairs.alphabet
    )
    return Plan(module, pairs, groups, plain, choices, facts)


def _pairs(given: Given) -> PairsDataModule:
    """The pairs, as far as they can be read before anything is chosen."""
    plain = given.plain
    names = "seed", "workers", "max_nodes"
    chosen: dict[str, Any] = {name: plain[name] for name in names}
    chosen |= {"recombination": run_group("recombination", given.groups.get("recombination"))}
    skip = bool(plain["skip_larger"])
    return PairsDataModule(
        plain["data"], plain["val"], skip_larger=skip, **chosen, **_reading(given)
    )


def _reading(given: Given) -> dict[str, Any]:
    """How the data are to be read for a network and a loss: arguments of `PairsDataModule`."""
    network, loss = given.network, given.loss
    if isinstance(network, nn.Module):
        candidates = getattr(network, "candidates", "all")
        directed = getattr(network, "directed", None)
        alphabet = alphabet_of(network) if hasattr(network, "labels") else None
        own: dict[str, Any] = {"alphabet": alphabet}
        room: OutputRoom | None = room_of(network)
    else:
        asked, options = flat(network), grouped(network)
        is_open = "candidates.pairs" not in asked  # then "forward" only if it does
        room = room_asked(options) if asked.keys() & {*ROOM} else None
        queried = room is not None and room.queries
        candidates = "all" if is_open or queried else pairs_asked(options)
        directed, own = options.get("directed"), {}
    own |= {"slots": room and room.per_node, "queries": room.queries if room else 0}
    said = loss.directed if isinstance(loss, StructuralLoss) else (loss or {}).get("directed")
    return {**own, "directed": directed if said is None else said,
            "acyclic": candidates == "forward"}  # fmt: skip


def _sizes(pairs: PairsDataModule, network: nn.Module) -> Sizes:
    return sizes_of(pairs.alphabet.labels, pairs.alphabet.relations, network)


def _loss(
    given: StructuralLoss | Mapping[str, Any] | None, chosen: Mapping[str, Any], sizes: Sizes
) -> StructuralLoss:
    if isinstance(given, StructuralLoss):
        return given
    names = (*LOSS_OPTIONS, *LOSS_GROUPS)
    own = {name: chosen[name] for name in names if name in chosen}
    return make_loss(_merged(given or {}, own), sizes)


def _merged(given: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Options and groups of both; what was given counts."""
    return nested({**flat(chosen), **flat(given)})
