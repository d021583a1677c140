"""The fused operator: the numbers of the program in PyTorch, and the derivatives."""

import subprocess
import sys
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Given, Prediction, Sinkhorn, StructuralLoss
from grapheme_torch.loss.engines import _alignment_operator as _operators
from grapheme_torch.loss.engines import _kernel as kernel
from grapheme_torch.ot import backend, set_backend
from grapheme_torch.ot.kernels import _native_cpu as _cpu

from ...problems import leaf, leaves, loss_of
from ..batches import KINDS, compare, gap, problem, solved

pytestmark = pytest.mark.skipif(not _cpu.AVAILABLE, reason="installed without the native kernel")

SIZES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=4)

OPTIONS = st.fixed_dictionaries(
    {
        "criterion": st.sampled_from(["likelihood", "edit"]),
        "gradient": st.sampled_from(["exact", "exact", "implicit", "unrolled", "detach"]),
        "update": st.sampled_from(["linear", "proximal"]),
        "rounds": st.integers(0, 3),
        "temperature": st.sampled_from([1.0, 0.3, 0.1]),
        "position": st.sampled_from([0.0, 0.05]),
        "slack": st.sampled_from([0.0, 0.3, 1.0]),
        "beta": st.sampled_from([0.0, 0.5]),
        "directed": st.booleans(),
        "node_insertion": st.sampled_from([1.0, 0.7]),
        "node_deletion": st.sampled_from([1.0, 1.3]),
        "edge_insertion": st.sampled_from([1.0, 0.4]),
        "edge_deletion": st.sampled_from([1.0, 1.9]),
        "neighbours": st.sampled_from([0.0, 0.6]),
    }
)

# Tolerance and cap: converged; open on the way, which is differentiated through the sweeps.
ENDS = st.sampled_from([(1e-12, 1000), (1e-12, 3), (-1.0, 7), (1e-3, 100)])


@given(
    st.integers(0, 10**6),
    SIZES,
    OPTIONS,
    ENDS,
    st.booleans(),
    st.sampled_from(KINDS),
    st.booleans(),
    st.integers(1, 2),
)
def test_the_numbers_are_those_of_the_program_in_pytorch(
    seed: int,
    sizes: list[tuple[int, int]],
    options: dict[str, Any],
    end: tuple[float, int],
    weighted: bool,
    kind: Any,
    loops: bool,
    threads: int,
) -> None:
    tolerance, most = end
    loss = loss_of(
        **options, tolerance=tolerance, max_iterations=most, reduction="none", node_cost=kind
    )
    prediction, target = problem(
        seed, sizes, directed=options["directed"], weighted=weighted, kind=kind, loops=loops,
        both_ways=loops and not options["directed"],
    )  # fmt: skip
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        gaps = compare(loss, prediction, target)
    finally:
        torch.set_num_threads(before)
    # A loose stop amid Newton steps is known as well as the last linear system.
    assert gaps.values < (1e-9 if tolerance == 1e-3 else 1e-12)
    assert gaps.slopes < 1e-9


@given(
    st.integers(0, 10**6),
    SIZES,
    st.sampled_from(["likelihood", "edit"]),
    st.sampled_from([1.0, 0.1, 0.05]),
    st.sampled_from([1e-5, 1e-4]),
    st.integers(0, 2),
    st.booleans(),
)
def test_single_precision_is_close_to_double(
    seed: int,
    sizes: list[tuple[int, int]],
    criterion: Any,
    temperature: float,
    tolerance: float,
    rounds: int,
    weighted: bool,
) -> None:
    """With the same stops; an open pair says so in both."""
    loss = StructuralLoss(
        criterion=criterion,
        reduction="none",
        alignment=Sinkhorn(temperature=temperature, tolerance=tolerance, rounds=rounds, slack=0.3),
    )
    prediction, target = problem(seed, sizes, weighted=weighted)
    rough = single(prediction)
    full = replace_values(rough, torch.float64)
    mine, own = solved("native", loss, rough, target)
    other, exact = solved("native", loss, full, target)
    assert mine.total.dtype == torch.float32
    assert all(not x.isnan().any() for x in own)
    same = bool((mine.iterations == other.iterations).all())
    if same and bool(mine.converged.all()):
        scale = max(1.0, *(float(x.abs().max()) for x in exact if x.numel()), 1.0)
        assert gap(mine.total.double(), other.total) < 1e-5
        for x, y in zip(own, exact, strict=True):
            if x.numel():
                assert float((x - y).abs().max()) < 1e-4 * scale


