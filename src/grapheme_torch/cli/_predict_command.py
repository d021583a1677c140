"""The command `grapheme predict`: answers to arguments, files and pipes, a batch at a time."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace

from .._check import InputError, Received, notice, refusal, require
from .._files import check_free, replacing
from .._reading import bare_name, unpacked, unpacking
from .._safe_files import bounded_lines, open_regular

STDIN = "-"
MAX_NODES = 2000
"""Default bound on the output nodes of one input. Memory grows with their pairs: a small network
whose answer has nearly every edge took 4.7 GB for 4000."""
PAIRS_AT_ONCE = MAX_NODES**2
"""Pairs of output nodes in a batch of several inputs, at most."""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.usage = "%(prog)s [options] model [text ...]"
    parser.add_argument("model", type=str, help="folder that `grapheme train` wrote")
    what = "texts to answer; - for those of the standard input, as with --data -"
    texts = parser.add_argument("texts", type=str, nargs="+", help=what)
    texts.required = False  # "*" would be taken as empty where an option follows the model
    data = "file to answer as well, or - for the standard input; a blank line gives a blank line"
    parser.add_argument("--data", type=str, help=data)
    kinds = (
        "what a line of it is: a text, or a JSON record with an input; auto: a record where the "
        "first line begins with a brace"
    )
    formats = Literal["auto", "lines", "jsonl"]
    parser.add_argument("--format", type=formats, default="auto", help=kinds)
    parser.add_argument("--batch_size", type=int, default=32, help="inputs at a time")
    most = "most output nodes of one input; memory grows with their square"
    parser.add_argument("--max_nodes", type=int, default=MAX_NODES, help=most)
    parser.add_argument("--out", type=str, help="file to write the answers into")
    overwrite = "whether an existing --out may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    network_options(parser)
    nbest = (
        "how many answers to each input, the most probable first; a line has rank, probability "
        "and answer, with tabs between"
    )
    parser.add_argument("--nbest", type=int, metavar="K", help=nbest)
    sharper = "divides the logits of --nbest: above 1 the answers get more alike"
    parser.add_argument("--temperature", type=float, help=sharper)
    what = (
        "one JSON object a line: the answer as node-link, its text if it is one, the input, the "
        "other keys of its record, and leads_back with --round-trip"
    )
    json_option(parser, what)


def run(options: Namespace) -> int:
    """Answers, line for line, and returns the exit status."""
    from ..nn import check_width
    from ..train import load_members, room_of

    _check(options)
    trip = None if options.round_trip is None else _input_of(options.round_trip)
    members = load_members([options.model, *options.others])
    answer = _answering(members, options, trip)
    rooms, widths = zip(*((room_of(one), one.num_features) for one, _ in members), strict=True)
    count, short = 0, list[str]()
    with ExitStack() as stack:
        write = _writer(stack, options)
        for group in _groups(_inputs(options, rooms), options.batch_size, rooms):
            asked = [pair for pair in group if pair is not None]
            for pair, width in product(asked, widths):
                check_width(pair.input, width, f'{pair.place}: the "input"')
            answers = iter(answer([pair.input for pair in asked]))
            for pair in group:
                found = None if pair is None else next(answers)
                write("" if pair is None else _told(pair, found, trip, as_json=options.json))
                if not getattr(found, "complete", True):
                    short.append(pair.place)
            count += len(asked)
    if short:
        notice(
            f"{short[0]}: the search for --nbest {options.nbest} answers was given up before its "
            f"end, so for {len(short)} of {count} inputs. Train the network for longer."
        )
    if options.out is not None:
        told = json.dumps({"out": options.out, "answers": count}, ensure_ascii=False)
        print(told if options.json else f"{options.out}: {count} answers")
    return 0


def _input_of(format: str) -> Callable[[Any], Any]:
    from ..convert import input_of

    return input_of(format)


def _answering(
    members: Any, options: Namespace, trip: Callable[[Any], Any] | None
) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What answers to graphs: a graph to each, or with --nbest a ranking of them."""
    from ..train import predict_nbest, predict_round_trip, predict_together

    shape = constraint(options)
    if trip is not None:
        return lambda graphs: predict_round_trip(members[0][0], graphs, trip, **shape)
    if options.nbest is None:
        return lambda graphs: predict_together(members, graphs, **shape)
    if options.temperature is not None:
        shape["temperature"] = options.temperature
    return lambda graphs: predict_nbest(members[0][0], graphs, options.nbest, **shape)


