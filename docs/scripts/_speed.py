"""Sections of docs/results.md on speed and size."""

from typing import Any

from _markdown import table


def kernel(found: dict[str, Any]) -> str:
    """The native kernel beside PyTorch."""
    head = f"""Pairs per second, plan and gradient, float64, the default solver; medians of
repeats, `{found["level"]}`. One thread unless said; the PyTorch path computes the same.

"""
    rows = [
        [
            row["workload"], f"{row['temperature']:g}", f"{row['tolerance']:.0e}",
            f"{row['native']:,.0f}", f"{row['two_threads']:,.0f}", f"{row['pytorch']:,.0f}",
            f"{row['native'] / row['pytorch']:.0f}",
            f"{row['median_iterations']}, {row['most_iterations']}",
            f"{row['plan_difference']:.0e}, {row['gradient_difference']:.0e}",
        ]
        for row in found["rows"]
    ]  # fmt: skip
    names = [
        "pairs", "temperature", "tolerance", "native", "two threads", "PyTorch", "ratio",
        "iterations (median, most)", "relative difference (plan, gradient)",
    ]  # fmt: skip
    return head + table(names, rows)


def fused(found: dict[str, Any]) -> str:
    """The whole loss by one operator."""
    head = f"""Pairs per second of `StructuralLoss`, from leaves to their gradients, a `Prediction`
made anew each time; `{found["level"]}`, one thread unless said. Medians of interleaved repeats by
processor time (two threads: by the clock), and in brackets the best by the clock. *Kernel* is the
two calls into it alone.

"""
    cases = ("native", "two_threads", "pytorch", "kernel", "kernel_two_threads")
    rows = [
        [row["workload"], *(f"{row[case]:,.0f} ({row[case + '_best']:,.0f})" for case in cases)]
        for row in found["rows"]
    ]
    names = ["pairs of 10 to 40 nodes", "native", "two threads", "PyTorch", "kernel", "on two"]
    limits = [
        [
            row["dtype"], f"{row['sweeps'] / 1e9:.1f}", f"{row['peak'] / 1e9:.1f}",
            f"{row['share']:.0%}",
        ]
        for row in found["limit"]
    ]  # fmt: skip
    share = """

Sweeps of these pairs beside products of a 32 x 32 matrix in the first-level cache with a vector,
both in 1e9 multiply-adds a second (padding, scalings and stopping count as nothing):

"""
    return head + table(names, rows) + share + table(["", "sweeps", "limit", "share"], limits)


def large(found: dict[str, Any]) -> str:
    """Texts of thousands of nodes."""
    head = f"""Text against an edited copy ({found["edited"]:.0%} of its characters), one thread,
float64: the default loss with slack 0.1, dense (kernel: {found["kernel"]}), and along a window
of {found["window"]:g} steps, or in tiles, which leave nothing out; without places they cannot skip
the far ones. Each row ran in a process of its own; *peak* is its largest memory,
of which *before* was there before the loss. *Differences* are to the dense loss: of the value, and
of the gradient relative to its largest entry. *Bounds* certify what the window leaves out: of the
regularised cost of the last alignment, and of the loss.

"""
    rows = []
    for row in found["rows"]:
        bounds = row.get("bounds", {})
        gaps = [f"{row[key]:.0e}" for key in ("value_gap", "gradient_gap") if key in row]
        rows.append([
            row["method"], " x ".join(f"{count:,}" for count in row["nodes"]), str(row["rounds"]),
            f"{row['forward_seconds']:.2f}", f"{row['backward_seconds']:.2f}",
            f"{row['peak_mib']:,.0f}, {row['idle_mib']:,.0f}", f"{row['value']:.10g}",
            ", ".join(gaps) or "-",
            ", ".join(_bound(bounds[key]) for key in ("value", "loss") if key in bounds) or "-",
        ])  # fmt: skip
    names = [
        "method", "nodes", "rounds", "forward s", "backward s", "peak, before (MiB)", "value",
        "differences", "bounds",
    ]  # fmt: skip
    return head + table(names, rows)


