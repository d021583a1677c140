// What a kernel computes: one pair, from and to the arrays of its batch. Compiled once for each
// instruction set and precision; the table of one of them is a `Kernel`.
#pragma once

#include <string>
#include <vector>

#include "loss/graphs.hpp"
#include "network/arrays.hpp"
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
  // Of the network: a graph, a group of graphs or a block of numbers.
  void (*attend)(const Attention<Real>&, Index graph, Arena&);
  void (*attend_adjoint)(const Attention<Real>&, Index graph, Arena&);
  void (*hear)(const Messages<Real>&, Index block, Arena&);
  void (*hear_adjoint)(const Messages<Real>&, Index block, Arena&);
  void (*score_pairs)(const PairScores<Real>&, Index group, Arena&);
  void (*score_pairs_adjoint)(const PairScores<Real>&, Index group, Arena&);
  void (*drop)(const Dropout<Real>&, Index block, Arena&);
  void (*drop_adjoint)(const Dropout<Real>&, Index block, Arena&);
};

extern const Kernel<double> plain_kernel;
extern const Kernel<float> plain_single_kernel;
#ifdef GRAPHEME_X86
extern const Kernel<double> avx2_kernel, avx512_kernel;
extern const Kernel<float> avx2_single_kernel, avx512_single_kernel;
#endif

// Threads at most, and the instruction set.
struct Machine {
  int num_threads;
  const std::string& level;
};

// The instruction sets this machine can run, the fastest last.
std::vector<std::string> levels();

// The kernel of one of them. Throws std::invalid_argument if this machine has not that.
template <class Real>
const Kernel<Real>& kernel(const std::string& level);

}  // namespace grapheme
