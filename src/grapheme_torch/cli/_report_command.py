"""The command `grapheme report`: a run as one page."""

import json
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from .._check import require
from .._files import check_free, write_text
from ._predict_command import json_option


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.usage = "%(prog)s [options] run"
    parser.add_argument("run", type=str, help="folder that `grapheme train` wrote")
    data = (
        "data set to find the worst answers in (of a file the first 1000 pairs); default: the "
        "validation data of the run, or its training data"
    )
    parser.add_argument("--data", type=str, help=data)
    parser.add_argument("--worst", type=int, default=3, help="how many of the worst to show")
    out = "page to write (.html); default: report.html in the folder of the run"
    parser.add_argument("--out", type=str, help=out)
    overwrite = "whether an existing --out may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    json_option(parser)


def run(options: Namespace) -> int:
    """Writes the page and returns the exit status."""
    from ..page import run_page
    from ..train import run_record

    out = options.out or str(Path(options.run) / "report.html")
    page = Path(out).suffix.lower() in (".html", ".htm")
    require(page, f"{out}: the suffix", "be .html", Path(out).suffix, "Name a page.")
    # The page that was written before into the folder is ours.
    check_free(out, overwrite=options.overwrite or options.out is None, inputs=[options.data])
    record = run_record(options.run, options.data, worst=options.worst)
    write_text(out, run_page(record))
    if options.json:
        document = {"out": out, **record.to_dict()}
        print(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print(f"{out}: {record.headline()}")
        if record.note:
            print(record.note)
    return 0
