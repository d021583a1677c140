// The operations of the network that Python may call, on tensors with a name each; results are
// written in place. n nodes, whose graphs `batch` [n] tells, ascending; e edges.
#pragma once

#include "isa/kernel.hpp"
#include "tensor.hpp"

namespace grapheme {

struct AttendCall {
  Tensor query_key_value;  // [n, 3, heads, size]
  Tensor cosine, sine;     // [n, size / 2]; may be none
  Tensor batch;
  Tensor mixed;                             // [n, heads, size]
  Tensor grad_mixed, grad_query_key_value;  // of the derivative only
};
void attend(const AttendCall& call, const Machine& machine);
void attend_adjoint(const AttendCall& call, const Machine& machine);

struct HearCall {
  Tensor said, gate;        // [n, 3, dim], [2, kinds, dim]
  Tensor edge_index, kind;  // [2, e], [e]
  Tensor heard;             // [n, dim]
  Tensor grad_heard, grad_said, grad_gate;
};
void hear(const HearCall& call, const Machine& machine);
void hear_adjoint(const HearCall& call, const Machine& machine);

// Derivatives in `offset`, `mix` and `read` are those of groups of graphs, to be summed:
// [GROUPS, ...].
struct PairScoresCall {
  Tensor node_vectors;          // [n, 4, dim]: query, key, from, to
  Tensor offset, mix, read;     // [steps, dim], may be none; [heads, dim]; [relations, dim]
  Tensor edge_index, step;      // [2, e] sorted by graph; [e], with `offset`
  Tensor batch;
  Tensor logits;  // [e, relations]
  Tensor grad_logits, grad_node_vectors, grad_offset, grad_mix, grad_read;
};
constexpr Index GROUPS = 16;
void score_pairs(const PairScoresCall& call, const Machine& machine);
void score_pairs_adjoint(const PairScoresCall& call, const Machine& machine);

struct DropCall {
  Tensor before, after;  // [n, dim]
  std::int64_t seed, threshold;
  Tensor result;
  Tensor grad_result, grad_before, grad_after;
};
void drop(const DropCall& call, const Machine& machine);
void drop_adjoint(const DropCall& call, const Machine& machine);

}  // namespace grapheme
