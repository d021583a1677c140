"""Runs a notebook as Jupyter would: for the tests, and for the site, which shows what comes out."""

import logging
import os
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

SECONDS = 120
"""Of a cell, at most."""


def executed(path: Path) -> Any:
    """The notebook with its outputs; it runs in the folder that it stands in.

    Args:
        path: The .ipynb file, which stays as it is.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell ends in an error.
    """
    read: Any = nbformat.read  # it has no types in some versions
    notebook = read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )  # fmt: skip
    logging.getLogger("traitlets").setLevel(logging.WARNING)  # its remarks, beside those of Sphinx
    # tqdm asks for widgets, which a page cannot show.
    quiet = {"PYTHONWARNINGS": "ignore:IProgress not found", "PYTHONDONTWRITEBYTECODE": "1"}
    return client.execute(env={**os.environ, **quiet})
