"""What each command of `grapheme` asks and does. Heavy imports wait until a command runs."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace

from . import _convert_command
from ._check import InputError, Received, refusal
from ._files import check_free, replacing
from ._usage import OptionsFile


@dataclass(frozen=True)
class Command:
    """A command: its help, the options it adds to a parser, and what it does with their values."""

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def _train_arguments(parser: ArgumentParser) -> None:
    from .loss import StructuralLoss
    from .nn import GraphTransformNet
    from .train import Optimization, Stopping, train

    parser.add_argument("--config", action=OptionsFile, help="options from a YAML file")
    skip: set[str | int] = {"loss", "network", "overwrite", "optimization", "stopping"}
    parser.add_function_arguments(train, as_positional=False, skip=skip)
    parser.add_class_arguments(Optimization)
    parser.add_class_arguments(Stopping)
    overwrite = "whether a model already in --out may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    parser.add_class_arguments(StructuralLoss, skip={"reduction", "node_cost", "node_scale"})
    chosen: set[str | int] = {"labels", "relations", "candidates", "directed"}
    parser.add_class_arguments(GraphTransformNet, as_positional=False, skip=chosen)
    which = (
        "pairs of output nodes that may have an edge: to later ones only, acyclic by construction; "
        "both ways; or as the training data tell, and within a window if they tell one"
    )
    kind = Literal["forward", "all", "auto"]
    parser.add_argument("--candidates", type=kind, default="forward", help=which)
    _json_option(parser)


def _train(options: Namespace) -> int:
    from .loss import StructuralLoss
    from .train import Optimization, Stopping, train

    given = options.as_dict()
    as_json = given.pop("json")
    given.pop("config", None)
    loss = StructuralLoss(**_taken(given, StructuralLoss))
    optimization = Optimization(**_taken(given, Optimization))
    stopping = Stopping(**_taken(given, Stopping))
    own = _taken(given, train)
    summary = train(**own, loss=loss, network=given, optimization=optimization, stopping=stopping)
    if as_json:
        _print_json(asdict(summary))
        return 130 if summary.interrupted else 0
    matches = f"{summary.exact_match:.0%} of {summary.pairs} training pairs reproduced exactly"
    if summary.val_exact_match is not None:
        matches += f", {summary.val_exact_match:.1%} of the validation pairs"
        matches += f" (saved: epoch {summary.saved_epoch}, best: epoch {summary.best_epoch})"
    fell = "falling in every epoch" if summary.monotone else "not falling in every epoch"
    fell = fell if summary.epochs else "untrained"
    print(
        f"loss {summary.initial_loss:.4g} -> {summary.final_loss:.4g} in {summary.epochs} epochs "
        f"({summary.seconds:.1f} s), ratio {summary.loss_ratio:.2g}, {fell}\n"
        f"{matches}\n{own['out']}: model, summary.json, metrics.csv, loss.png, train.yaml"
    )
    return 130 if summary.interrupted else 0


def _predict_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=str, help="folder that `grapheme train` wrote")
    texts = parser.add_argument("texts", type=str, nargs="+", help="texts to answer")
    texts.required = False  # "*" would be taken as empty where an option follows the model
    parser.add_argument("--data", type=str, help="JSON Lines file whose inputs to answer as well")
    _others_option(parser)
    _constraint_option(parser)
    _json_option(parser, "one node-link object a line, with the input and, if it is one, the text")


def _predict(options: Namespace) -> int:
    from .data import graph_document, load_pairs
    from .graph import graph_to_node_link, text_to_graph
    from .train import load_members, predict_together

    members = load_members([options.model, *options.others])
    shape = _constraint(options)
    inputs = [text_to_graph(text) for text in options.texts or []]
    if options.data is not None:
        inputs += [pair.input for pair in load_pairs(options.data, need_target=False)]
    if not inputs:
        raise refusal("the texts", "be at least one", Received("none"), "Give a text or --data.")
    for given in inputs:
        (answer,) = predict_together(members, [given], **shape)
        document, text = graph_to_node_link(answer), _text(answer)
        if options.json:
            _print_json({"input": graph_document(given), "text": text, **document}, indent=None)
        else:
            print(json.dumps(document, ensure_ascii=False) if text is None else text)
    return 0


def _evaluate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=str, help="folder that `grapheme train` wrote")
    parser.add_argument(
        "--data", type=str, default="kindergarten", help="data set or JSON Lines file"
    )
    parser.add_argument("--batch_size", type=int, default=32, help="pairs at a time")
    _others_option(parser)
    _constraint_option(parser)
    parser.add_argument("--worst", type=int, default=5, help="how many of the worst pairs to show")
    parser.add_argument("--out", type=str, help="file to write the report into as well, as JSON")
    overwrite = "whether an existing --out may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    _json_option(parser)


def _evaluate(options: Namespace) -> int:
    from .data import load_pairs
    from .train import evaluate

    chosen = {name: getattr(options, name) for name in ("batch_size", "worst", "others")}
    with ExitStack() as stack:
        # What cannot be written is better known before the work than after it.
        out = _claimed(stack, options.out, overwrite=options.overwrite)
        pairs = load_pairs(options.data)
        report = evaluate(options.model, pairs, **chosen, **_constraint(options))
        if out is not None:
            out.write_text(_json(report.to_dict()) + "\n", encoding="utf-8")
    _print_json(report.to_dict()) if options.json else print(report)
    return 0


def _claimed(stack: ExitStack, path: str | None, *, overwrite: bool) -> Path | None:
    """Where to write what becomes the file at `path` when the stack is closed."""
    if path is None:
        return None
    check_free(path, overwrite=overwrite)
    temporary = stack.enter_context(replacing(path))
    temporary.touch()
    return temporary


def _check_arguments(parser: ArgumentParser) -> None:
    from .train import check_saved_model

    parser.add_function_arguments(check_saved_model, as_positional=True, skip={"progress"})
    _json_option(parser)


def _check(options: Namespace) -> int:
    from tqdm import tqdm

    from .train import check_saved_model

    given = options.as_dict()
    as_json = given.pop("json")
    with tqdm(unit="tensor", dynamic_ncols=True, disable=None, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = check_saved_model(**given, progress=progress)
    _print_json(report.to_dict()) if as_json else print(report)
    return 0 if report.passed else 1


def _compare_arguments(parser: ArgumentParser) -> None:
    from .loss import StructuralLoss

    sides = "a text, or the path of a node-link file ending in .json"
    parser.add_argument("predicted", type=str, help=sides)
    parser.add_argument("target", type=str, help=sides)
    parser.add_argument("--plot", type=str, help="file to draw the alignment into (png, svg, pdf)")
    parser.add_class_arguments(
        StructuralLoss, skip={"reduction", "node_cost", "node_scale", "criterion", "gradient"}
    )
    _json_option(parser)


def _compare(options: Namespace) -> int:
    from .loss import StructuralLoss
    from .plot import plot_alignment
    from .train import compare

    predicted, target = _graph(options.predicted), _graph(options.target)
    loss = StructuralLoss(**_taken(options.as_dict(), StructuralLoss), criterion="edit")
    comparison = compare(predicted, target, loss)
    if options.plot is not None:
        plot_alignment(predicted, target, comparison.edits, options.plot)
    _print_json(comparison.to_dict()) if options.json else print(comparison)
    return 0


def _graph(argument: str) -> Any:
    """The graph of a text, or of a node-link file."""
    from .data._jsonl import parse_document
    from .graph import graph_from_node_link, text_to_graph

    if not argument.endswith(".json"):
        return text_to_graph(argument)
    remedy = "Write a node-link object, or end a text in something else than .json."
    try:
        document: Any = parse_document(Path(argument).read_bytes())
        return graph_from_node_link(document)
    except InputError as error:
        raise InputError(f"{argument}: {error}") from None
    except OSError as error:
        cause = Received(error.strerror or str(error))
        raise refusal(argument, "be a readable file", cause, remedy) from None
    except (ValueError, RecursionError) as error:
        raise refusal(argument, "be JSON", Received(str(error)), remedy) from None


def _text(graph: Any) -> str | None:
    from .graph import graph_to_text, path_order

    return graph_to_text(graph) if path_order(graph) is not None else None


def _taken(given: dict[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """Removes from `given` the arguments of a function or class, and returns them."""
    import inspect

    names = [name for name in inspect.signature(function).parameters if name in given]
    return {name: given.pop(name) for name in names}


def _others_option(parser: ArgumentParser) -> None:
    what = "folders of further networks: of their answers the one that all find likeliest"
    parser.add_argument("--others", type=str, nargs="+", default=[], metavar="MODEL", help=what)


def _constraint_option(parser: ArgumentParser) -> None:
    shapes = "what the graphs have to be: the most probable graph of this shape is the answer"
    kinds = Literal["none", "path", "tree", "acyclic"]
    parser.add_argument("--constraint", type=kinds, default="none", help=shapes)


def _constraint(options: Namespace) -> dict[str, Any]:
    """The argument of `predict` and `evaluate` for the option."""
    return {"constraint": None if options.constraint == "none" else options.constraint}


def _json_option(parser: ArgumentParser, what: str = "print JSON") -> None:
    parser.add_argument("--json", action="store_true", help=what)


def _print_json(document: Any, indent: int | None = 2) -> None:
    print(_json(document, indent))


def _json(document: Any, indent: int | None = 2) -> str:
    return json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False)


COMMANDS = {
    "train": Command("Train a network on pairs of graphs.", _train_arguments, _train),
    "predict": Command("Answer texts or graphs with a network.", _predict_arguments, _predict),
    "evaluate": Command("Measure a network on a data set.", _evaluate_arguments, _evaluate),
    "check-gradients": Command(
        "Compare every gradient of a network with finite differences.", _check_arguments, _check
    ),
    "compare": Command("Compare two texts or graphs.", _compare_arguments, _compare),
    "convert": Command(
        "Make a data set from a format of the field.",
        _convert_command.add_arguments,
        _convert_command.run,
    ),
}
