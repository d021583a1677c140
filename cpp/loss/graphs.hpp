// A batch of predicted graphs beside target graphs, as the fused operator takes it: ragged arrays
// of nodes and edges, the graphs of a batch one behind the other.
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.hpp"

namespace grapheme {

// What a predicted node is compared with a target node by, see `NodeKind` of the node costs: logits
// of classes, vectors, or, for any other node cost, two matrices of each pair.
enum class NodeKind { classes, vectors, dense };

// How the plans differentiate, see `ot/_plan.py`.
enum class Mode { exact, implicit, unrolled, detach };

// The edges of one side: places of their ends within their graph, and which edges each graph has.
struct Edges {
  const std::int64_t *source, *sink;
  std::vector<Index> order;  // edges by graph
  std::vector<Index> start;  // of each graph, in `order`; one more at the end
};

struct Settings {
  double alpha = 1, beta = 0, gamma = 0;
  double position_weight = 0, slack = 0;
  double node_insertion = 1, node_deletion = 1, edge_insertion = 1, edge_deletion = 1;
  double tolerance = 0;
  Index rounds = 0, max_iterations = 0;
  bool edit = false, proximal = false, directed = true;
  Mode mode = Mode::exact;

  // A plan that is constant has no derivative that the plans before it are needed for.
  Index kept_plans() const { return mode == Mode::detach ? 1 : rounds + 1; }
};

// Arrays that may be null are marked so; `first` is where the nodes of a graph begin. A padded plan
// has one row and one column more than nodes: those of the void, with which a node that is deleted
// or inserted is matched (the dustbin of other programs).
template <class Real>
struct Graphs {
  Index pairs, rows, columns;  // of the padded plans, with the void
  std::vector<Index> first, target_first;
  const Real *log_existence, *log_absence;

  NodeKind node_kind;
  Index outputs;           // columns of `node_score` and `target_vector`
  const Real* node_score;  // classes: log p; vectors: x; dense: the cost of each pair, padded
  const Real* node_match;  // how well each pair matches, in [0, 1], padded; null but for dense
  const std::int64_t* target_class;  // null but for classes
  const Real* target_vector;         // null but for vectors
  const Real* vector_scale;  // half the squared distance that matches 1/e; null but for vectors

  Index relations;  // with "absent"
  Edges edges, target_edges;
  const Real *log_relation, *weight;  // weight may be null
  const std::int64_t* target_relation;
  const Real* target_weight;  // null as `weight` is

  // What edges cost, if that is given, not made of relations and weights here. `channels`
  // numbers of each candidate: what aligning a target edge of value one in a channel with it adds,
  // in the loss and in the cost of the rounds; of each target edge its values; and of each pair
  // the edge term when nothing is aligned.
  bool edge_costs_given;
  Index channels;
  const Real *edge_gain, *round_gain, *target_value, *edge_constant;

  // Prices of single nodes instead of those of the settings; null if there are none.
  const Real *deletion_cost, *insertion_cost;

  Index coordinates;
  const Real *position, *target_position;  // null if there are none

  const Real* temperature;
  const Real* first_cost;  // added to the cost of the first plan, padded; null if nothing is
  Settings settings;
};

constexpr Index TERMS = 4;  // total, node, edge, clique

// What is computed: terms x pairs; the rest round by round, but see `kept_plans`.
template <class Real>
struct Results {
  Real *terms, *plans, *residual;
  std::int64_t* iterations;
};

// What is said of all rounds of a pair together.
template <class Real>
struct Summary {
  Real* largest_residual;
  std::int64_t* total_iterations;
  bool* converged;
};

// Derivatives of a loss in the terms of each pair and in the last plan, and where those in the
// inputs go. Any of the former may be null for zero; of the latter those of inputs that are.
template <class Real>
struct Gradients {
  const Real *terms[TERMS], *plan;
  Real *log_existence, *log_absence, *node_score, *node_match, *log_relation, *weight, *position;
  Real *edge_gain, *round_gain, *edge_constant, *deletion_cost, *insertion_cost, *first_cost;
};

}  // namespace grapheme
