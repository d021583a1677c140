// One pair of a call of `solve` or `adjoint`, in padded row-major arrays.
#pragma once

#include <cstdint>

#include "base/arena.hpp"

namespace grapheme {

// `rows`, `columns` are the padded sizes.
template <class Real>
struct SolvePair {
  Index rows, columns;
  const Real* cost;  // rows x columns
  Real eps;
  const Real *a, *b;
  Real tolerance;
  Index max_iterations;
  bool newton;
  Real *plan, *f, *g, *residual;
  std::int64_t* iterations;
};

template <class Real>
struct AdjointPair {
  Index rows, columns;
  const Real* cost;
  Real eps;
  const Real *a, *b, *plan;
  Index iterations;
  bool implicit;
  const Real* grad_plan;
  Real *grad_cost, *grad_a, *grad_b;
};

}  // namespace grapheme
