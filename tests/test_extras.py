"""What works without the extras, and what the error says where one is needed."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

import grapheme_torch
from grapheme_torch._check import InputError
from grapheme_torch._extras import MissingExtra, needed

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
UNTESTED = {"transformers", "pytest-xdist", "ruff", "mypy", "pre-commit", "beartype"}
UNTESTED |= {"nbclient", "ipykernel"}
"""Tools, and what the part of the tests with the oldest versions does not use."""

BLOCKED = (
    "lightning", "pytorch_lightning", "torchmetrics", "jsonargparse", "yaml", "tensorboardX",
    "matplotlib", "rdkit", "huggingface_hub", "triton",
)  # fmt: skip
"""The libraries that only extras bring, by the names that they are imported by."""

WITHOUT = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None
"""

LOSS_AND_NETWORK = """
import sys, torch, grapheme_torch as gt
from torch_geometric.data import Batch

torch.manual_seed(0)
pairs = [("abc", "acd"), ("ab", "b")]
inputs = Batch.from_data_list([gt.text_to_graph(text) for text, _ in pairs])
wanted = [gt.text_to_graph(text) for _, text in pairs]
alphabet = gt.Alphabet.of(wanted)
targets = Batch.from_data_list([alphabet.encode(graph) for graph in wanted])
model = gt.GraphTransformNet(alphabet.labels, alphabet.relations, dim=8, num_buckets=16)
for loss in (gt.StructuralLoss(), gt.StructuralLoss(alignment=gt.Exact())):
    loss(model(inputs), targets).total.backward()
assert all(weight.grad is not None for weight in model.parameters())
model.eval().save_pretrained(sys.argv[1])
again = gt.GraphTransformNet.from_pretrained(sys.argv[1]).eval()
answers = [gt.decode(net(inputs), net.labels, net.relations) for net in (model, again)]
for graphs in zip(*answers, strict=True):
    assert gt.edit_report(*graphs).is_exact
small = Batch.from_data_list([inputs[1]])
shown = [wanted[0], inputs, model(inputs), loss(model(inputs), targets), gt.edit_report(*wanted)]
assert all("<svg" in thing._repr_html_() for thing in shown)
assert gt.check_gradients(again.double(), gt.StructuralLoss(), small, targets[1]).passed
records = list(gt.convert.pairs(["walk\\twalked"]))
assert records[0]["target"] == "walked", records
gt.costs, gt.data, gt.nn, gt.ot
assert not [name for name in sys.modules if name.split(".")[0] in BLOCKED and sys.modules[name]]
"""

NEEDS = [
    ("import grapheme_torch.train", "grapheme_torch.train", "train"),
    ("import grapheme_torch.metrics", "grapheme_torch.metrics", "metrics"),
    ("import grapheme_torch.plot", "grapheme_torch.plot", "plot"),
    ("import grapheme_torch as g; g.convert.smiles(['C'])", "the conversion of molecules", "chem"),
]


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"{WITHOUT}\nBLOCKED = {BLOCKED}\n{program}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.repeats
def test_loss_network_and_folders_need_no_extra(tmp_path: Path) -> None:
    run = _run(LOSS_AND_NETWORK, str(tmp_path))
    assert run.returncode == 0, run.stderr


@pytest.mark.repeats
def test_each_part_names_the_extra_that_it_needs() -> None:
    caught = "try:\n    {}\nexcept ImportError as error:\n    print(error)\n"
    tries = "".join(caught.format(code) for code, _, _ in NEEDS)
    run = _run(tries)
    assert run.stderr == ""
    lines = run.stdout.splitlines()
    for line, (_, part, extra) in zip(lines, NEEDS, strict=True):
        assert line.startswith(f"{part} needs ")
        end = f"which is not installed. Install it: pip install 'grapheme-torch[{extra}]'."
        assert line.endswith(end)


@pytest.mark.repeats
@pytest.mark.parametrize("words", [[], ["--help"], ["train", "--out", "x"], ["compare", "a", "b"]])
def test_the_command_says_in_one_line_what_to_install(words: list[str]) -> None:
    run = _run("from grapheme_torch.cli import run; run()", *words)
    told = "needs jsonargparse, which is not installed. Install it: pip install 'grapheme-torch["
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == f"grapheme: The command `grapheme` {told}train]'.\n"


@pytest.mark.repeats
def test_the_version_needs_no_extra() -> None:
    run = _run("from grapheme_torch.cli import run; run()", "--version")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"grapheme {grapheme_torch.__version__}\n"


def test_the_version_is_that_of_the_project() -> None:
    assert grapheme_torch.__version__ == version("grapheme-torch") == PROJECT["version"]


def test_the_outermost_extra_is_named() -> None:
    with (
        pytest.raises(MissingExtra, match=r"^a needs x, .*\[train\]'\.$") as caught,
        needed("a", "train"),
        needed("b", "metrics"),
    ):
        raise ModuleNotFoundError("No module named 'x'", name="x.y")
    assert isinstance(caught.value, InputError)
    assert caught.value.name == "x"


def test_a_library_that_is_broken_is_not_called_missing() -> None:
    broken = ImportError("libx.so: cannot open shared object file", name="x")
    told = r"^a needs x, which cannot be imported \(libx.so: cannot open shared object file\)\."
    with pytest.raises(MissingExtra, match=told), needed("a", "chem"):
        raise broken


@pytest.mark.parametrize("name", ["grapheme_torch.nope", None])
def test_a_fault_of_ours_is_no_missing_extra(name: str | None) -> None:
    with pytest.raises(ImportError, match=r"^cannot") as caught, needed("a", "train"):
        raise ImportError("cannot import name", name=name)
    assert not isinstance(caught.value, MissingExtra)


def test_the_oldest_versions_that_are_tested_are_those_that_are_allowed() -> None:
    """`make test-oldest` installs them."""
    extras = PROJECT["optional-dependencies"]
    names = ("train", "metrics", "plot", "chem", "hub", "dev")
    asked = [*PROJECT["dependencies"], *(item for name in names for item in extras[name])]
    found = [re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", item) for item in asked]
    bounds = {match[1]: match[2] for match in found if match}
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").split()
    tested = dict(line.split("==") for line in lines)
    assert tested.keys() == bounds.keys() - UNTESTED
    for name, release in tested.items():
        assert _numbers(release)[: len(_numbers(bounds[name]))] == _numbers(bounds[name]), name


def _numbers(release: str) -> list[int]:
    return [int(part) for part in release.split(".")]


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert citation["url"] == PROJECT["urls"]["Homepage"]
    assert citation["authors"] == PROJECT["authors"]


def test_every_extra_that_an_error_names_exists() -> None:
    extras = PROJECT["optional-dependencies"]
    assert {extra for _, _, extra in NEEDS} | {"hub"} <= extras.keys()
    held = " ".join(extras["all"])
    assert all(extra in held or extra in ("plot", "metrics") for _, _, extra in NEEDS)
