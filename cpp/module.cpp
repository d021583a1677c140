// The Python module: addresses of contiguous arrays in, results written in place. The arrays are
// checked by `grapheme_torch/ot/kernels/_native_cpu.py`, the only caller.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "batch.hpp"
#include "kernel.hpp"
#include "threads.hpp"

namespace nb = nanobind;

namespace grapheme {
namespace {

// The kernels of a precision that this machine can run, the fastest last.
template <class Real>
std::vector<const Kernel<Real>*> kernels() {
  constexpr bool twice = sizeof(Real) == sizeof(double);
  const auto choose = [](const Kernel<double>& full, const Kernel<float>& single) {
    if constexpr (twice) {
      return &full;
    } else {
      return &single;
    }
  };
  std::vector<const Kernel<Real>*> found{choose(plain_kernel, plain_single_kernel)};
#ifdef GRAPHEME_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    found.push_back(choose(avx2_kernel, avx2_single_kernel));
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
      found.push_back(choose(avx512_kernel, avx512_single_kernel));
    }
  }
#endif
  return found;
}

template <class Real>
const Kernel<Real>& kernel(const std::string& level) {
  for (const Kernel<Real>* one : kernels<Real>()) {
    if (level == one->name) return *one;
  }
  throw std::invalid_argument("this processor has no " + level);
}

std::vector<std::string> levels() {
  std::vector<std::string> names;
  for (const Kernel<double>* one : kernels<double>()) names.emplace_back(one->name);
  return names;
}

template <class T>
T* at(std::uintptr_t address, Index offset) {
  return reinterpret_cast<T*>(address) + offset;
}

Index occupied(const double* mass, Index size) { return size - std::count(mass, mass + size, 0.0); }

// Multiply-adds of `sweeps` sweeps and `systems` linear systems.
double effort(Index n, Index m, double sweeps, double systems) {
  const double small = static_cast<double>(std::min(n, m)),
               area = static_cast<double>(n) * static_cast<double>(m);
  return area * (20 + 2 * sweeps) + systems * small * (area / 2 + small * small / 6);
}

void solve(std::uintptr_t cost, std::uintptr_t eps, std::uintptr_t a, std::uintptr_t b, Index pairs,
           Index rows, Index columns, double tolerance, Index max_iterations, bool newton,
           std::uintptr_t plan, std::uintptr_t f, std::uintptr_t g, std::uintptr_t residual,
           std::uintptr_t iterations, int threads, const std::string& level) {
  const nb::gil_scoped_release released;
  const Kernel<double>& chosen = kernel<double>(level);
  std::vector<double> costs(static_cast<std::size_t>(pairs));
  for (Index k = 0; k < pairs; ++k) {
    const Index n = occupied(at<double>(a, k * rows), rows),
                m = occupied(at<double>(b, k * columns), columns);
    const double sweeps = static_cast<double>(std::min<Index>(max_iterations, 25));
    costs[static_cast<std::size_t>(k)] = effort(n, m, sweeps, newton ? 4 : 0);
  }
  in_parallel(costs, threads, [&](Index k, Arena& arena) {
    const Index area = rows * columns;
    chosen.solve(
        {rows, columns, at<double>(cost, k * area), *at<double>(eps, k), at<double>(a, k * rows),
         at<double>(b, k * columns), tolerance, max_iterations, newton, at<double>(plan, k * area),
         at<double>(f, k * rows), at<double>(g, k * columns), at<double>(residual, k),
         at<std::int64_t>(iterations, k)},
        arena);
  });
}

