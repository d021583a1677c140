"""What each command of `grapheme` asks and does. Heavy imports wait until a command runs."""

import json
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from .._check import notice, require
from .._files import check_free, replacing
from . import _convert_command as _convert_command
from . import _explain_command as _explain_command
from . import _predict_command as _predict_command
from . import _recombine_command as _recombine_command
from . import _report_command as _report_command
from . import _train_command as _train_command
from ._graph_argument import MAX_COMPARED, graph_of
from ._option_groups import Groups
from ._predict_command import check_round_trip, json_option, network_options
from ._train_command import add_loss, print_config, train_arguments

_SIDES = ("predicted", "target")


@dataclass(frozen=True)
class Command:
    """A command: its help, the options it adds to a parser, and what it does with their values.

    Args:
        help: What it does, in a sentence.
        add_arguments: Adds its options.
        run: Does it and returns the exit status.
        examples: Calls that the help shows, without `grapheme`.
        words: What its words stand for.
        given_only: Whether `run` gets the options that were given, without defaults of the others.
    """

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    examples: tuple[str, ...]
    words: Callable[[Sequence[str]], list[str]] = list
    given_only: bool = False


def _train(options: Namespace) -> int:
    from ..train import Cause, causes_in_words, is_main, train

    given = options.as_dict()
    as_json, out = given.pop("json", False), given.get("out")
    own = train_arguments(given)
    if given.get("print_config"):
        print_config(own, as_json=as_json)
        return 0
    summary = train(**own)
    status = 0 if summary.signal is None else 128 + signal.Signals[summary.signal]
    if not is_main():
        return status
    if summary.signal is not None:
        print(f"grapheme: stopped by {summary.signal}; {out} holds the network that was "
              f"reached. Go on with --resume {out}.", file=sys.stderr)  # fmt: skip
    if as_json:
        _print_json(asdict(summary))
        return status
    matches = f"{summary.exact_match:.0%} of {summary.pairs} training pairs reproduced exactly"
    if summary.val_exact_match is not None:
        matches += f", {summary.val_exact_match:.1%} of the validation pairs"
        matches += f" (saved: epoch {summary.saved_epoch}, best: epoch {summary.best_epoch})"
    if summary.left_out:
        first = ", ".join(summary.left_out_first)
        more = ", ..." if summary.left_out > len(summary.left_out_first) else ""
        matches += f"\n{summary.left_out} training pairs left out as too large: {first}{more}"
    if summary.val_too_large:
        matches += f"\n{summary.val_too_large} validation pairs are too large and count as wrong"
    if summary.profile is not None:
        matches += f"\ntime: {_shares(summary.profile)}"
    why = [Cause(**cause) for cause in summary.wrong_answers.get("pairs", ())]
    matches = "\n".join([matches, *causes_in_words(why)])
    fell = "falling in every epoch" if summary.monotone else "not falling in every epoch"
    fell = fell if summary.epochs else "untrained"
    print(
        f"loss {summary.initial_loss:.4g} -> {summary.final_loss:.4g} in {summary.epochs} epochs "
        f"({summary.seconds:.1f} s), ratio {summary.loss_ratio:.2g}, {fell}\n"
        f"{matches}\n{out}: model, summary.json, metrics.csv, loss.png, train.yaml"
    )
    return status


def _shares(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in parts.items())


def _evaluate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=str, help="folder that `grapheme train` wrote")
    data = (
        "data set or JSON Lines file; default: the validation data of the run, or else its "
        "training data"
    )
    parser.add_argument("--data", type=str, help=data)
    parser.add_argument("--batch_size", type=int, default=32, help="pairs at a time")
    network_options(parser)
    parser.add_argument("--worst", type=int, default=5, help="how many of the worst pairs to show")
    form = "format, cogs or slog, whose texts are compared to the letter too: exact_form"
    parser.add_argument("--form", type=str, help=form)
    most = "most nodes of a graph; time and memory grow with the product of the two"
    parser.add_argument("--max_nodes", type=int, default=MAX_COMPARED, help=most)
    parser.add_argument("--out", type=str, help="file to write the report into as well, as JSON")
    overwrite = "whether an existing --out may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    json_option(parser)


def _evaluate(options: Namespace) -> int:
    from ..data import load_pairs
    from ..train import check_nodes, evaluate, saved_data

    most = options.max_nodes
    require(most >= 1, "`max_nodes`", "be at least 1", most, f"Try {MAX_COMPARED}.")
    check_round_trip(options)
    names = ("batch_size", "worst", "others", "form", "round_trip")
    chosen = {name: getattr(options, name) for name in names}
    with ExitStack() as stack:
        # What cannot be written is better known before the work than after it.
        out = _claimed(stack, options.out, overwrite=options.overwrite)
        data = options.data
        if data is None:
            data = saved_data(options.model, "val", "data")
        pairs = load_pairs(data)
        check_nodes(pairs, most)
        shape = None if options.constraint == "none" else options.constraint
        report = evaluate(options.model, pairs, **chosen, constraint=shape)
        if out is not None:
            out.write_text(_json(report.to_dict()) + "\n", encoding="utf-8")
    if options.data is None:
        notice(f"Without --data, those that the run names are evaluated: {data}.")
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
    from ..train import check_saved_model

    parser.add_function_arguments(check_saved_model, as_positional=True, skip={"progress"})
    json_option(parser)


