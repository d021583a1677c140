// What a kernel computes: one pair, from and to the arrays of its batch. Compiled once for each
// instruction set and precision; the table of one of them is a `Kernel`.
#pragma once

#include "loss/graphs.hpp"
#include "transport/pairs.hpp"

namespace grapheme {

template <class Real>
struct Kernel {
  const char* name;
  void (*solve)(const SolvePair<Real>&, Arena&);
  void (*adjoint)(const AdjointPair<Real>&, Arena&);
  void (*align)(const Graphs<Real>&, const Results<Real>&, Index pair, Arena&);
  void (*align_adjoint)(const Graphs<Real>&, const Results<Real>&, const Gradients<Real>&,
                        Index pair, Arena&);
};

extern const Kernel<double> plain_kernel;
extern const Kernel<float> plain_single_kernel;
#ifdef GRAPHEME_X86
extern const Kernel<double> avx2_kernel, avx512_kernel;
extern const Kernel<float> avx2_single_kernel, avx512_single_kernel;
#endif

}  // namespace grapheme
