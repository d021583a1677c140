"""What a trained network answers, and how good that is."""

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from math import nan
from pathlib import Path
from typing import Literal, TypeAlias

from torch_geometric.data import Data

from .._check import refusal, require
from ..convert import Format, input_of
from ..data import Alphabet, Pair
from ..decoding import Bounds, Constraint
from ..loss import StructuralLoss, StructuralLossResult
from ..metrics import AlignmentAccuracy, GraphMetrics
from ..nn import GraphTransformNet, check_width
from ._data import batches
from ._edge_direction import with_direction
from ._evaluation_report import EvaluationReport, Example
from ._exact_forms import ExactForms
from ._folder import load_members, saved_bounds, saved_loss, saved_shape, saved_still_falls
from ._measure import Measured, measure
from ._places import given_alignment
from ._predict import room_of
from ._round_trip import leads_back, predict_round_trip
from ._together import Member, predict_together
from ._wrong_answers import causes

Trip: TypeAlias = Callable[[Data], Data]


def evaluate(
    folder: str | Path,
    pairs: Sequence[Pair],
    *,
    batch_size: int = 32,
    constraint: Constraint | Bounds | Literal["auto", "learned"] | None = "auto",
    worst: int = 5,
    others: Sequence[str | Path] = (),
    metrics: GraphMetrics | None = None,
    loss: StructuralLoss | None = None,
    form: str | None = None,
    round_trip: str | Format | None = None,
) -> EvaluationReport:
    """Compares the answers of a trained network, or of several, with the targets of a data set.

    Args:
        folder: What `train` wrote.
        pairs: Pairs with targets, of `load_pairs`. Those with the extra key "alignment" (as
            `grapheme convert` writes it) also tell how well the loss aligns.
        batch_size: Pairs at a time.
        constraint: What the answers have to be, see `decode`. "auto": of the shape that all
            training targets of the run have, see `Bounds.shape`. "learned": what these targets
            obey, see `saved_bounds`. None: anything.
        worst: How many of the worst examples to keep.
        others: Further folders, of networks that answer together with it, see `predict_together`.
            Loss and alignment stay those of the one of `folder`.
        metrics: The metrics of the report, with your own among them: `GraphMetrics(extra=...)`.
            What they have seen before does not count, and they stay as they were.
        loss: The loss of the run, where it has parts that no option can say: what
            `saved_loss(folder, node_cost=...)` gives. Default: `saved_loss(folder)`.
        form: A format with a way back, whose texts are compared to the letter as well:
            `exact_form`.
        round_trip: A format whose targets tell their inputs. Answers are then those of
            `predict_round_trip`, and `round_trip` is the share of them that leads back. "auto"
            then allows any shape.

    Raises:
        InputError: If a folder holds no model, no pair is given, or an alignment is not one of its
            pair. If an input has other numbers on its nodes than a network reads. If `batch_size`
            is below 1, `worst` below 0, or the constraint is unknown. If the run has learned none.
            If `form` has no way back, or the target of a pair cannot be written back. If targets of
            `round_trip` do not tell their inputs, or it meets `others` or learned bounds.
    """
    require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
    require(worst >= 0, "`worst`", "not be negative", worst, "0 keeps none.")
    if not pairs:
        raise refusal("`pairs`", "hold at least one pair", pairs, "Read them with `load_pairs`.")
    for pair in pairs:
        given_alignment(pair)
    loss = saved_loss(folder) if loss is None else loss
    members = load_members([folder, *others], loss)
    network = members[0][0]
    # Ranked answers may have any shape: others are left out, and may be all that there is.
    ranked = round_trip is not None and constraint == "auto"
    shape = None if ranked else _shape(folder, constraint)
    for pair, (member, _) in product(pairs, members):
        check_width(pair.input, member.num_features, f'{pair.place}: the "input"')
    pairs = with_direction(pairs, network.directed)
    forms = None if form is None else ExactForms(form, pairs)
    counted = GraphMetrics() if metrics is None else copy.deepcopy(metrics)
    counted.reset()
    trip, back = None if round_trip is None else input_of(round_trip), 0
    wrong: list[Pair] = []
    examples: list[Example] = []
    answer = _answering(members, shape, trip)
    for chunk in _chunks(pairs, batch_size):
        inputs, targets = [pair.input for pair in chunk], [pair.target for pair in chunk]
        answers = answer(inputs)
        reports = counted.reports(answers, targets)
        counted.update(answers, targets, reports)
        if forms is not None:
            forms.update(chunk, answers)
        if trip is not None:
            back += sum(leads_back(one, x, trip) for one, x in zip(answers, inputs, strict=True))
        wrong += [p for p, one in zip(chunk, reports, strict=True) if not one.is_exact]
        examples = _worst([*examples, *map(Example, chunk, answers, reports)], worst)
    terms, aligned, share, residual = _measured(network, loss, pairs, batch_size)
    numbers = {name: float(value) for name, value in counted.compute().items()} | aligned
    numbers |= {} if forms is None else {"exact_form": forms.compute()}
    numbers |= {} if trip is None else {"round_trip": back / len(pairs)}
    alphabet = Alphabet(network.labels, network.relations)
    network.eval()
    falling = saved_still_falls(folder)
    why = causes(network, loss, wrong, alphabet, known=pairs, falling=falling)
    shown = tuple(examples)
    return EvaluationReport(len(pairs), numbers, terms, share, shown, residual, tuple(why))


