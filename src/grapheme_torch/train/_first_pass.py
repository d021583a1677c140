"""What a run learns of its pairs in one pass, and which of them it refuses."""

from dataclasses import replace

from .._check import InputError, Received, relocate, require
from ..data import (
    Alphabet,
    Classes,
    OutputRoom,
    Pair,
    Positions,
    Sizes,
    Widths,
    check_acyclic,
    check_no_numbers,
)
from ..decoding import Bounds, BoundsSeen
from ..graphs import Moments, is_directed
from ._backward_edges import BackwardEdges
from ._edge_direction import Direction, as_given
from ._large_pairs import Largest, check_nodes, largest
from ._uncopied import InputLabels
from .choice import MOST_SLOTS, Facts, Observed, is_set, most_slots

MOST_CLASSES = 10**6
"""Most node labels, and most relations: a network has a class for each."""

LISTED = 5
"""Pairs left out whose places are kept."""


class FirstPass:
    """Sees each pair of a run once: `train` those to train on, then `val` those to validate on.

    What it keeps does not grow with their number: classes, counts and a few places. Then `read`
    makes of any of them what the network is trained on.

    Args:
        room: Output nodes of the network for an input. None: they are chosen by the facts.
        acyclic: Whether directed targets with a cycle are refused, as by a network that looks for
            edges that lead ahead only.
        directed: Whether edges of the targets have a direction. Default: as the targets say.
        skip_larger: Whether training pairs that are too large are left out.
        max_nodes: Most nodes of an input or target.
        alphabet: The labels and relations that the network knows. Default: those of the targets.
    """

    def __init__(
        self,
        *,
        room: OutputRoom | None,
        acyclic: bool,
        directed: bool | None,
        skip_larger: bool,
        max_nodes: int,
        alphabet: Alphabet | None,
    ) -> None:
        self.left_out, self.first_left_out = 0, list[str]()
        self.edges = 0
        self.val_too_large = 0
        self._is_open = room is None
        self._room = OutputRoom(MOST_SLOTS) if room is None else room
        self._unfit: Pair | None = None
        self._skip_larger, self._most = skip_larger, max_nodes
        # An edge without a direction points anywhere: written once, they may seem to form a cycle.
        self._acyclic = acyclic and directed is not False
        self._known, self._classes = alphabet, Classes(MOST_CLASSES)
        self._direction, self._positions = Direction(directed), Positions()
        self._widths, self.moments = Widths(), Moments()
        self._largest, self._backward = Largest(room or OutputRoom()), BackwardEdges()
        self._observed, self._inputs = Observed(), InputLabels()
        self._bounds = BoundsSeen()

    def train(self, pair: Pair) -> bool:
        """Whether a pair is trained on, not left out.

        Raises:
            InputError: "FILE:LINE: ..." if it can neither be trained on nor left out.
        """
        fits = self._room.fits(pair) or self._may_fit(pair)
        if self._skip_larger and not (fits and largest(pair) <= self._most):
            self.left_out += 1
            if self.left_out <= LISTED:
                self.first_left_out.append(pair.place)
            return False
        check_nodes([pair], self._most)
        if fits and not self._room.fits(pair):
            self._unfit = max(self._unfit or pair, pair, key=_slots_for)
        else:
            self._room.check(pair)
        pair = self._seen(pair)
        self.moments.add(pair.input)
        if self._acyclic and is_directed(pair.target):
            self._backward.add(pair)
        self.edges += pair.target.num_edges
        self._observed.add(pair)
        self._inputs.add(pair.input)
        self._bounds.add(pair.target)
        if self._known is not None:
            _check_known(pair, self._known)
            return True
        try:
            self._classes.add(pair.target)
        except InputError as error:
            relocate(error, pair.place)
        return True

    def val(self, pair: Pair) -> bool:
        """Takes in a pair to validate on; one that is too large stays, and counts as wrong.

        Raises:
            InputError: "FILE:LINE: ..." if it is of another kind than the others.
        """
        check_nodes([pair], self._most)
        self.val_too_large += not self._room.fits(pair)
        self._seen(pair)
        return True

    def _seen(self, pair: Pair) -> Pair:
        self._widths.add(pair)
        check_no_numbers(pair)
        pair = self._direction.add(pair)
        self._largest.add(pair)
        if self._acyclic and is_directed(pair.target):
            check_acyclic([pair])
        self._positions.add(pair)
        return pair

    def _may_fit(self, pair: Pair) -> bool:
        """Whether a large pair fits as all pairs decide: at no inputs, or with slots for few."""
        return self._is_open and (
            is_set(pair.input) or _slots_for(pair) <= most_slots(pairs=1, inputs=1)
        )

    @property
    def directed(self) -> bool:
        """Whether the edges of all targets have a direction."""
        return self._direction.directed

    @property
    def bounds(self) -> Bounds:
        """What all targets to train on obey."""
        return replace(self._bounds.bounds(), directed=self.directed)

    @property
    def alphabet(self) -> Alphabet:
        """The labels and relations that the network knows."""
        return self._classes.alphabet() if self._known is None else self._known

    @property
    def uncopied(self) -> tuple[str, ...]:
        """Labels that many training inputs have and that the network has no class for."""
        return self._inputs.uncopied(self.alphabet.labels)

    def facts(self, sizes: Sizes, val_pairs: int) -> Facts:
        """What the pairs to train on are like, by the nodes of both sides of each.

        Raises:
            InputError: "FILE:LINE: ..." if only outputs without places would fit a pair, and others
                tell that outputs stand at inputs.
        """
        facts = self._observed.facts(
            sizes, val_pairs=val_pairs, directed=self.directed, labels=len(self.alphabet.labels),
            placed=self._positions.placed, features=self._widths.width,
        )  # fmt: skip
        if self._unfit is not None and not (facts.sets or self._skip_larger):
            OutputRoom(most_slots(facts.pairs, facts.inputs)).check(self._unfit)
        return facts

    def tell(self) -> None:
        """Gives a `Notice` of what is left aside of the pairs seen, and of one that is large."""
        self._largest.tell()
        self._positions.tell()
        self._backward.tell()

    def read(self, pair: Pair) -> Pair:
        """A pair that was seen as it is trained on: with what all others have beside labels."""
        pair = self._widths.unified(as_given(pair, directed=self.directed))
        return self._positions.unified(pair)


def _slots_for(pair: Pair) -> float:
    return OutputRoom.slots_for(pair.input.num_nodes or 0, pair.target.num_nodes or 0)


def _check_known(pair: Pair, alphabet: Alphabet) -> None:
    """Refuses a pair whose target a network with this alphabet cannot give."""
    name = f'{pair.place}: the "target"'
    remedy = "Make the network for the labels and relations of all training targets."
    got = Received("a label or relation that it has no class for")
    known = alphabet.covers(pair.target)
    require(known, name, "be one that the network can give", got, remedy)