def single(prediction: Prediction) -> Prediction:
    """The same in float32."""
    return replace_values(prediction, torch.float32)


def replace_values(prediction: Prediction, dtype: torch.dtype) -> Prediction:
    """The same numbers in another precision, as leaves."""
    rest = {"position": prediction.position, "weight": prediction.weight}
    cast = {name: None if x is None else x.detach().to(dtype) for name, x in rest.items()}
    return leaf(
        replace(
            prediction,
            existence=prediction.existence.detach().to(dtype),
            label=prediction.label.detach().to(dtype),
            relation=prediction.relation.detach().to(dtype),
            position=cast["position"],
            weight=None if cast["weight"] is None else cast["weight"].requires_grad_(),
        )
    )


def test_a_tight_tolerance_is_met_in_double_precision() -> None:
    prediction, target = problem(0, [(5, 4), (3, 5)])
    result = StructuralLoss(reduction="none")(single(prediction), target)
    assert result.total.dtype == result.plan.padded.dtype == torch.float32
    assert result.converged.all()
    assert (result.residual < 1e-12).all()


@pytest.mark.parametrize("gradient", ["implicit", "detach"])
def test_a_second_derivative_is_that_of_the_program_in_pytorch(gradient: Any) -> None:
    prediction, target = problem(3, [(4, 5), (3, 3)])
    loss = StructuralLoss(reduction="sum", alignment=Sinkhorn(gradient=gradient))

    def curvature(name: Any) -> Tensor:
        before = backend()
        set_backend(name)
        total = loss(prediction, target).total
        set_backend(before)
        first = torch.autograd.grad(total, leaves(prediction)[:3], create_graph=True)
        value = sum((x * torch.linspace(-1, 1, x.numel()).view_as(x)).sum() for x in first)
        assert isinstance(value, Tensor)
        return torch.autograd.grad(value, prediction.label)[0]

    torch.testing.assert_close(curvature("native"), curvature("pytorch"), rtol=1e-9, atol=1e-9)


def test_the_exact_derivative_has_none_of_its_own() -> None:
    prediction, target = problem(3, [(4, 5)])
    total = StructuralLoss()(prediction, target).total
    (first,) = torch.autograd.grad(total, prediction.label, create_graph=True)
    with pytest.raises(RuntimeError, match='must be asked for with gradient="implicit"'):
        first.sum().backward()


@pytest.mark.parametrize("level", _cpu.LEVELS)
def test_every_instruction_set_gives_the_same(level: str) -> None:
    prediction, target = problem(1, [(7, 9), (12, 5), (0, 3), (17, 17)])
    found = {name: by_level(prediction, target, name) for name in (level, _cpu.LEVELS[-1])}
    for x, y in zip(found[level], found[_cpu.LEVELS[-1]], strict=True):
        torch.testing.assert_close(x, y, rtol=1e-10, atol=1e-10)


class Call(NamedTuple):
    """What the kernel is called with."""

    inputs: kernel.Inputs
    settings: kernel.Settings
    rows: int
    columns: int


def cotangents_of(weights: Tensor, grad_plan: Tensor | None) -> kernel.Cotangents:
    """The derivative in the four terms of each pair, `[4, B]`, and in the last plan."""
    total, node, edge, clique = weights.unbind()
    return kernel.Cotangents(total, node, edge, clique, grad_plan)


def by_level(prediction: Prediction, target: Data, level: str) -> list[Tensor]:
    """Terms and derivatives by the kernel of an instruction set."""
    call = called_with(prediction, target)
    found = kernel.align(*call, level=level)
    weights = torch.linspace(1, 2, found.terms.numel(), dtype=torch.float64).view_as(found.terms)
    cotangents = cotangents_of(weights, None)
    slopes = kernel.align_adjoint(*call[:2], rounds_of(found), cotangents, level=level)
    return [found.terms, *slopes.values()]


def rounds_of(found: kernel.Outputs) -> kernel.Rounds:
    """What the derivative needs."""
    return kernel.Rounds(found.plans, found.residual, found.iterations)


