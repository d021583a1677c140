"""A graph that a prediction may stand for, and a ranking of these."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from torch_geometric.data import Data


@dataclass(frozen=True)
class Answer:
    """A graph that a prediction may stand for, and how probable it is.

    Args:
        graph: The graph, as `decode` returns it.
        log_probability: Natural logarithm of its probability, (E47).
        nodes: Probability that each of its nodes exists and has its label.
        edges: Probability of the relation of each of its edges, in the order of its edges.
    """

    graph: Data
    log_probability: float
    nodes: list[float]
    edges: list[float]

    @property
    def probability(self) -> float:
        """Of the graph as a whole; it is 0 where a double cannot hold it."""
        return math.exp(self.log_probability)


class Answers(list[Answer]):
    """The answers to one graph, the most probable first: a list that says whether it is complete.

    Args:
        answers: The answers.
        complete: Whether all answers that were asked for are there, or all that are possible. If
            not, the search for more was given up.
    """

    def __init__(self, answers: Iterable[Answer] = (), *, complete: bool = True) -> None:
        super().__init__(answers)
        self.complete = complete