def _check(options: Namespace) -> None:
    """Refuses what can be known before the network is read."""
    _check_nbest(options)
    check_round_trip(options)
    size, most, texts = options.batch_size, options.max_nodes, options.texts or []
    require(size >= 1, "`batch_size`", "be at least 1", size, "Try 32.")
    require(most >= 1, "`max_nodes`", "be at least 1", most, f"Try {MAX_NODES}.")
    remedy = "Give a text or --data."
    if not texts and options.data is None:
        raise refusal("the texts", "be at least one", Received("none"), remedy)
    often = [*texts, options.data].count(STDIN)
    found = Received(f"{often} times")
    require(often <= 1, f"`{STDIN}`", "be named once, as it is read once", found, "Keep one.")
    if options.out is not None:
        check_free(options.out, overwrite=options.overwrite, inputs=[options.data])


def _check_nbest(options: Namespace) -> None:
    """Refuses options of a ranking that cannot be had."""
    nbest, temperature = options.nbest, options.temperature
    if nbest is None:
        remedy = "Add --nbest 1: without a ranking it changes nothing."
        require(temperature is None, "`temperature`", "come with --nbest", temperature, remedy)
        return
    require(nbest >= 1, "`nbest`", "be at least 1", nbest, "Try 5.")
    fits = temperature is None or 0 < temperature < float("inf")
    remedy = "1 leaves the probabilities as they are."
    require(fits, "`temperature`", "be a positive number", temperature, remedy)
    remedy = "Choose path, tree or acyclic, or leave --nbest out."
    kind, learned = "be no learned one beside --nbest", options.constraint == "learned"
    require(not learned, "--constraint", kind, options.constraint, remedy)
    remedy = "Leave --others out: several networks rank the answers of each, not all graphs."
    require(not options.others, "--nbest", "ask one network", options.others, remedy)


def check_round_trip(options: Namespace) -> None:
    """Refuses options that do not go with --round-trip."""
    if options.round_trip is None:
        return
    remedy = "Leave --others out: several networks rank the answers of each, not all graphs."
    require(not options.others, "--round-trip", "ask one network", options.others, remedy)
    nbest = getattr(options, "nbest", None)
    remedy = "Leave --nbest out: of the most probable answers one is chosen."
    require(nbest is None, "--round-trip", "come without --nbest", nbest, remedy)
    kind, learned = "come without learned bounds", options.constraint == "learned"
    remedy = "Choose path, tree or acyclic: graphs in bounds are not ranked."
    require(not learned, "--round-trip", kind, options.constraint, remedy)