def called_with(prediction: Prediction, target: Data, **options: Any) -> Call:
    """What the kernel is given by a loss with these options, by way of the loss itself."""
    seen: list[Call] = []
    plain = kernel.align

    def watched(*arguments: Any, **named: Any) -> Any:
        seen.append(Call(*arguments))
        return plain(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "align", watched)
        loss_of(**options)(prediction, target)
    inputs = [None if x is None else x.detach() for x in seen[0].inputs]
    return seen[0]._replace(inputs=kernel.Inputs(*inputs))


def test_the_operator_keeps_its_promises_to_pytorch() -> None:
    prediction, target = problem(1, [(4, 3), (2, 5)], weighted=True)
    inputs, settings, rows, columns = called_with(prediction, target)
    torch.library.opcheck(_operators.alignment, (*inputs, *settings, rows, columns))
    found = _operators.alignment(*inputs, *settings, rows, columns)
    cotangents = [torch.ones_like(found[0][0]), None, None, found[0][1], found[1][-1]]
    torch.library.opcheck(
        _operators.alignment_adjoint, (*inputs, *settings, *found[1:4], *cotangents)
    )


@pytest.mark.parametrize(
    ("name", "wrong", "match"),
    [
        ("graph", 1, "an edge of no graph"),
        ("source", 4, "an edge outside its graph"),
        ("sink", -1, "an edge outside its graph"),
        ("target_sink", 3, "an edge outside its graph"),
        ("target_relation", 9, "a relation there is not"),
        ("target_class", 99, "a class there is not"),
        ("num_predicted", 5, "`num_predicted` must leave room for the void"),
        ("num_target", -1, "`num_target` must leave room for the void"),
    ],
)
def test_an_index_that_points_outside_is_refused(name: str, wrong: int, match: str) -> None:
    call = called_with(*problem(1, [(4, 3)]))
    bent = getattr(call.inputs, name).clone()
    bent[0] = wrong
    with pytest.raises(ValueError, match=match):
        kernel.align(*call._replace(inputs=call.inputs._replace(**{name: bent})))


@pytest.mark.parametrize("kind", ["labels", "features", "multilabel"])
def test_every_array_is_checked_where_it_crosses(kind: Any) -> None:
    """Its dtype, its axes, its sizes, whether it is contiguous and where: in C++, by its name."""
    prediction, target = problem(1, [(4, 3), (2, 5)], weighted=True, kind=kind)
    call = called_with(prediction, target, node_cost=kind, neighbours=0.5)
    given = {name: x for name, x in call.inputs._asdict().items() if x is not None}
    assert len(given) >= 19
    for name, good in given.items():
        other = torch.int32 if good.dtype == torch.int64 else torch.float16
        strided = torch.stack([good, good], -1)[..., 0]
        for bad in (good.to(other), good[None], good[:-1], strided, good.to("meta")):
            bent = call._replace(inputs=call.inputs._replace(**{name: bad}))
            with pytest.raises(ValueError, match=r"`\w+` must"):
                kernel.align(*bent)


def test_the_message_names_the_array() -> None:
    call = called_with(*problem(1, [(4, 3), (2, 5)]))
    bent = call._replace(inputs=call.inputs._replace(log_absence=torch.zeros(2, 3)))
    wanted = r"`log_absence` must be float64 \[6\], contiguous and on the CPU, got float32 \[2, 3\]"
    with pytest.raises(ValueError, match=wanted):
        kernel.align(*bent)
    missing = call._replace(inputs=call.inputs._replace(target_class=None))
    with pytest.raises(ValueError, match=r"`target_class` must be int64 \[8\], .*, got nothing"):
        kernel.align(*missing)


def test_results_and_derivatives_are_checked_too() -> None:
    call = called_with(*problem(1, [(4, 3), (2, 5)]))
    found = kernel.align(*call)
    rounds, none = rounds_of(found), kernel.Cotangents(None, None, None, None, None)
    for name in kernel.Rounds._fields:
        short = rounds._replace(**{name: getattr(rounds, name)[:-1]})
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            kernel.align_adjoint(*call[:2], short, none)
    for name in kernel.Cotangents._fields:
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            kernel.align_adjoint(*call[:2], rounds, none._replace(**{name: found.plans}))


