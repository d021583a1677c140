#include "calls.hpp"

#include <algorithm>

#include "base/threads.hpp"
#include "isa/kernel.hpp"

namespace nb = nanobind;

namespace grapheme {
namespace {

Index occupied(const double* mass, Index size) { return size - std::count(mass, mass + size, 0.0); }

// Multiply-adds of `sweeps` sweeps and `systems` linear systems.
double effort(Index n, Index m, double sweeps, double systems) {
  const double small = static_cast<double>(std::min(n, m)),
               area = static_cast<double>(n) * static_cast<double>(m);
  return area * (20 + 2 * sweeps) + systems * small * (area / 2 + small * small / 6);
}

// Multiply-adds of each pair: `systems` linear systems and `sweeps` sweeps a round.
template <class Real>
std::vector<double> efforts(const Graphs<Real>& all, double sweeps, double systems) {
  std::vector<double> costs(static_cast<std::size_t>(all.pairs));
  const double rounds = static_cast<double>(all.settings.rounds) + 1;
  for (Index k = 0; k < all.pairs; ++k) {
    const Index n = all.first[k + 1] - all.first[k],
                m = all.target_first[k + 1] - all.target_first[k];
    const double edges = static_cast<double>(all.edges.start[k + 1] - all.edges.start[k] +
                                             all.target_edges.start[k + 1] -
                                             all.target_edges.start[k]);
    costs[static_cast<std::size_t>(k)] =
        rounds * (effort(n + 1, m + 1, sweeps, systems) + 4 * edges * static_cast<double>(m));
  }
  return costs;
}

template <class Real>
void align_in(const Inputs& inputs, const Settings& settings, const Outputs& outputs,
              const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  const Graphs<Real> all = read_graphs<Real>(inputs, outputs, settings);
  const Results<Real> to = read_results<Real>(outputs, all);
  const Summary<Real> summary = read_summary<Real>(outputs, all);
  const nb::gil_scoped_release released;
  expect_finite(all);
  const double sweeps = static_cast<double>(std::min<Index>(settings.max_iterations, 25));
  in_parallel(efforts(all, sweeps, settings.mode == Mode::unrolled ? 0 : 3), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.align(all, to, k, arena); });
  summarise(to, all, summary);
}

template <class Real>
void align_adjoint_in(const Inputs& inputs, const Settings& settings, const Outputs& outputs,
                      const Cotangents& from, const Inputs& gradients, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  const Graphs<Real> all = read_graphs<Real>(inputs, outputs, settings);
  const Results<Real> rounds = read_rounds<Real>(outputs, all);
  const Gradients<Real> to = read_gradients(gradients, inputs, from, all);
  const nb::gil_scoped_release released;
  in_parallel(efforts(all, 0, settings.mode == Mode::detach ? 0 : 1), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.align_adjoint(all, rounds, to, k, arena); });
}

}  // namespace

void solve(const SolveCall& call, const Machine& machine) {
  const Kernel<double>& chosen = kernel<double>(machine.level);
  const Index pairs = call.cost.size(0), rows = call.cost.size(1), columns = call.cost.size(2),
              area = rows * columns;
  const auto *cost = read<double>(call.cost, "cost", {pairs, rows, columns}),
             *eps = read<double>(call.temperature, "temperature", {pairs}),
             *a = read<double>(call.row_mass, "row_mass", {pairs, rows}),
             *b = read<double>(call.column_mass, "column_mass", {pairs, columns});
  auto *plan = read<double>(call.plan, "plan", {pairs, rows, columns}),
       *f = read<double>(call.row_potential, "row_potential", {pairs, rows}),
       *g = read<double>(call.column_potential, "column_potential", {pairs, columns}),
       *residual = read<double>(call.residual, "residual", {pairs});
  auto* iterations = read<std::int64_t>(call.iterations, "iterations", {pairs});
  const nb::gil_scoped_release released;
  std::vector<double> costs(static_cast<std::size_t>(pairs));
  const double sweeps = static_cast<double>(std::min<Index>(call.max_iterations, 25));
  for (Index k = 0; k < pairs; ++k) {
    const Index n = occupied(a + k * rows, rows), m = occupied(b + k * columns, columns);
    costs[static_cast<std::size_t>(k)] = effort(n, m, sweeps, call.newton ? 4 : 0);
  }
  in_parallel(costs, machine.num_threads, [&](Index k, Arena& arena) {
    chosen.solve({rows, columns, cost + k * area, eps[k], a + k * rows, b + k * columns,
                  call.tolerance, call.max_iterations, call.newton, plan + k * area, f + k * rows,
                  g + k * columns, residual + k, iterations + k},
                 arena);
  });
}

