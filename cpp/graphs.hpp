// A batch of predicted graphs beside target graphs, as the fused operator takes it: ragged arrays
// of nodes and edges, the graphs of a batch one behind the other.
#pragma once

#include <cstdint>
#include <vector>

#include "arena.hpp"

namespace grapheme {

// What is said of a predicted node beside a target node, see `loss/terms/_node_cost.py`.
enum class Likeness { labels, features, dense };

// How the plans differentiate, see `ot/_plan.py`.
enum class Mode { exact, implicit, unrolled, cut };

// The edges of one side: places of their ends within their graph, and which edges each graph has.
struct Edges {
  const std::int64_t *source, *sink;
  std::vector<Index> order;  // edges by graph
  std::vector<Index> start;  // of each graph, in `order`; one more at the end
};

struct Settings {
  double alpha, beta, gamma;
  double position_weight, slack;
  double node_insertion, node_deletion, edge_insertion, edge_deletion;
  double tolerance;
  Index rounds, max_iterations;
  bool edit, proximal, directed;
  Mode mode;
};

// Arrays that may be null are marked so; `first` is where the nodes of a graph begin.
template <class Real>
struct Graphs {
  Index pairs, rows, columns;  // of the padded plans, with the void
  std::vector<Index> first, target_first;
  const Real *exists, *absent;  // log h, log (1 - h)

  Likeness likeness;
  Index outputs;          // columns of `score` and `wanted`
  const Real* score;      // labels: log p; features: x; dense: the surprise of each pair, padded
  const Real* agreement;  // null but for dense
  const std::int64_t* label;  // null but for labels
  const Real* wanted;         // null but for features
  const Real* scale;  // half the squared distance that agrees to 1/e; null but for features

  Index relations;  // with "absent"
  Edges edges, target_edges;
  const Real *relation, *weight;  // log q; weight may be null
  const std::int64_t* target_relation;
  const Real* target_weight;  // null as `weight` is

  Index coordinates;
  const Real *position, *target_position;  // null if there are none

  const Real* eps;
  const Real* head;  // what the cost of the first plan has besides, padded; null if nothing
  Settings settings;
};

// What is computed: terms (total, node, edge, clique) x pairs; the rest round by round.
template <class Real>
struct Found {
  Real *terms, *plans, *residual;
  std::int64_t* iterations;
};

// Derivatives of a loss in what was found, and where those in the inputs go. `plan` may be null.
template <class Real>
struct Slopes {
  const Real *terms, *plan;
  Real *exists, *absent, *score, *agreement, *relation, *weight, *position, *head;
};

}  // namespace grapheme