def test_the_evidence_is_that_of_all_rounds() -> None:
    call = called_with(*problem(1, [(4, 3), (2, 5), (0, 0)]), rounds=3, max_iterations=4)
    found = kernel.align(*call)
    assert torch.equal(found.largest_residual, found.residual.amax(0))
    assert torch.equal(found.total_iterations, found.iterations.sum(0))
    assert torch.equal(found.converged, found.largest_residual <= call.settings.tolerance)
    assert not found.converged.all()
    cold = call.inputs.temperature * torch.tensor([1e-300, 1.0, 1.0])
    lost = kernel.align(*call._replace(inputs=call.inputs._replace(temperature=cold)))
    assert lost.largest_residual.isnan().tolist() == [True, False, False]
    assert lost.converged.tolist() == [False, *found.converged[1:].tolist()]


def test_a_setting_that_there_is_not_is_refused() -> None:
    call = called_with(*problem(1, [(4, 3)]))
    with pytest.raises(ValueError, match="`gradient` must be exact, implicit, unrolled or detach"):
        kernel.align(*call._replace(settings=call.settings._replace(gradient="cut")))


def test_a_loss_that_is_not_finite_is_nan_in_its_own_pair_only() -> None:
    prediction, target = problem(2, [(4, 3), (3, 3)])
    spoilt = prediction.label.detach().clone()
    spoilt[0, 0] = torch.nan
    prediction = replace(prediction, label=spoilt.requires_grad_())
    loss = StructuralLoss(reduction="none")
    results = [solved(name, loss, prediction, target) for name in ("native", "pytorch")]
    for result, slopes in results:
        assert result.total.isnan().tolist() == [True, False]
        assert result.converged.tolist() == [False, True]
        assert slopes[1][:4].isnan().any()
        assert not slopes[1][4:].isnan().any()
    torch.testing.assert_close(results[0][0].total[1], results[1][0].total[1], rtol=1e-12, atol=0)


@pytest.mark.parametrize("how", ["start", "alignment", "cold"])
def test_what_the_operator_does_not_do_is_done_in_pytorch(how: str) -> None:
    prediction, target = problem(5, [(4, 3), (3, 5)])
    loss = StructuralLoss(reduction="none")
    plan = loss(prediction, target).plan.padded.detach()
    ways: dict[str, dict[str, Any]] = {
        "start": {"start": plan},
        "alignment": {"alignment": Given(plan)},
        "cold": {"temperature": 0},
    }
    given_ = ways[how]
    mine = loss(prediction, target, **given_)
    before = backend()
    set_backend("pytorch")
    other = loss(prediction, target, **given_)
    set_backend(before)
    torch.testing.assert_close(mine.total, other.total, rtol=1e-12, atol=1e-12)


def charges_of(log_q: Tensor, s: kernel.Settings, edit: bool) -> tuple[Tensor, Tensor]:
    """Gain of each candidate and relation, (E17) or (E18), and its cost when it is not aligned."""
    if not edit:
        unaligned = -s.edge_deletion * log_q[:, 0]
        return -log_q[:, 1:] - unaligned[:, None] - s.edge_insertion, unaligned
    absent, present = log_q[:, :1].exp(), log_q[:, 1:].exp()
    unaligned = s.edge_deletion * (1 - absent[:, 0])
    aligned = s.edge_insertion * absent + (1 - absent - present)
    return aligned - unaligned[:, None] - s.edge_insertion, unaligned


def with_arrays(call: Call, *learned: Tensor) -> kernel.Inputs:
    """The same edge costs and prices, as arrays that follow from log q and two factors."""
    x, s = call.inputs, call.settings
    log_q, deletion, insertion = learned
    gain, unaligned = charges_of(log_q, s, s.edit)
    constant = torch.zeros_like(x.temperature).index_add(0, x.graph, unaligned)
    targets = torch.bincount(x.target_graph, minlength=len(constant)).double()
    relations = torch.arange(1, log_q.shape[1])
    return x._replace(
        log_relation=log_q,
        edge_gain=gain,
        round_gain=charges_of(log_q, s, True)[0],
        target_value=(x.target_relation[:, None] == relations).double(),
        edge_constant=constant + s.edge_insertion * targets,
        deletion_cost=deletion.expand(len(x.log_existence)),
        insertion_cost=insertion.expand(int(x.num_target.sum())),
    )


