// What the operations of the network read and write, as plain arrays: the graphs of a batch one
// behind the other. Derivatives are null where only the value is asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.hpp"

namespace grapheme {

// What one call takes: columns of messages, and numbers of which some are dropped.
constexpr Index COLUMNS = 32, DROPPED = 4096;

// Attention within each graph: node i has query, key and value of each head, `[n, 3, heads, size]`.
// With a rotation the angles of `size / 2` pairs of coordinates are given by cosine and sine.
template <class Real>
struct Attention {
  Index heads, size;
  std::vector<Index> first;  // node of each graph; one more at the end
  const Real* query_key_value;
  const Real *cosine, *sine;  // [n, size / 2]; may be null
  Real* mixed;                // [n, heads, size]
  const Real* grad_mixed;
  Real* grad_query_key_value;
};

// Messages along edges, both ways: `[n, 3, dim]` holds of each node what it says to itself, what
// its successors hear and what its predecessors hear. The two gates of each kind of edge are
// `[2, kinds, dim]`.
template <class Real>
struct Messages {
  Index nodes, edges, kinds, dim;
  const std::int64_t *source, *sink, *kind;  // [e]
  std::vector<Real> in, out;            // one over the edges that enter and leave a node, [n]
  const Real *said, *gate;
  Real* heard;  // [n, dim]
  const Real* grad_heard;
  Real *grad_said, *grad_gate;
};

// Logits of the relations of candidate edges, see `cpp/network/pair_scores.hpp`. Edges are sorted
// by graph, and parted into groups of whole graphs, each of which sums its share of the derivatives
// in what all graphs have in common: `[groups, ...]`.
template <class Real>
struct PairScores {
  Index dim, heads, relations, steps;
  std::vector<Index> edge, node;         // where each group begins; one more at the end
  const std::int64_t *source, *sink, *step;   // [e]; `step` may be null
  const Real* node_vectors;              // [n, 4, dim]: query, key, from, to
  const Real *offset, *mix, *read;       // [steps, dim], [heads, dim], [relations, dim]
  Real* logits;                          // [e, relations]
  const Real* grad_logits;
  Real* grad_node_vectors;
  Real *grad_offset, *grad_mix, *grad_read;  // of each group
};

// What a layer made of its nodes, see `cpp/network/dropout.hpp`; `threshold` of 65536 are left out.
template <class Real>
struct Dropout {
  Index count;
  std::uint64_t seed, threshold;
  const Real *before, *after;
  Real* result;
  const Real* grad_result;
  Real *grad_before, *grad_after;
};

}  // namespace grapheme
