"""What steers the alignment, by what tells the nodes of a target apart."""

from ._choice import Asked, Choices, together
from ._data_facts import Facts
from ._few_pairs import MOST_ALIKE, has_few
from ._outputs import keeps_places, queries_of


def matching_choices(facts: Facts, asked: Asked) -> Choices:
    """Alignment, hints, and how both change along the run."""
    chosen = _plain(facts, asked)
    if asked.get("matcher.use", "none") != "none":
        return _learned(facts, asked, chosen)
    if queries_of(facts, asked):
        why = "output nodes stand at no input node"
        chosen |= _by_edges(facts, asked, why)
        if not has_few(facts):
            chosen |= _few_rounds()
    elif not facts.placed:
        chosen |= _by_edges(facts, asked)
        if facts.repeats >= MOST_ALIKE and facts.placed_inputs:
            chosen |= together(_alike(facts), network__candidates__locality=2.0)
    elif facts.is_path and facts.placed and not has_few(facts) and not keeps_places(facts):
        chosen |= _annealed(asked)
    return chosen


def _learned(facts: Facts, asked: Asked, plain: Choices) -> Choices:
    """Scores learn by the derivative of the plan, and tell alike nodes apart themselves."""
    chosen = {name: choice for name, choice in plain.items() if name != "alignment.gradient"}
    if not facts.placed and asked.get("optimization.position_start") is None:
        chosen |= together("nodes have no places", hints__position=0.0)
    if asked["matcher.use"] != "plan" and not facts.placed and not facts.is_path:
        chosen |= together("edges go on from learnt scores", alignment__rounds=4)
    return chosen


def _plain(facts: Facts, asked: Asked) -> Choices:
    """What every recipe has in common, and few pairs whose places do not match nodes.

    Along the derivative of the plan nodes match by halves, and may stay so. Of 40 sets with targets
    of eight nodes 22 % were learned by heart so, of 150 names of random graphs 40 %; now all.
    """
    if has_few(facts) and facts.placed and not queries_of(facts, asked):
        return {}
    return together("as good on every recipe, and cheaper", gamma=0.0,
                    alignment__gradient="detach", alignment__tolerance=1e-5)  # fmt: skip


def _alike(facts: Facts) -> str:
    return f"{facts.repeats:.0%} of the target nodes share their label with another"


def _by_edges(facts: Facts, asked: Asked, why: str = "nodes have no places") -> Choices:
    """No places: labels, and the edges around them, have to tell nodes apart."""
    alike, share = facts.repeats >= MOST_ALIKE, _alike(facts)
    chosen: Choices = {}
    if asked.get("optimization.position_start") is None:
        chosen |= together(why, hints__position=0.0)
    chosen |= together(
        share, alignment__rounds=20 if alike else 10, alignment__update="proximal",
        hints__neighbours=0.5, hints__noise=0.003 if alike else 0.01,
    )  # fmt: skip
    if alike:
        chosen |= together(share, alignment__temperature=0.2)
        if asked.get("hints.noise", 1.0) > 0:
            chosen |= together(share, hints__restarts=2)
    return chosen


def _few_rounds() -> Choices:
    """Cheaper steps, and more of them, learn more where nothing can be settled at first."""
    return together("more steps in the same time", alignment__rounds=10, hints__restarts=1)


def _annealed(asked: Asked) -> Choices:
    """Letters find their own before places mean much, and keep in order afterwards."""
    why = "letters of targets stand elsewhere than in their inputs"
    chosen: Choices = {}
    if asked.get("hints.position", 1.0) > 0:
        chosen |= together(why, hints__position=0.5, optimization__position_start=0.05)
    if asked.get("alignment.temperature", 1.0) > 0:
        chosen |= together(why, alignment__temperature=0.02, optimization__temperature_start=0.1)
    return chosen
