"""How good predicted graphs are: a collection of metrics, to which you can add your own."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from torch_geometric.data import Data
from torchmetrics import Metric, MetricCollection

from .._check import Received, refusal, require
from ..data import Alphabet
from ..decoding import Bounds, Constraint
from ..edits import EditCosts, EditReport, Substitution
from ..prediction import Prediction
from ._builtin_metrics import builtin_metrics
from ._comparison import Comparison
from ._pair_metric import MeanScore, PairMetric, PairScore
from ._scores import Matching


class GraphMetrics(MetricCollection):
    """Compares predicted graphs with their targets, after decoding; a torchmetrics collection.

    `metrics.update(network(inputs), targets)` decodes a `Prediction` and takes encoded targets as
    the loss does; `metrics.update(predicted, targets)` takes lists of graphs with labels.

    Nodes are aligned by `edit_report`. A node is right if it is kept: aligned with a node of the
    same label. An edge is right if it joins aligned nodes that the target joins by the same
    relation. If the edges of one graph of a pair have no direction, those of the other are read so
    as well, and each counts once.
    `compute` returns

    - `exact_match`: share of pairs that are equal but for the numbering of nodes;
    - `size_accuracy`: share of pairs with equally many nodes;
    - `edit_cost`: mean edit cost, an upper bound of the graph edit distance;
    - `wl_similarity`: mean of the normalised Weisfeiler-Lehman subtree kernel, (E37). It needs no
      alignment: 0 without a common label, 1 where neighbourhoods of radius 3 are equal
      [shervashidze11];
    - `node_precision`, `node_recall`, `node_f1`, and the same of edges. They are the right ones as
      a share of the predicted, of the wanted, and their harmonic mean. All pairs are counted
      together;

    where some targets are one directed path, of these,

    - `text_exact`: the share whose prediction is a path that spells the same text;
    - `char_error_rate`, `word_error_rate`: the Levenshtein distance between what the two paths
      spell over what the target spells, in all [levenshtein66]. A symbol is a node label, a word
      what stands between white space in the text. A prediction that is no path spells nothing;

    and, where some targets are one directed tree, of their nodes (every node but the root has one
    head, from which its edge comes),

    - `uas`, the unlabelled attachment score: the share with the right head [buchholz06]. The
      aligned node has one head, aligned with the head of the target; or none, as the root. A
      node left unaligned is wrong;
    - `las`, the labelled one: the share where the relation to that head is the same as well.

    Every path is a tree. A share of nothing is 1: there was nothing to get wrong. So two empty
    graphs are an exact match, with edit cost 0; an empty prediction has precision 1 and recall 0.
    The empty graph is a path that spells the empty text. An error rate where nothing is wanted is
    0 if nothing was spelled, else 1.

    Args:
        node_cost, edge_cost, node_substitution, edge_substitution: Costs of an edit, see
            `edit_report`.
        matching: Which nodes of a tree are one another. "edits": those that `edit_report` aligns,
            as no correspondence is given. "order": the k-th nodes, where both sides have equally
            many (as where both are the words of a sentence), else "edits".
        extra: Metrics of your own, by name. A function of predicted graph, target and
            `EditReport` gives the score of one pair, and its mean is reported under the name. A
            pair of which it returns None does not count. A `PairMetric`, or any torchmetrics
            `Metric` whose `update` takes lists of these three, reports what its `compute`
            returns: a number, or several by their names.
        alphabet: Names of the classes of predictions, for metrics of texts and metrics of your
            own. Default: their numbers.
        constraint: What decoded predictions have to be, see `decode`. Default: anything.

    Raises:
        InputError: If `matching` is neither, a cost is out of range, or a name in `extra` is
            taken or no name.
    """

    def __init__(
        self,
        *,
        node_cost: float = 1.0,
        edge_cost: float = 1.0,
        node_substitution: Substitution | None = None,
        edge_substitution: Substitution | None = None,
        matching: Matching = "edits",
        extra: Mapping[str, Metric | PairScore] | None = None,
        alphabet: Alphabet | None = None,
        constraint: Constraint | Bounds | None = None,
    ) -> None:
        known, remedy = get_args(Matching), "Without it nodes are matched by their edits."
        requirement = f"be one of {', '.join(known)}"
        require(matching in known, "`matching`", requirement, matching, remedy)
        costs = EditCosts(node_cost, edge_cost, node_substitution, edge_substitution)
        comparison = Comparison(costs, alphabet, constraint)
        measures: dict[str, Metric | MetricCollection] = {**builtin_metrics(matching)}
        for name, measure in (extra or {}).items():
            _check_name(name, measures)
            measures[name] = _as_metric(name, measure)
        for measure in measures.values():
            if isinstance(measure, PairMetric):  # each may be asked alone, or in a collection
                measure.comparison = comparison
        super().__init__(measures, compute_groups=False)
        # None would not do: two collections in one have members of one name, whose names
        # torchmetrics 1.9 tells apart by `replace`.
        self.prefix, self.postfix = "", ""
        self.matching, self.comparison = matching, comparison
        # The collection would sort them.
        self.order = tuple(measures)

    def reports(self, predicted: Sequence[Data], target: Sequence[Data]) -> list[EditReport]:
        """The edits between the graphs of each pair, at the costs of these metrics.

        Raises:
            InputError: As `edit_reports`.
        """
        return self.comparison.reports(predicted, target)

    def update(  # type: ignore[override]  # torchmetrics overrides `ModuleDict.update` too
        self,
        predicted: Sequence[Data] | Prediction,
        target: Sequence[Data] | Data,
        reports: Sequence[EditReport] | None = None,
    ) -> None:
        """Adds pairs of graphs: with labels, or a prediction and its encoded targets.

        Args:
            predicted: The graphs, or a `Prediction` that is decoded first.
            target: The graph of each; beside a `Prediction` as `StructuralLoss` takes it: a
                `Data`, a `Batch` or a list of these with classes `y`.
            reports: What `reports` says of them, where it has been asked already.

        Raises:
            InputError: As `edit_reports`. If a target has a class that has no name.
        """
        given = self.comparison.pairs(predicted, target, reports)
        for name in self.order:
            self[name].update(*given)

    def forward(
        self,
        predicted: Sequence[Data] | Prediction,
        target: Sequence[Data] | Data,
        reports: Sequence[EditReport] | None = None,
    ) -> dict[str, Any]:
        """Adds pairs as `update` does, and returns the metrics of these alone."""
        given = self.comparison.pairs(predicted, target, reports)
        return self._joined({name: self[name](*given) for name in self.order})

    def compute(self) -> dict[str, Any]:
        """The metrics of all pairs so far, each a tensor of one number.

        Raises:
            InputError: If there was no pair, or two metrics have results of one name.
        """
        if not self["exact_match"].update_called:
            raise _unseen()
        return self._joined({name: self[name].compute() for name in self.order})

    def merge_state(self, incoming: "GraphMetrics") -> None:
        """Adds the pairs that another collection of the same metrics has seen."""
        for name in self.order:
            self[name].merge_state(incoming[name])

    def _joined(self, results: Mapping[str, Any]) -> dict[str, Any]:
        """The results of all metrics in one mapping."""
        joined: dict[str, Any] = {}
        for name, result in results.items():
            named = result if isinstance(result, Mapping) else {name: result}
            taken = sorted(set(named) & set(joined))
            remedy = "Return it under another name."
            require(not taken, f"the metric {name!r}", "have results of its own", taken, remedy)
            joined |= named
        if "exact_match" not in joined:
            raise _unseen()
        return {self._set_name(name): value for name, value in joined.items()}


def _unseen() -> Exception:
    wanted = "have seen at least one pair of graphs"
    return refusal("`GraphMetrics`", wanted, Received("none"), "Call `update` before `compute`.")


def _check_name(name: Any, taken: Mapping[str, Any]) -> None:
    fits = isinstance(name, str) and name.isidentifier()
    remedy = "It names the result, and stands for an attribute of the collection."
    require(fits, "a name in `extra`", "be a word of letters, digits and _", name, remedy)
    free = name not in taken and not hasattr(GraphMetrics, name)
    require(free, "a name in `extra`", "not be taken", name, "Choose another.")


def _as_metric(name: str, measure: Any) -> Metric:
    if isinstance(measure, Metric):
        return measure
    if not callable(measure):
        wanted = "be a `Metric`, or a function of predicted graph, target and `EditReport`"
        raise refusal(f"`extra[{name!r}]`", wanted, measure, "See `PairMetric`.")
    return MeanScore(measure)