def _check(options: Namespace) -> int:
    from tqdm import tqdm

    from ..train import check_saved_model

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
    from ..train import LOSS_GROUPS, LOSS_OPTIONS

    parser.usage = "grapheme compare [options] predicted target"
    sides = "a text, or the path of a node-link file ending in .json"
    parser.add_argument("predicted", type=str, help=sides)
    parser.add_argument("target", type=str, help=sides)
    parser.add_argument("--plot", type=str, help="file to draw the alignment into (png, svg, pdf)")
    add_loss(parser, [name for name in LOSS_OPTIONS if name != "criterion"])
    most = "most nodes of a graph; time and memory grow with the product of the two"
    parser.add_argument("--max_nodes", type=int, default=MAX_COMPARED, help=most)
    json_option(parser)
    groups = Groups(parser)
    for name, kind in LOSS_GROUPS.items():
        groups.add(name, kind, skip={"gradient"})


def _compare(options: Namespace) -> int:
    from ..plot import plot_alignment
    from ..train import compare, make_loss

    most = options.max_nodes
    require(most >= 1, "`max_nodes`", "be at least 1", most, f"Try {MAX_COMPARED}.")
    predicted, target = (graph_of(getattr(options, side), f"`{side}`", most) for side in _SIDES)
    loss = make_loss(options.as_dict(), criterion="edit")
    comparison = compare(predicted, target, loss)
    if options.plot is not None:
        plot_alignment(predicted, target, comparison.edits, options.plot)
    _print_json(comparison.to_dict()) if options.json else print(comparison)
    return 0


def _taken(given: dict[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """What is in `given` of the arguments of a function."""
    import inspect

    return {name: given[name] for name in inspect.signature(function).parameters if name in given}


def _print_json(document: Any, indent: int | None = 2) -> None:
    print(_json(document, indent))


def _json(document: Any, indent: int | None = 2) -> str:
    return json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False)


COMMANDS = {
    "train": Command(
        "Train a network on pairs of graphs.",
        _train_command.add_arguments,
        _train,
        (
            "train --data kindergarten --out runs/kg",
            "train --data pairs.jsonl --val dev.jsonl --out runs/x --epochs 50",
            "train --config runs/x/train.yaml --out runs/y --seed 1",
            "train --resume runs/x",
        ),
        _train_command.words,
        given_only=True,
    ),
    "predict": Command(
        "Answer texts or graphs with a network.",
        _predict_command.add_arguments,
        _predict_command.run,
        (
            'predict runs/kg "What color is sky?"',
            "predict runs/x - < lines.txt > answers.txt",
            "predict runs/x --data test.jsonl --json --out answers.jsonl",
        ),
    ),
    "evaluate": Command(
        "Measure a network on a data set.",
        _evaluate_arguments,
        _evaluate,
        ("evaluate runs/x --data test.jsonl --out report.json",),
    ),
    "explain": Command(
        "Show what a network makes of an input, and how that differs from a target.",
        _explain_command.add_arguments,
        _explain_command.run,
        (
            'explain runs/kg "What color is sky?" --target "Sky is blue" --out page.html',
            "explain runs/x input.json --out answer.png",
        ),
    ),
    "report": Command(
        "Write a page about a run: curves, worst answers, configuration.",
        _report_command.add_arguments,
        _report_command.run,
        ("report runs/kg", "report runs/x --data test.jsonl --worst 5 --out x.html"),
    ),
    "check-gradients": Command(
        "Compare every gradient of a network with finite differences.",
        _check_arguments,
        _check,
        ("check-gradients runs/kg",),
    ),
    "compare": Command(
        "Compare two texts or graphs.",
        _compare_arguments,
        _compare,
        ("compare kitten sitting --plot edits.png", "compare answer.json target.json --json"),
    ),
    "convert": Command(
        "Make a data set from a format of the field.",
        _convert_command.add_arguments,
        _convert_command.run,
        ("convert conllu en.conllu trees.jsonl", "convert pairs table.tsv - | head -1"),
    ),
    "recombine": Command(
        "Make training pairs of parts of others.",
        _recombine_command.add_arguments,
        _recombine_command.run,
        ("recombine train.jsonl more.jsonl --number 20000",),
    ),
}