def _inputs(options: Namespace, rooms: Sequence[Any]) -> Iterator[Any]:
    """What is to be answered, as pairs, or None for a blank line."""
    from ..data import input_pair, kindergarten, read_inputs

    # What is fixed does not grow with the input, whose own nodes look at one another as well.
    tied = max((room.per_node for room in rooms if not room.queries), default=1)
    bound = {"max_nodes": options.max_nodes // tied}
    names = [(k, text) for k, text in enumerate(options.texts or [], 1)]
    for k, text in names:
        if text != STDIN:
            yield input_pair({"input": text}, "text", k, **bound)
        else:
            yield from read_inputs(_lines(STDIN), "<stdin>", options.format, **bound)
    if options.data == "kindergarten":
        yield from kindergarten()
    elif options.data is not None:
        name = "<stdin>" if options.data == STDIN else options.data
        kind = options.format
        if kind == "auto" and bare_name(name).endswith(".jsonl"):
            kind = "jsonl"
        yield from read_inputs(_lines(options.data), name, kind, **bound)


def _lines(path: str) -> Iterator[bytes]:
    """The lines of a file, or of the standard input."""
    remedy = 'Check the path; - is the standard input, "kindergarten" the built-in data set.'
    name = "<stdin>" if path == STDIN else path
    try:
        if path != STDIN:
            with open_regular(path, pipes=True) as file, unpacking(path):
                yield from bounded_lines(unpacked(file, path), path)
        elif sys.stdin is not None:
            with unpacking(name):
                yield from bounded_lines(unpacked(sys.stdin.buffer, name), name)
        else:
            raise OSError("it is closed")
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        cause = Received(getattr(error, "strerror", None) or str(error))
        raise refusal(f"{name}: the data", "be readable", cause, remedy) from None


def _groups(pairs: Iterator[Any], batch_size: int, rooms: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Batches in order, of so many inputs at most, and of few where they are large.

    All inputs of a batch take the memory of its largest.
    """
    group: list[Any] = []
    largest = 0
    for pair in pairs:
        given = 0 if pair is None else pair.input.num_nodes or 0
        size = 0 if pair is None else max(given, *(room.of(given) for room in rooms))
        largest = max(largest, size)
        if group and (len(group) + 1) * largest**2 > PAIRS_AT_ONCE:
            yield group
            group, largest = [], size
        group.append(pair)
        if len(group) == batch_size:
            yield group
            group, largest = [], 0
    if group:
        yield group


def _writer(stack: ExitStack, options: Namespace) -> Callable[[str], None]:
    """Writes a line to the output: the file appears when all is done, or not at all."""
    if options.out is None:
        return print
    temporary = stack.enter_context(replacing(options.out))
    file = stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n"))

    def write(line: str) -> None:
        file.write(line + "\n")

    return write


def _told(pair: Any, answer: Any, trip: Callable[[Any], Any] | None, *, as_json: bool) -> str:
    """What is written for an input: its answer, or the ranking of its answers."""
    from ..data import graph_document
    from ..train import leads_back

    if not as_json:
        return _ranked(answer) if isinstance(answer, list) else _line(answer)
    if isinstance(answer, list):
        ranked = [_scored(k, one) for k, one in enumerate(answer, 1)]
        found = {"complete": answer.complete, "answers": ranked}  # type: ignore[attr-defined]
    else:
        found = _document(answer)
    own = {"input": graph_document(pair.input), **found}
    if trip is not None:
        own["leads_back"] = leads_back(answer, pair.input, trip)
    # A key of the record that the answer has as well goes below, where nothing is lost.
    below = {key: value for key, value in pair.extra.items() if key in own}
    kept = {key: value for key, value in pair.extra.items() if key not in own}
    return _written({**kept, **own, **({"record": below} if below else {})})


def _ranked(answers: list[Any]) -> str:
    """A line an answer: rank, probability, and the answer itself."""
    graphs = (_line(one.graph) for one in answers)
    chances = (f"{one.probability:.4g}" for one in answers)
    numbered = enumerate(zip(chances, graphs, strict=True), 1)
    return "\n".join(f"{rank}\t{chance}\t{graph}" for rank, (chance, graph) in numbered)


def _line(graph: Any) -> str:
    """An answer in one line: its text, or its graph if that is no text or has several lines."""
    document = _document(graph)
    text = document.pop("text")
    return _written(document) if text is None or {"\n", "\r"} & set(text) else text


def _document(graph: Any) -> dict[str, Any]:
    """A graph as node-link, and its text if it is one."""
    from ..graphs import graph_to_node_link, graph_to_text, path_order

    text = graph_to_text(graph) if path_order(graph) is not None else None
    return {"text": text, **graph_to_node_link(graph)}


def _scored(rank: int, answer: Any) -> dict[str, Any]:
    """An answer of a ranking, with the probabilities of its nodes and edges."""
    document = _document(answer.graph)
    for parts, chances in (("nodes", answer.nodes), ("edges", answer.edges)):
        for part, chance in zip(document[parts], chances, strict=True):
            part["probability"] = chance
    whole = {"probability": answer.probability, "log_probability": answer.log_probability}
    return {"rank": rank, **whole, **document}


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def network_options(parser: ArgumentParser) -> None:
    """Adds the options that every command has which answers with networks."""
    what = "folders of further networks; the answer is the one most probable to all together"
    parser.add_argument("--others", type=str, nargs="+", default=[], metavar="MODEL", help=what)
    trip = (
        "format whose targets tell their inputs, such as fingerprint; the answer is the most "
        "probable one whose own input is the given one"
    )
    parser.add_argument("--round_trip", type=str, metavar="FORMAT", help=trip)
    shape_option(parser)


def shape_option(parser: ArgumentParser) -> None:
    """Adds --constraint."""
    shapes = (
        "shape of the answer, which is the most probable graph of that shape; auto: the shape that "
        "all training targets have, with --nbest none; learned: their degrees as well"
    )
    kinds = Literal["auto", "none", "path", "tree", "acyclic", "learned"]
    parser.add_argument("--constraint", type=kinds, default="auto", help=shapes)


def constraint(options: Namespace) -> dict[str, Any]:
    """The argument of `predict`, `explain` and `evaluate` for the option."""
    from ..train import saved_bounds, saved_shape

    asked = options.constraint
    if asked == "auto":
        # Other graphs are left out of a ranking, and may be all that a network finds.
        ranked = any(getattr(options, name, None) is not None for name in ("nbest", "round_trip"))
        return {"constraint": None if ranked else saved_shape(options.model)}
    if asked == "learned":
        return {"constraint": saved_bounds(options.model)}
    return {"constraint": None if asked == "none" else asked}


def json_option(parser: ArgumentParser, what: str = "print JSON") -> None:
    """Adds --json."""
    parser.add_argument("--json", action="store_true", help=what)