def steps(found: dict[str, Any]) -> str:
    """A training step taken apart."""
    head = f"""Batches of {found["batch"]}, default network and loss, one thread: medians in
milliseconds, and shares of a step. The loss may have {found["limit"]:.0%}. Importing everything
takes {found["import_seconds"]:.1f} s, once; so do reading and collating a data set of one batch.

"""
    rows = []
    for row in found["rows"]:
        spent, once = row["milliseconds"], row["once"]
        whole, share = sum(spent.values()), f"{row['loss_share']:.0%}"
        stages = {stage: f"once: {found:.1f}" for stage, found in once.items()}
        stages |= {stage: f"{x:.2f} ({x / whole:.0%})" for stage, x in spent.items()}
        loss = share if row["loss_share"] < found["limit"] else f"**{share}**"
        rows.append([row["name"], *stages.values(), f"{whole:.1f}", loss])
        names = ["data set", *stages, "step", "loss"]
    return head + table(names, rows)


def contest(found: dict[str, Any]) -> str:
    """Other libraries on the same problems."""
    head = f"""Pairs per second (and their range), value and gradient, one thread, in
turns: medians. *Off* is the error of the gradient next to the problem solved to 1e-12, of the
largest entry; *to* is the tolerance, tightened for a library until it is off by no more than
{found["agreed"]:.0e}. *Ratio*: to the fastest other library of which that holds, if of any.
*Value*: regularised transport between ragged point clouds with a void, differentiated in the
features. *Edges*: less the gain of edges laid on edges by the plan, differentiated through the
plan. *Fused*: ten proximal steps of fused Gromov-Wasserstein, each solved to the tolerance, and
differentiated at the last plan. *Loss*: the whole structural loss of features and edges, others'
plans with its terms in their arrays, in float32; float64 elsewhere. W1: 64 pairs of 10 to 40 nodes,
W2: 8 of 100 to 200. *Memory*: what the first call adds to the peak of a fresh process, in MiB.

"""
    rows = [
        [
            row["case"], row["entrant"], f"{row['temperature']:g}",
            f"{row['tolerance']:.0e}" if row["tolerance"] else f"{row['iterations']} iterations",
            f"{row['pairs_per_second']:,.3g} ({row['range'][0]:,.3g} to {row['range'][1]:,.3g})",
            "-" if row["ratio"] is None else f"{row['ratio']:.2f}",
            f"{row['gradient_off']:.0e}",
            f"{row['peak_mib']:,.0f}" if "peak_mib" in row else "",
        ]
        for row in found["rows"]
    ]  # fmt: skip
    names = ["case", "who", "temperature", "to", "pairs/s", "ratio", "off", "memory"]
    return head + table(names, rows)


def growth(found: dict[str, Any]) -> str:
    """Curves."""
    head = f"""Loss and gradient, no rounds, float64, one thread unless the curve is of threads;
batches are of pairs of {found["nodes_of_a_pair"]} nodes. A curve ends where a call takes too long.
By default ("exact") iterations beyond the twentieth are Newton steps, which cost more than sweeps
and of which few are needed; here they are forced. "Unrolled" sweeps on.

![Seconds over nodes, pairs and iterations](images/growth.png)

"""
    rows = [
        [over, name, ", ".join(f"{x:,}: {1e3 * seconds:,.3g}" for x, seconds in points)]
        for over, curves in found["curves"].items()
        for name, points in curves.items()
    ]
    return head + table(["over", "loss", "milliseconds"], rows)


def _bound(value: float | None) -> str:
    return "none" if value is None else f"{value:.0e}"


def network(found: dict[str, Any]) -> str:
    """The network's operations by the kernel and by their formulas."""
    head = f"""Milliseconds of the processor of the network, forward and backward in training.
One thread; medians over batches of the first {found["pairs"]} pairs, by size, both ways by turns.

"""
    rows = [
        [
            row["name"], str(row["batch"]), f"{row['milliseconds']['native']:.1f}",
            f"{row['milliseconds']['pytorch']:.1f}", f"{row['ratio']:.2f}",
        ]
        for row in found["rows"]
    ]  # fmt: skip
    return head + table(["pairs", "in a batch", "native", "PyTorch", "ratio"], rows)