void adjoint(std::uintptr_t cost, std::uintptr_t eps, std::uintptr_t a, std::uintptr_t b,
             std::uintptr_t plan, std::uintptr_t iterations, std::uintptr_t implicit,
             std::uintptr_t grad_plan, Index pairs, Index rows, Index columns,
             std::uintptr_t grad_cost, std::uintptr_t grad_a, std::uintptr_t grad_b, int threads,
             const std::string& level) {
  const nb::gil_scoped_release released;
  const Kernel<double>& chosen = kernel<double>(level);
  std::vector<double> costs(static_cast<std::size_t>(pairs));
  for (Index k = 0; k < pairs; ++k) {
    const Index n = occupied(at<double>(a, k * rows), rows),
                m = occupied(at<double>(b, k * columns), columns);
    const bool once = *at<bool>(implicit, k);
    costs[static_cast<std::size_t>(k)] =
        once ? effort(n, m, 0, 1)
             : effort(n, m, 3.0 * static_cast<double>(*at<std::int64_t>(iterations, k)), 0);
  }
  in_parallel(costs, threads, [&](Index k, Arena& arena) {
    const Index area = rows * columns;
    chosen.adjoint({rows, columns, at<double>(cost, k * area), *at<double>(eps, k),
                    at<double>(a, k * rows), at<double>(b, k * columns), at<double>(plan, k * area),
                    static_cast<Index>(*at<std::int64_t>(iterations, k)), *at<bool>(implicit, k),
                    at<double>(grad_plan, k * area), at<double>(grad_cost, k * area),
                    at<double>(grad_a, k * rows), at<double>(grad_b, k * columns)},
                   arena);
  });
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
void align(const Addresses& arrays, const Sizes& sizes, const Numbers& numbers,
           const Addresses& found, int threads, const std::string& level) {
  const nb::gil_scoped_release released;
  const Kernel<Real>& chosen = kernel<Real>(level);
  const Graphs<Real> all = read_graphs<Real>(arrays, sizes, numbers);
  expect_finite(all);
  const Found<Real> to = read_found<Real>(found);
  const double sweeps = static_cast<double>(std::min<Index>(all.settings.max_iterations, 25));
  in_parallel(efforts(all, sweeps, all.settings.mode == Mode::unrolled ? 0 : 3), threads,
              [&](Index k, Arena& arena) { chosen.align(all, to, k, arena); });
}

template <class Real>
void align_adjoint(const Addresses& arrays, const Sizes& sizes, const Numbers& numbers,
                   const Addresses& found, const Addresses& slopes, int threads,
                   const std::string& level) {
  const nb::gil_scoped_release released;
  const Kernel<Real>& chosen = kernel<Real>(level);
  const Graphs<Real> all = read_graphs<Real>(arrays, sizes, numbers);
  const Found<Real> from = read_found<Real>(found);
  const Slopes<Real> to = read_slopes<Real>(slopes);
  in_parallel(efforts(all, 0, all.settings.mode == Mode::cut ? 0 : 1), threads,
              [&](Index k, Arena& arena) { chosen.align_adjoint(all, from, to, k, arena); });
}

// What is wrong with a batch, 0 for nothing; see `Fault` and `loss/batch/_layout.py`.
int lay_out(std::uintptr_t batch, std::uintptr_t edges, Index nodes, Index num_edges, Index graphs,
            bool directed, std::uintptr_t count, std::uintptr_t place, std::uintptr_t graph,
            std::uintptr_t ends) {
  using Int = std::int64_t;
  const Layout layout{at<Int>(batch, 0), at<Int>(edges, 0), at<Int>(edges, num_edges),
                      nodes,             num_edges,         graphs,
                      directed,          at<Int>(count, 0), at<Int>(place, 0),
                      at<Int>(graph, 0), at<Int>(ends, 0),  at<Int>(ends, num_edges)};
  return static_cast<int>(layout.check());
}

}  // namespace

NB_MODULE(_native, module) {
  module.doc() =
      "Transport plans and their derivative, one pair at a time in cache; see "
      "docs/design/0004-native-kernel.md.";
  module.def("levels", &levels, "The instruction sets this machine can run, the fastest last.");
  module.def("solve", &solve);
  module.def("adjoint", &adjoint);
  module.def("align", &align<double>);
  module.def("align_single", &align<float>);
  module.def("align_adjoint", &align_adjoint<double>);
  module.def("align_adjoint_single", &align_adjoint<float>);
  module.def("lay_out", &lay_out);
}

}  // namespace grapheme