def _answering(
    members: Sequence[Member], shape: Constraint | Bounds | None, trip: Trip | None
) -> Callable[[Sequence[Data]], list[Data]]:
    """What answers to some inputs."""
    if trip is None:
        return partial(predict_together, members, constraint=shape)
    remedy = "Several networks rank the answers of each, not all graphs."
    require(len(members) == 1, "`others`", "be none beside `round_trip`", len(members) - 1, remedy)
    return partial(predict_round_trip, members[0][0], input_of=trip, constraint=shape)  # type: ignore[arg-type]


def _shape(
    folder: str | Path, constraint: Constraint | Bounds | Literal["auto", "learned"] | None
) -> Constraint | Bounds | None:
    """What the answers have to be, read off the run where that is asked for."""
    if constraint == "auto":
        return saved_shape(folder)
    return saved_bounds(folder) if constraint == "learned" else constraint


def _measured(
    network: GraphTransformNet, loss: StructuralLoss, pairs: Sequence[Pair], batch_size: int
) -> tuple[Measured, dict[str, float], float, float]:
    """The loss, the accuracy of its alignment if places are known, share of pairs, residual."""
    alphabet = Alphabet(network.labels, network.relations)
    room = room_of(network)
    covered = [pair for pair in pairs if room.fits(pair) and alphabet.covers(pair.target)]
    accuracy, rest = AlignmentAccuracy(slots=room.per_node), iter(covered)
    known, residual = False, 0.0 if covered else nan

    def align(result: StructuralLossResult) -> None:
        nonlocal known, residual
        residual = max(residual, float(result.residual.max()))
        if room.queries:  # stand at no input node that could be right
            return
        told = [(plan, pair) for plan, pair in zip(result.plan, rest, strict=False) if _told(pair)]
        known = known or bool(told)
        places = [pair.extra["alignment"] for _, pair in told]
        targets = [pair.target for _, pair in told]
        accuracy.update([plan for plan, _ in told], places, targets)

    terms = measure(network, loss, batches(covered, alphabet, batch_size), align)
    aligned = {"alignment_accuracy": accuracy.compute().item()} if known else {}
    return terms, aligned, len(covered) / len(pairs), residual


def _told(pair: Pair) -> bool:
    """Whether the input node of some target node is known."""
    return any(place is not None for place in pair.extra.get("alignment") or ())


def _worst(examples: list[Example], count: int) -> list[Example]:
    """The examples of largest edit cost, those as good in their order, the exact ones left out."""
    wrong = [example for example in examples if not example.edits.is_exact]
    return sorted(wrong, key=lambda example: -example.edits.cost)[:count]


def _chunks(pairs: Sequence[Pair], size: int) -> Iterator[Sequence[Pair]]:
    for k in range(0, len(pairs), size):
        yield pairs[k : k + size]
