"""Train networks whose output is a graph, without being told which predicted node is which."""

import typing as _typing

from ._startup import installed_version as _installed_version

__version__ = _installed_version()
"""The version that is installed; "0+unknown" where the source is used without installing it."""

if _typing.TYPE_CHECKING:
    from ._public import *  # noqa: F403 (for type checkers only)


def __getattr__(name: str) -> _typing.Any:
    """A public name, imported with all others when the first is asked for.

    PyTorch takes seconds to import: until then the command has answered `--help` or Ctrl-C.
    """
    if not name.startswith("_"):
        from . import _public

        globals().update({key: value for key, value in vars(_public).items() if key[0] != "_"})
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, whether imported yet or not."""
    from . import _public

    return sorted({*globals(), *vars(_public)})
