#include "batch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace grapheme {

bool within(const Whole* values, Index count, Whole low, Whole end) {
  return std::all_of(values, values + count, [&](Whole x) { return low <= x && x < end; });
}

namespace {

void expect(bool ok, const std::string& what) {
  if (!ok) throw std::invalid_argument(what);
}

template <class Real>
bool finite(const Real* values, Index count) {
  bool ok = true;  // no early end, so that the loop becomes vectors; false for NaN
  for (Index i = 0; i < count; ++i)
    ok &= std::fabs(values[i]) <= std::numeric_limits<Real>::max();
  return ok;
}

template <class Real>
bool finite_places(const Graphs<Real>& all) {
  return finite(all.position, all.first.back() * all.coordinates) &&
         finite(all.target_position, all.target_first.back() * all.coordinates);
}

template <class Real>
bool finite_weights(const Graphs<Real>& all) {
  return finite(all.weight, static_cast<Index>(all.edges.order.size())) &&
         finite(all.target_weight, static_cast<Index>(all.target_edges.order.size()));
}

template <class Real>
bool finite_costs(const Graphs<Real>& all) {
  const auto given = [](const Real* x, Index count) { return !x || finite(x, count); };
  const Index gains = static_cast<Index>(all.edges.order.size()) * all.channels,
              values = static_cast<Index>(all.target_edges.order.size()) * all.channels;
  return given(all.edge_gain, gains) && given(all.round_gain, gains) &&
         given(all.target_value, values) && given(all.edge_constant, all.pairs) &&
         given(all.deletion_cost, all.first.back()) &&
         given(all.insertion_cost, all.target_first.back());
}

// Where the nodes of each graph begin; graphs leave room for the void in a side of the plans.
std::vector<Index> starts(const Tensor& counts, const char* name, Index graphs, Index room) {
  const Whole* count = read<Whole>(counts, name, {graphs});
  std::vector<Index> first(static_cast<std::size_t>(graphs) + 1, 0);
  for (Index k = 0; k < graphs; ++k) {
    expect(0 <= count[k] && count[k] < room,
           "`" + std::string(name) + "` must leave room for the void in `plans`.");
    first[k + 1] = first[k] + static_cast<Index>(count[k]);
  }
  return first;
}

// Edges by graph, in the order given within each.
Edges group(const Whole* graph, const Whole* source, const Whole* sink, Index count,
            const std::vector<Index>& first) {
  Edges edges{source, sink, {}, {}};
  const auto graphs = static_cast<Index>(first.size()) - 1;
  expect(within(graph, count, 0, graphs), "an edge of no graph");
  edges.start.assign(static_cast<std::size_t>(graphs) + 1, 0);
  for (Index e = 0; e < count; ++e) {
    const Index size = first[graph[e] + 1] - first[graph[e]];
    expect(within(source + e, 1, 0, size) && within(sink + e, 1, 0, size),
           "an edge outside its graph");
    ++edges.start[graph[e] + 1];
  }
  for (Index k = 0; k < graphs; ++k) edges.start[k + 1] += edges.start[k];
  edges.order.resize(static_cast<std::size_t>(count));
  std::vector<Index> next = edges.start;
  for (Index e = 0; e < count; ++e) edges.order[next[graph[e]]++] = e;
  return edges;
}

// Names of arrays are those of their members.
#define READ(T, from, name, ...) read<T>(from.name, #name, {__VA_ARGS__})
#define READ_IF_GIVEN(T, from, name, ...) read_if_given<T>(from.name, #name, {__VA_ARGS__})

template <class Real>
void read_nodes(const Inputs& in, Graphs<Real>& all) {
  const Index n = all.first.back(), m = all.target_first.back();
  all.log_existence = READ(Real, in, log_existence, n);
  all.log_absence = READ(Real, in, log_absence, n);
  all.deletion_cost = READ_IF_GIVEN(Real, in, deletion_cost, n);
  all.insertion_cost = READ_IF_GIVEN(Real, in, insertion_cost, m);
  all.outputs = in.node_score.size(1);
  if (in.node_match) {
    all.node_kind = NodeKind::dense;
    all.node_score = READ(Real, in, node_score, all.pairs, all.rows - 1, all.columns - 1);
    all.node_match = READ(Real, in, node_match, all.pairs, all.rows - 1, all.columns - 1);
    return;
  }
  all.node_score = READ(Real, in, node_score, n, all.outputs);
  if (in.target_vector) {
    all.node_kind = NodeKind::vectors;
    all.target_vector = READ(Real, in, target_vector, m, all.outputs);
    all.vector_scale = READ(Real, in, vector_scale, all.pairs);
    return;
  }
  all.node_kind = NodeKind::classes;
  all.target_class = READ(Whole, in, target_class, m);
  expect(within(all.target_class, m, 0, all.outputs), "a class there is not");
}

template <class Real>
void read_positions(const Inputs& in, Graphs<Real>& all) {
  const Index n = all.first.back(), m = all.target_first.back();
  all.coordinates = in.position.size(1);
  all.position = READ_IF_GIVEN(Real, in, position, n, all.coordinates);
  if (in.position) all.target_position = READ(Real, in, target_position, m, all.coordinates);
}

// Edge costs that are given: neither relations nor weights of target edges are read then.
template <class Real>
void read_edge_costs(const Inputs& in, Index e, Index t, Graphs<Real>& all) {
  all.edge_costs_given = true;
  all.channels = in.edge_gain.size(1);
  all.edge_gain = READ(Real, in, edge_gain, e, all.channels);
  if (all.settings.rounds > 0) all.round_gain = READ(Real, in, round_gain, e, all.channels);
  all.target_value = READ(Real, in, target_value, t, all.channels);
  all.edge_constant = READ(Real, in, edge_constant, all.pairs);
  expect(!in.weight, "`weight` must not be given beside `edge_gain`.");
}

template <class Real>
void read_edges(const Inputs& in, Graphs<Real>& all) {
  const Index e = in.graph.size(0), t = in.target_graph.size(0);
  all.edges = group(READ(Whole, in, graph, e), READ(Whole, in, source, e),
                    READ(Whole, in, sink, e), e, all.first);
  all.target_edges =
      group(READ(Whole, in, target_graph, t), READ(Whole, in, target_source, t),
            READ(Whole, in, target_sink, t), t, all.target_first);
  all.relations = in.log_relation.size(1);
  all.log_relation = READ(Real, in, log_relation, e, all.relations);
  if (in.edge_gain) return read_edge_costs(in, e, t, all);
  all.target_relation = READ(Whole, in, target_relation, t);
  expect(within(all.target_relation, t, 1, all.relations), "a relation there is not");
  all.weight = READ_IF_GIVEN(Real, in, weight, e);
  if (in.weight) all.target_weight = READ(Real, in, target_weight, t);
}

}  // namespace

