"""Output nodes and candidate edges, by sizes, shape and order of the targets."""

from ._choice import Asked, Choice, Choices, together
from ._data_facts import Facts
from ._few_pairs import has_few, most_slots

_STEADY = 0.1
"""Steps that the first copied label has moved by, below which order is kept from the start."""

_FEW_BEHIND = 0.001
"""Share of the pairs that may have an edge that is no candidate."""

_KEPT = 0.3
"""Share of the target edges that inputs have, from which on these are likely to be kept."""

WINDOW = 9
"""Steps between neighbours of a text whose letters keep their places."""
WIDE = 20
"""The same where they move."""


def keeps_places(facts: Facts) -> bool:
    """Whether targets begin as their inputs do, so that places tell letters apart at once."""
    return facts.moved is not None and facts.moved < _STEADY


def queries_of(facts: Facts, asked: Asked) -> int:
    """Output nodes that stand at no input node; 0 where all stand at one."""
    if "network.queries.number" in asked or "network.slots.per_node" in asked:
        return int(asked.get("network.queries.number", 0))
    return facts.largest if facts.sets or (facts.alike and has_few(facts)) else 0


def output_choices(facts: Facts, asked: Asked) -> Choices:
    """How many output nodes there are, where they stand, and which pairs may have an edge."""
    queries = queries_of(facts, asked)
    if queries:
        return _queried(facts, queries) | _loops(facts)
    slots = _slots(facts)
    per_node = asked.get("network.slots.per_node", slots["network.slots.per_node"].value)
    return {
        **slots,
        **_layers(facts, per_node),
        **_edges(facts, per_node),
        **_loops(facts),
        **_places(facts, per_node),
        **_copied(facts),
    }


def _queried(facts: Facts, queries: int) -> Choices:
    """Outputs that stand at no input node: any pair of them may have an edge."""
    alike = f"in {facts.alike} pairs input nodes look too much alike"
    why = "inputs are sets" if facts.sets else alike
    why += f", and the largest target has {queries} nodes"
    chosen = together(why, network__queries__number=queries)
    chosen |= together("every target fits", skip_larger=False)
    chosen |= together("absent output nodes have no edges", prices__unmatched_edges=0.0)
    if facts.directed:
        return chosen | together("output nodes have no order", network__candidates__pairs="all")
    why = "edges have no direction: each pair of nodes once"
    return chosen | together(why, network__candidates__pairs="forward")


def _slots(facts: Facts) -> Choices:
    """Enough for every target; a rare larger one of many pairs is left out."""
    rare = facts.larger if not has_few(facts) and facts.usual_slots < facts.slots else 0
    most = most_slots(facts.pairs, facts.inputs)
    count = facts.usual_slots if rare else min(facts.slots, most)
    needs = f"targets have up to {facts.slots} times the nodes of their inputs"
    if rare:
        needs = f"all targets but {rare} have at most {count} times the nodes of their inputs"
    elif facts.slots == 1:
        needs = "no target has more nodes than its input"
    if count == 1 and facts.is_path and not has_few(facts) and not facts.shorter:
        # With one each, a letter that says nothing would have to say what its neighbour does.
        count, needs = 2, "some targets are as long as their inputs"
        rare = facts.larger if facts.slots > count else 0
    left_out = f"{rare} targets are larger" if rare else "every target fits"
    return {
        "network.slots.per_node": Choice(count, needs),
        "skip_larger": Choice(bool(rare), left_out),
    }


def _layers(facts: Facts, per_node: int) -> Choices:
    if has_few(facts) or per_node == 1 or not facts.is_path:
        return {}
    return together(
        "several output nodes of an input node have to part", network__slots__num_layers=2
    )


def _edges(facts: Facts, per_node: int) -> Choices:
    """Forward only where that is known to do."""
    if not facts.directed:
        return _candidates("forward", "edges have no direction: each pair of nodes once")
    if facts.behind <= _FEW_BEHIND * facts.pairs:
        why = f"edges lead ahead in the input, but for {facts.behind} pairs"
        return _candidates("forward", why)
    # Of a path without places it is not known where in the input its nodes are read off.
    is_text = facts.is_path and facts.placed
    if is_text and facts.shorter and per_node == 1:
        return _candidates("forward", "targets are paths shorter than their inputs")
    if is_text and not has_few(facts):
        if keeps_places(facts):
            return _candidates("forward", "targets begin as their inputs do", WINDOW)
        return _candidates("all", "letters of targets are moved", WIDE)
    return _candidates("all", "targets may lead back in the order of the inputs")


def _candidates(pairs: str, why: str, window: int | None = None) -> Choices:
    return together(why, network__candidates__pairs=pairs, network__candidates__window=window)


def _loops(facts: Facts) -> Choices:
    if not facts.loops:
        return {}
    why = f"targets of {facts.loops} pairs have edges from a node to itself"
    return together(why, network__candidates__loops=True)


def _copied(facts: Facts) -> Choices:
    """Targets that change a part of their inputs; a text has no edges but between neighbours."""
    if has_few(facts) or facts.is_path or facts.kept < _KEPT:
        return {}
    why = f"inputs have {facts.kept:.0%} of the edges of targets"
    chosen = together(why, network__candidates__copy=True)
    return chosen | together("absent output nodes have no edges", prices__unmatched_edges=0.0)


def _places(facts: Facts, per_node: int) -> Choices:
    if facts.is_path and facts.placed and per_node > 1:
        return together("a path of another length than its input", network__places="count")
    return {}
