"""What the tests of the loss share."""

from collections.abc import Iterator

import pytest

from grapheme_torch.ot import backend, set_backend


@pytest.fixture
def composed() -> Iterator[None]:
    """The loss as a program in PyTorch, for a test that looks inside or compares; put back."""
    before = backend()
    set_backend("pytorch")
    yield
    set_backend(before)
