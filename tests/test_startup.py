"""The collector is off within, and afterwards as it was."""

import gc
import importlib

import pytest

from grapheme_torch._startup import without_collector


def _import_in_vain() -> None:
    with without_collector():
        assert not gc.isenabled()
        importlib.import_module("no_such_module")


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was(was_on: bool) -> None:
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(ModuleNotFoundError):
            _import_in_vain()
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()
