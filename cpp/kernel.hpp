// What a kernel computes: one pair, from and to padded row-major arrays of float64.
// Compiled once for each instruction set; the table of one of them is a `Kernel`.
#pragma once

#include <cstdint>

#include "graphs.hpp"

namespace grapheme {

// One pair of a call of `solve`. `rows`, `columns` are the padded sizes.
struct SolvePair {
  Index rows, columns;
  const double* cost;  // rows x columns
  double eps;
  const double *a, *b;
  double tolerance;
  Index max_iterations;
  bool newton;
  double *plan, *f, *g, *residual;
  std::int64_t* iterations;
};

// One pair of a call of `adjoint`.
struct AdjointPair {
  Index rows, columns;
  const double* cost;
  double eps;
  const double *a, *b, *plan;
  Index iterations;
  bool implicit;
  const double* grad_plan;
  double *grad_cost, *grad_a, *grad_b;
};

struct Kernel {
  const char* name;
  void (*solve)(const SolvePair&, Arena&);
  void (*adjoint)(const AdjointPair&, Arena&);
  void (*align)(const Graphs<double>&, const Found<double>&, Index pair, Arena&);
  void (*align_adjoint)(const Graphs<double>&, const Found<double>&, const Slopes<double>&,
                        Index pair, Arena&);
};

extern const Kernel plain_kernel;
#ifdef GRAPHEME_X86
extern const Kernel avx2_kernel;
extern const Kernel avx512_kernel;
#endif

}  // namespace grapheme
