"""The command `grapheme recombine`: pairs made of parts of others, as a data set."""

import json
import sys
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from .._files import check_free, replacing
from ._predict_command import json_option


def add_arguments(parser: ArgumentParser) -> None:
    """Adds its options."""
    from ..recombination import recombine

    parser.add_argument("DATA", type=str, help="JSON Lines file of the pairs to take apart")
    parser.add_argument("OUTPUT", type=str, help="data set to write: new pairs, none of DATA")
    skip: set[str | int] = {"pairs"}
    parser.add_function_arguments(recombine, as_positional=False, skip=skip)
    overwrite = "whether an existing OUTPUT may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    json_option(parser)


def run(options: Namespace) -> int:
    """Writes the pairs, tells how many there are and returns the exit status."""
    from tqdm import tqdm

    from ..data import load_pairs
    from ..recombination import recombined

    data, output, number = options.DATA, options.OUTPUT, options.number
    check_free(output, overwrite=options.overwrite, inputs=(data,))
    chosen = {"seed": options.seed, "max_nodes": options.max_nodes}
    records = recombined(load_pairs(data), number, name=data, **chosen)
    told: dict[str, Any] = {"output": output, "pairs": 0, "max_input": 0, "max_target": 0}
    with replacing(output) as temporary, temporary.open("w", encoding="utf-8") as file:
        for record in tqdm(records, total=number, unit="pairs", disable=None, file=sys.stderr):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            told["pairs"] += 1
            told["max_input"] = max(told["max_input"], _size(record["input"]))
            told["max_target"] = max(told["max_target"], _size(record["target"]))
    print(json.dumps(told, ensure_ascii=False, indent=2) if options.json else _line(told))
    if told["pairs"] < number:
        print(f"grapheme: {number} were asked for; no more were found.", file=sys.stderr)
    return 0


def _size(side: Any) -> int:
    return len(side) if isinstance(side, str) else len(side["nodes"])


def _line(told: dict[str, Any]) -> str:
    return (
        f"{told['output']}: {told['pairs']} pairs, inputs up to {told['max_input']} nodes, targets "
        f"up to {told['max_target']}"
    )