@given(
    st.integers(0, 10**6), SIZES, OPTIONS, ENDS, st.booleans(),
)  # fmt: skip
def test_edge_costs_and_prices_may_be_given_as_arrays(
    seed: int, sizes: list[tuple[int, int]], options: dict[str, Any], end: tuple[float, int],
    loops: bool,
) -> None:  # fmt: skip
    """With what the kernel makes itself: its terms, and its derivatives by the chain rule."""
    prediction, target = problem(seed, sizes, directed=options["directed"], loops=loops)
    call = called_with(prediction, target, **options, tolerance=end[0], max_iterations=end[1])
    s = call.settings
    prices = torch.tensor([[s.node_deletion], [s.node_insertion]], dtype=torch.float64)
    learned = [x.requires_grad_() for x in (call.inputs.log_relation.clone(), *prices.clone())]
    arrays = with_arrays(call, *learned)
    plain = [None if x is None else x.detach().contiguous() for x in arrays]
    free = s._replace(node_deletion=9.0, node_insertion=9.0, edge_insertion=9.0, edge_deletion=9.0)
    given_arrays = call._replace(inputs=kernel.Inputs(*plain), settings=free)
    one, other = kernel.align(*call), kernel.align(*given_arrays)
    torch.testing.assert_close(other.terms, one.terms, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(other.plans, one.plans, rtol=0, atol=1e-11)
    slopes = [
        kernel.align_adjoint(*x[:2], rounds_of(found), cotangents_of(weights, found.plans[-1]))
        for x, found in ((call, one), (given_arrays, other))
        for weights in [torch.linspace(1, 2, found.terms.numel()).double().view_as(found.terms)]
    ]
    whole = sum((x * slopes[1][name]).sum() for name, x in arrays._asdict().items()
                if name in slopes[1])  # fmt: skip
    (chained,) = torch.autograd.grad(whole, learned[:1])
    torch.testing.assert_close(chained, slopes[0]["log_relation"], rtol=1e-8, atol=1e-8)
    for name in set(slopes[0]) - {"log_relation"}:
        torch.testing.assert_close(slopes[1][name], slopes[0][name], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("criterion", ["likelihood", "edit"])
def test_the_derivatives_in_given_arrays_by_finite_differences(criterion: Any) -> None:
    call = called_with(
        *problem(4, [(4, 3), (2, 5), (3, 3)]), criterion=criterion, slack=0.3, rounds=2
    )
    s, step = call.settings, 1e-5
    prices = torch.tensor([[s.node_deletion], [s.node_insertion]], dtype=torch.float64)
    start = with_arrays(call, call.inputs.log_relation, *prices)
    start = kernel.Inputs(*[None if x is None else x.contiguous() for x in start])
    generator = torch.Generator().manual_seed(1)
    names = ["edge_gain", "round_gain", "edge_constant", "deletion_cost", "insertion_cost"]
    along = {
        name: torch.randn(getattr(start, name).shape, generator=generator, dtype=torch.float64)
        for name in names
    }

    def moved(name: str, t: float) -> Tensor:
        inputs = start._replace(**{name: getattr(start, name) + t * along[name]})
        return kernel.align(inputs, *call[1:]).terms[0].sum()

    found = kernel.align(start, *call[1:])
    ones = kernel.Cotangents(torch.ones_like(found.terms[0]), None, None, None, None)
    slopes = kernel.align_adjoint(start, s, rounds_of(found), ones)
    for name in names:
        wanted = (moved(name, step) - moved(name, -step)) / (2 * step)
        torch.testing.assert_close((slopes[name] * along[name]).sum(), wanted, rtol=1e-6, atol=1e-7)
        assert wanted.abs() > 1e-4


def test_a_device_of_ones_own_registers_a_kernel() -> None:
    """It is asked where one is, and only there; a process of its own, for it stays registered."""
    code = (
        "import torch; from grapheme_torch.loss.engines import _native_engine as n; "
        "print(n.registered('cpu'), n.registered('cuda')); "
        "library = torch.library.Library('grapheme_torch', 'FRAGMENT'); "
        "library.impl('alignment', lambda *x: None, 'CUDA'); print(n.registered('cuda'))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False", "True"]
