"""What holds for every test: the same examples and the same random numbers in every run."""

import os
from collections.abc import Iterator

import pytest
import torch
from hypothesis import HealthCheck, settings

# The first text that hypothesis draws on a machine waits for its table of all characters.
settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# Shapes and types do not hang on the numbers: few examples show whether they are as written.
settings.register_profile("shapes", settings.get_profile("house"), max_examples=20)
settings.load_profile("house")

if not torch.cuda.is_available():
    # Read when Triton is imported: its kernels then run on the CPU, in Python.
    os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture(autouse=True)
def seed() -> None:
    """Random numbers do not depend on which tests ran before."""
    torch.manual_seed(0)


@pytest.fixture
def in_pytorch() -> Iterator[None]:
    """Transport is solved in PyTorch, where a test can look into it."""
    from grapheme_torch.ot import backend, set_backend

    before = backend()
    set_backend("pytorch")
    yield
    set_backend(before)


def pytest_configure(config: pytest.Config) -> None:
    """Chooses how many examples are drawn."""
    if config.getoption("jaxtyping_packages", None):
        settings.load_profile("shapes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that need a CUDA device where there is none."""
    if torch.cuda.is_available():
        return
    left_out = [item for item in items if item.get_closest_marker("gpu")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
