// Batches of graphs from the tensors of PyTorch, with every number that will be an index checked.
#pragma once

#include <cstdint>

#include "loss/graphs.hpp"
#include "tensor.hpp"

namespace grapheme {

using Whole = std::int64_t;

// Whether all numbers are in [low, end).
bool within(const Whole* values, Index count, Whole low, Whole end);

// What the operator of the whole loss is given, by name; of the same form is the record of the
// derivatives in it. B pairs, n predicted and m target nodes, e candidates, t target edges.
struct Inputs {
  Tensor num_predicted, num_target;                               // [B], nodes of each graph
  Tensor graph, source, sink;                                     // [e], ends as places
  Tensor target_graph, target_source, target_sink;                // [t]
  Tensor target_relation;                                         // [t], from 1
  Tensor log_existence, log_absence;                              // [n]
  Tensor node_score;                                              // [n, d], or dense [B, N, M]
  Tensor node_match;                                              // dense [B, N, M]
  Tensor target_class;                                            // [m]
  Tensor target_vector, vector_scale;                             // [m, d], [B]
  Tensor log_relation;                                            // [e, R + 1], 0 means absent
  Tensor weight, target_weight;                                   // [e], [t]; may be none
  Tensor edge_gain, round_gain, target_value, edge_constant;      // [e, C], [e, C], [t, C], [B]
  Tensor deletion_cost, insertion_cost;                           // [n], [m]; may be none
  Tensor position, target_position;                               // [n, D], [m, D]; may be none
  Tensor temperature;                                             // [B]
  Tensor first_cost;                                              // [B, N + 1, M + 1]; may be none
};

// What it computes: `terms` [4, B], `plans` [rounds + 1, B, N + 1, M + 1], `residual` and
// `iterations` [rounds + 1, B]; of all rounds together, [B], the largest residual, the iterations
// and whether every round converged. The derivative reads plans, residual and iterations only.
struct Outputs {
  Tensor terms, plans, residual, iterations;
  Tensor largest_residual, total_iterations, converged;
};

// The derivative in what it computes, each of one number a pair, and in the last plan; any may be
// none, which is zero.
struct Cotangents {
  Tensor total, node, edge, clique, plan;
};

// These throw std::invalid_argument where a tensor is not what it must be or an index points
// outside.
template <class Real>
Graphs<Real> read_graphs(const Inputs& inputs, const Outputs& outputs, const Settings& settings);
template <class Real>
Results<Real> read_results(const Outputs& outputs, const Graphs<Real>& all);
template <class Real>
Results<Real> read_rounds(const Outputs& outputs, const Graphs<Real>& all);
template <class Real>
Summary<Real> read_summary(const Outputs& outputs, const Graphs<Real>& all);
template <class Real>
Gradients<Real> read_gradients(const Inputs& gradients, const Inputs& inputs,
                               const Cotangents& from, const Graphs<Real>& all);

template <class Real>
void summarise(const Results<Real>& results, const Graphs<Real>& all, const Summary<Real>& to);

// Throws std::overflow_error where a number is NaN or infinite: impossible matches are not the
// kernel's.
template <class Real>
void expect_finite(const Graphs<Real>& all);

// What can be wrong with a batch of graphs.
enum class Fault { none, batch, ends, apart, twice };

// Checks a disjoint union and writes where its nodes and edges stand in their graphs.
struct Layout {
  const std::int64_t *batch, *source, *sink;
  Index nodes, edges, graphs;
  bool directed;
  std::int64_t *count, *place, *edge_graph, *edge_source, *edge_sink;

  Fault check() const;

 private:
  bool twice() const;
};

}  // namespace grapheme
