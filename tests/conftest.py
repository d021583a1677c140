"""What holds for every test: the same examples and the same random numbers in every run."""

import os
from collections.abc import Iterator
from itertools import groupby

import pytest
import torch
from hypothesis import HealthCheck, settings

# The first text that hypothesis draws on a machine waits for its table of all characters.
settings.register_profile(
    "house",
    derandomize=True,
    # They are the same in every run, so a second half would find what it found the last time.
    max_examples=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# Shapes and types do not hang on the numbers: few examples show whether they are as written.
settings.register_profile("shapes", settings.get_profile("house"), max_examples=5)
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
    """Leaves out tests that need a CUDA device where there is none, and cases of one shape."""
    left_out = []
    if not torch.cuda.is_available():
        left_out = [item for item in items if item.get_closest_marker("gpu")]
    if config.getoption("jaxtyping_packages", None):
        left_out += _further_cases(items)
    barred = set(left_out)
    items[:] = [item for item in items if item not in barred]
    config.hook.pytest_deselected(items=left_out)


def _further_cases(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of each test all cases but its first and last: the others have the same shapes."""
    further = []
    for _, cases in groupby(items, lambda item: item.nodeid.partition("[")[0]):
        same = list(cases)
        kept = {0, len(same) - 1}
        further += [item for k, item in enumerate(same) if k not in kept]
    return further