template <class Real>
Graphs<Real> read_graphs(const Inputs& in, const Outputs& out, const Settings& settings) {
  Graphs<Real> all{};
  all.settings = settings;
  all.pairs = in.num_predicted.size(0);
  all.rows = out.plans.size(2), all.columns = out.plans.size(3);
  all.first = starts(in.num_predicted, "num_predicted", all.pairs, all.rows);
  all.target_first = starts(in.num_target, "num_target", all.pairs, all.columns);
  read_nodes(in, all);
  read_positions(in, all);
  read_edges(in, all);
  all.temperature = READ(Real, in, temperature, all.pairs);
  all.first_cost = READ_IF_GIVEN(Real, in, first_cost, all.pairs, all.rows, all.columns);
  return all;
}

template <class Real>
void expect_finite(const Graphs<Real>& all) {
  const Index nodes = all.first.back(), edges = static_cast<Index>(all.edges.order.size());
  const Index scores = all.node_kind == NodeKind::dense
                           ? all.pairs * (all.rows - 1) * (all.columns - 1)
                           : nodes * all.outputs;
  const bool ok = finite(all.log_existence, nodes) && finite(all.log_absence, nodes) &&
                  finite(all.node_score, scores) &&
                  finite(all.log_relation, edges * all.relations) &&
                  (!all.weight || finite_weights(all)) &&
                  (!all.first_cost ||
                   finite(all.first_cost, all.pairs * all.rows * all.columns)) &&
                  (!all.position || finite_places(all)) && finite_costs(all);
  if (!ok) throw std::overflow_error("a number that is not finite");
}

template <class Real>
Results<Real> read_rounds(const Outputs& out, const Graphs<Real>& all) {
  const Index rounds = all.settings.rounds + 1;
  return {nullptr, READ(Real, out, plans, all.settings.kept_plans(), all.pairs, all.rows, all.columns),
          READ(Real, out, residual, rounds, all.pairs),
          READ(Whole, out, iterations, rounds, all.pairs)};
}

template <class Real>
Results<Real> read_results(const Outputs& out, const Graphs<Real>& all) {
  Results<Real> found = read_rounds<Real>(out, all);
  found.terms = READ(Real, out, terms, TERMS, all.pairs);
  return found;
}

template <class Real>
Summary<Real> read_summary(const Outputs& out, const Graphs<Real>& all) {
  return {READ(Real, out, largest_residual, all.pairs),
          READ(Whole, out, total_iterations, all.pairs), READ(bool, out, converged, all.pairs)};
}

