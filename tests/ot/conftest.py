"""Every test of transport runs on whatever solves it: the native kernel, and PyTorch."""

from collections.abc import Iterator

import pytest

from grapheme_torch.ot import backend, set_backend
from grapheme_torch.ot.kernels import _native_cpu as _cpu


@pytest.fixture(autouse=True, params=["native", "pytorch"] if _cpu.AVAILABLE else ["pytorch"])
def on_every_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The backend of the test; the one before is put back."""
    before = backend()
    set_backend(request.param)
    yield request.param
    set_backend(before)