void adjoint(const AdjointCall& call, const Machine& machine) {
  const Kernel<double>& chosen = kernel<double>(machine.level);
  const Index pairs = call.cost.size(0), rows = call.cost.size(1), columns = call.cost.size(2),
              area = rows * columns;
  const auto *cost = read<double>(call.cost, "cost", {pairs, rows, columns}),
             *eps = read<double>(call.temperature, "temperature", {pairs}),
             *a = read<double>(call.row_mass, "row_mass", {pairs, rows}),
             *b = read<double>(call.column_mass, "column_mass", {pairs, columns}),
             *plan = read<double>(call.plan, "plan", {pairs, rows, columns}),
             *grad_plan = read<double>(call.grad_plan, "grad_plan", {pairs, rows, columns});
  const auto* iterations = read<std::int64_t>(call.iterations, "iterations", {pairs});
  const bool* implicit = read<bool>(call.implicit, "implicit", {pairs});
  auto *grad_cost = read<double>(call.grad_cost, "grad_cost", {pairs, rows, columns}),
       *grad_a = read<double>(call.grad_row_mass, "grad_row_mass", {pairs, rows}),
       *grad_b = read<double>(call.grad_column_mass, "grad_column_mass", {pairs, columns});
  const nb::gil_scoped_release released;
  std::vector<double> costs(static_cast<std::size_t>(pairs));
  for (Index k = 0; k < pairs; ++k) {
    const Index n = occupied(a + k * rows, rows), m = occupied(b + k * columns, columns);
    costs[static_cast<std::size_t>(k)] =
        implicit[k] ? effort(n, m, 0, 1)
                    : effort(n, m, 3.0 * static_cast<double>(iterations[k]), 0);
  }
  in_parallel(costs, machine.num_threads, [&](Index k, Arena& arena) {
    chosen.adjoint({rows, columns, cost + k * area, eps[k], a + k * rows, b + k * columns,
                    plan + k * area, static_cast<Index>(iterations[k]), implicit[k],
                    grad_plan + k * area, grad_cost + k * area, grad_a + k * rows,
                    grad_b + k * columns},
                   arena);
  });
}

void align(const Inputs& inputs, const Settings& settings, const Outputs& outputs,
           const Machine& machine) {
  const bool single = inputs.temperature.type == Type::float32;
  (single ? align_in<float> : align_in<double>)(inputs, settings, outputs, machine);
}

void align_adjoint(const Inputs& inputs, const Settings& settings, const Outputs& outputs,
                   const Cotangents& from, const Inputs& gradients, const Machine& machine) {
  const bool single = inputs.temperature.type == Type::float32;
  (single ? align_adjoint_in<float> : align_adjoint_in<double>)(
      inputs, settings, outputs, from, gradients, machine);
}

Index lay_out(const Tensor& batch, const Tensor& edge_index, bool directed, const Tensor& count,
              const Tensor& place, const Tensor& graph, const Tensor& source, const Tensor& sink) {
  const Index nodes = batch.size(0), edges = edge_index.size(1), graphs = count.size(0);
  const Whole* ends = read<Whole>(edge_index, "edge_index", {2, edges});
  Whole* counts = read<Whole>(count, "count", {graphs});
  const Layout layout{read<Whole>(batch, "batch", {nodes}),
                      ends,
                      ends + edges,
                      nodes,
                      edges,
                      graphs,
                      directed,
                      counts,
                      read<Whole>(place, "place", {nodes}),
                      read<Whole>(graph, "graph", {edges}),
                      read<Whole>(source, "source", {edges}),
                      read<Whole>(sink, "sink", {edges})};
  const nb::gil_scoped_release released;
  if (layout.check() != Fault::none) return -1;
  return graphs > 0 ? static_cast<Index>(*std::max_element(counts, counts + graphs)) : 0;
}

bool within(const Tensor& values, Whole low, Whole end) {
  const Index size = values.size(0);
  return within(read<Whole>(values, "values", {size}), size, low, end);
}

bool downward(const Tensor& edge_index) {
  const Index edges = edge_index.size(1);
  const Whole* source = read<Whole>(edge_index, "edge_index", {2, edges});
  for (Index e = 0; e < edges; ++e)
    if (source[e] > source[edges + e]) return true;
  return false;
}

}  // namespace grapheme