template <class Real>
void summarise(const Results<Real>& results, const Graphs<Real>& all, const Summary<Real>& to) {
  const Real tolerance = static_cast<Real>(all.settings.tolerance);
  for (Index k = 0; k < all.pairs; ++k) {
    Real largest = results.residual[k];
    Whole total = results.iterations[k];
    for (Index at = k + all.pairs; at <= all.settings.rounds * all.pairs + k; at += all.pairs) {
      const Real residual = results.residual[at];
      if (!(residual <= largest) && largest == largest) largest = residual;  // NaN stays
      total += results.iterations[at];
    }
    to.largest_residual[k] = largest;
    to.total_iterations[k] = total;
    to.converged[k] = largest <= tolerance;
  }
}

// Where the derivative in an input goes: of the same shape; null if there is no such input.
template <class Real>
Real* like(const Tensor& gradient, const Tensor& input, const char* name) {
  if (!input) return nullptr;
  const Index* s = input.shape;
  const std::string full = "gradients." + std::string(name);
  switch (input.rank) {
    case 1: return read<Real>(gradient, full.c_str(), {s[0]});
    case 2: return read<Real>(gradient, full.c_str(), {s[0], s[1]});
    default: return read<Real>(gradient, full.c_str(), {s[0], s[1], s[2]});
  }
}

#define LIKE(name) like<Real>(gradients.name, inputs.name, #name)

template <class Real>
Gradients<Real> read_gradients(const Inputs& gradients, const Inputs& inputs,
                               const Cotangents& from, const Graphs<Real>& all) {
  return {{read_if_given<Real>(from.total, "grad_total", {all.pairs}),
           read_if_given<Real>(from.node, "grad_node", {all.pairs}),
           read_if_given<Real>(from.edge, "grad_edge", {all.pairs}),
           read_if_given<Real>(from.clique, "grad_clique", {all.pairs})},
          read_if_given<Real>(from.plan, "grad_plan", {all.pairs, all.rows, all.columns}),
          LIKE(log_existence),
          LIKE(log_absence),
          LIKE(node_score),
          LIKE(node_match),
          LIKE(log_relation),
          LIKE(weight),
          LIKE(position),
          LIKE(edge_gain),
          LIKE(round_gain),
          LIKE(edge_constant),
          LIKE(deletion_cost),
          LIKE(insertion_cost),
          LIKE(first_cost)};
}

#define OF_PRECISION(Real)                                                                   \
  template Graphs<Real> read_graphs(const Inputs&, const Outputs&, const Settings&);         \
  template void expect_finite(const Graphs<Real>&);                                          \
  template Results<Real> read_results(const Outputs&, const Graphs<Real>&);                  \
  template Results<Real> read_rounds(const Outputs&, const Graphs<Real>&);                   \
  template Summary<Real> read_summary(const Outputs&, const Graphs<Real>&);                  \
  template Gradients<Real> read_gradients(const Inputs&, const Inputs&, const Cotangents&,   \
                                          const Graphs<Real>&);                              \
  template void summarise(const Results<Real>&, const Graphs<Real>&, const Summary<Real>&);
OF_PRECISION(double)
OF_PRECISION(float)

Fault Layout::check() const {
  if (!within(batch, nodes, 0, graphs) || !std::is_sorted(batch, batch + nodes))
    return Fault::batch;
  std::fill(count, count + graphs, 0);
  for (Index i = 0; i < nodes; ++i) place[i] = count[batch[i]]++;
  if (!within(source, edges, 0, nodes) || !within(sink, edges, 0, nodes)) return Fault::ends;
  for (Index e = 0; e < edges; ++e) {
    edge_graph[e] = batch[source[e]];
    if (batch[sink[e]] != edge_graph[e]) return Fault::apart;
    edge_source[e] = place[source[e]];
    edge_sink[e] = place[sink[e]];
  }
  return twice() ? Fault::twice : Fault::none;
}

bool Layout::twice() const {
  // Edges by their first end, then a stamp for every second end.
  const auto first = [&](Index e) { return directed ? source[e] : std::min(source[e], sink[e]); };
  std::vector<Index> start(static_cast<std::size_t>(nodes) + 1, 0),
      order(static_cast<std::size_t>(edges)), stamp(static_cast<std::size_t>(nodes), -1);
  for (Index e = 0; e < edges; ++e) ++start[first(e) + 1];
  for (Index i = 0; i < nodes; ++i) start[i + 1] += start[i];
  for (Index e = 0; e < edges; ++e) order[start[first(e)]++] = e;
  for (const Index e : order) {
    const std::int64_t i = first(e), j = source[e] + sink[e] - i;
    if (stamp[j] == i) return true;
    stamp[j] = i;
  }
  return false;
}

}  // namespace grapheme
