// What a kernel computes: one pair, from and to padded row-major arrays. Compiled once for each
// instruction set and precision; the table of one of them is a `Kernel`.
#pragma once

#include <cstdint>

#include "graphs.hpp"

namespace grapheme {

// One pair of a call of `solve`. `rows`, `columns` are the padded sizes.
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

// One pair of a call of `adjoint`.
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

template <class Real>
struct Kernel {
  const char* name;
  void (*solve)(const SolvePair<Real>&, Arena&);
  void (*adjoint)(const AdjointPair<Real>&, Arena&);
  void (*align)(const Graphs<Real>&, const Found<Real>&, Index pair, Arena&);
  void (*align_adjoint)(const Graphs<Real>&, const Found<Real>&, const Slopes<Real>&,
                        Index pair, Arena&);
};

extern const Kernel<double> plain_kernel;
extern const Kernel<float> plain_single_kernel;
#ifdef GRAPHEME_X86
extern const Kernel<double> avx2_kernel, avx512_kernel;
extern const Kernel<float> avx2_single_kernel, avx512_single_kernel;
#endif

}  // namespace grapheme
