#include "network/operations.hpp"

#include <algorithm>
#include <string>

#include "base/threads.hpp"
#include "batch.hpp"

namespace nb = nanobind;

namespace grapheme {
namespace {

void expect(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

// Where the nodes of each graph that has any begin, and their number at the end.
std::vector<Index> starts(const Tensor& batch, Index nodes) {
  const Whole* graph = read<Whole>(batch, "batch", {nodes});
  expect(std::is_sorted(graph, graph + nodes), "`batch` must ascend.");
  std::vector<Index> first;
  for (Index i = 0; i < nodes; ++i)
    if (i == 0 || graph[i] != graph[i - 1]) first.push_back(i);
  first.push_back(nodes);
  return first;
}

// Equal costs of so many items.
std::vector<double> each(Index items, double cost) {
  return std::vector<double>(static_cast<std::size_t>(items), cost);
}

Index blocks(Index count, Index size) { return (count + size - 1) / size; }

template <class Real>
Attention<Real> attention(const AttendCall& call) {
  const Tensor& qkv = call.query_key_value;
  const Index n = qkv.size(0), heads = qkv.size(2), size = qkv.size(3);
  expect(heads > 0 && size > 0, "`query_key_value` must have heads of some size.");
  Attention<Real> all{};
  all.heads = heads;
  all.size = size;
  all.first = starts(call.batch, n);
  all.query_key_value = read<Real>(qkv, "query_key_value", {n, 3, heads, size});
  all.cosine = read_if_given<Real>(call.cosine, "cosine", {n, size / 2});
  all.sine = read_if_given<Real>(call.sine, "sine", {n, size / 2});
  expect(!all.cosine == !all.sine, "`cosine` and `sine` must be given both or neither.");
  return all;
}

template <class Real>
std::vector<double> efforts(const Attention<Real>& all, double times) {
  std::vector<double> costs;
  for (std::size_t k = 0; k + 1 < all.first.size(); ++k) {
    const auto count = static_cast<double>(all.first[k + 1] - all.first[k]);
    costs.push_back(times * count * (count + 8) * static_cast<double>(all.heads * all.size) / 4);
  }
  return costs;
}

template <class Real>
void attend_in(const AttendCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  Attention<Real> all = attention<Real>(call);
  const Index n = call.query_key_value.size(0);
  all.mixed = read<Real>(call.mixed, "mixed", {n, all.heads, all.size});
  const nb::gil_scoped_release released;
  in_parallel(efforts(all, 1), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.attend(all, k, arena); });
}

template <class Real>
void attend_adjoint_in(const AttendCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  Attention<Real> all = attention<Real>(call);
  const Index n = call.query_key_value.size(0);
  all.grad_mixed = read<Real>(call.grad_mixed, "grad_mixed", {n, all.heads, all.size});
  all.grad_query_key_value =
      read<Real>(call.grad_query_key_value, "grad_query_key_value", {n, 3, all.heads, all.size});
  const nb::gil_scoped_release released;
  in_parallel(efforts(all, 3), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.attend_adjoint(all, k, arena); });
}

template <class Real>
Messages<Real> messages(const HearCall& call) {
  Messages<Real> all{};
  all.nodes = call.said.size(0);
  all.dim = call.said.size(2);
  all.edges = call.edge_index.size(1);
  all.kinds = call.gate.size(1);
  all.said = read<Real>(call.said, "said", {all.nodes, 3, all.dim});
  all.gate = read<Real>(call.gate, "gate", {2, all.kinds, all.dim});
  all.source = read<Whole>(call.edge_index, "edge_index", {2, all.edges});
  all.sink = all.source + all.edges;
  all.kind = read<Whole>(call.kind, "kind", {all.edges});
  expect(within(all.source, 2 * all.edges, 0, all.nodes), "an edge of a node there is not");
  expect(within(all.kind, all.edges, 0, all.kinds), "a kind of edge there is not");
  all.in.assign(static_cast<std::size_t>(all.nodes), Real(0));
  all.out = all.in;
  for (Index e = 0; e < all.edges; ++e) {
    ++all.in[static_cast<std::size_t>(all.sink[e])];
    ++all.out[static_cast<std::size_t>(all.source[e])];
  }
  for (auto* counts : {&all.in, &all.out})
    for (Real& count : *counts) count = 1 / std::max(count, Real(1));
  return all;
}

template <class Real>
std::vector<double> efforts(const Messages<Real>& all, double times) {
  const auto rows = static_cast<double>(all.nodes + 4 * all.edges);
  return each(blocks(all.dim, COLUMNS), times * rows * static_cast<double>(COLUMNS) / 4);
}

template <class Real>
void hear_in(const HearCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  Messages<Real> all = messages<Real>(call);
  all.heard = read<Real>(call.heard, "heard", {all.nodes, all.dim});
  const nb::gil_scoped_release released;
  in_parallel(efforts(all, 1), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.hear(all, k, arena); });
}

template <class Real>
void hear_adjoint_in(const HearCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  Messages<Real> all = messages<Real>(call);
  all.grad_heard = read<Real>(call.grad_heard, "grad_heard", {all.nodes, all.dim});
  all.grad_said = read<Real>(call.grad_said, "grad_said", {all.nodes, 3, all.dim});
  all.grad_gate = read<Real>(call.grad_gate, "grad_gate", {2, all.kinds, all.dim});
  const nb::gil_scoped_release released;
  in_parallel(efforts(all, 2), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.hear_adjoint(all, k, arena); });
}

// Parts the graphs into groups with about as many edges each, and checks that edges keep to them.
template <class Real>
void group(PairScores<Real>& all, const std::vector<Index>& first, Index edges) {
  const std::size_t graphs = first.size() - 1;
  std::size_t k = 0;
  Index e = 0;
  for (Index g = 0; g <= GROUPS; ++g) {
    const Index share = edges * g / GROUPS;
    for (; k < graphs && (e < share || g == GROUPS); ++k) {
      for (; e < edges && first[k] <= all.source[e] && all.source[e] < first[k + 1]; ++e)
        expect(first[k] <= all.sink[e] && all.sink[e] < first[k + 1], "an edge between two graphs");
    }
    all.edge.push_back(e);
    all.node.push_back(first[k]);
  }
  expect(e == edges, "`edge_index` must be sorted by graph.");
}

template <class Real>
PairScores<Real> pair_scores(const PairScoresCall& call) {
  PairScores<Real> all{};
  const Index n = call.node_vectors.size(0), edges = call.edge_index.size(1);
  all.dim = call.node_vectors.size(2);
  all.heads = call.mix.size(0);
  all.relations = call.read.size(0);
  expect(all.heads > 0 && all.dim > 0 && all.dim % all.heads == 0,
         "`node_vectors` must have an equal share for each head.");
  all.node_vectors = read<Real>(call.node_vectors, "node_vectors", {n, 4, all.dim});
  all.mix = read<Real>(call.mix, "mix", {all.heads, all.dim});
  all.read = read<Real>(call.read, "read", {all.relations, all.dim});
  all.source = read<Whole>(call.edge_index, "edge_index", {2, edges});
  all.sink = all.source + edges;
  if (call.offset) {
    all.steps = call.offset.size(0);
    all.offset = read<Real>(call.offset, "offset", {all.steps, all.dim});
    all.step = read<Whole>(call.step, "step", {edges});
    expect(within(all.step, edges, 0, all.steps), "a step there is not");
  }
  group(all, starts(call.batch, n), edges);
  return all;
}

template <class Real>
std::vector<double> efforts(const PairScores<Real>& all, double times) {
  std::vector<double> costs;
  const auto each = static_cast<double>(all.dim * (all.heads + all.relations + 20)) / 4;
  for (std::size_t g = 0; g < GROUPS; ++g)
    costs.push_back(times * each * static_cast<double>(all.edge[g + 1] - all.edge[g]));
  return costs;
}

template <class Real>
void score_pairs_in(const PairScoresCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  PairScores<Real> all = pair_scores<Real>(call);
  all.logits = read<Real>(call.logits, "logits", {call.edge_index.size(1), all.relations});
  const nb::gil_scoped_release released;
  in_parallel(efforts(all, 1), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.score_pairs(all, k, arena); });
}

template <class Real>
void score_pairs_adjoint_in(const PairScoresCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  PairScores<Real> all = pair_scores<Real>(call);
  const Index d = all.dim;
  all.grad_logits =
      read<Real>(call.grad_logits, "grad_logits", {call.edge_index.size(1), all.relations});
  all.grad_node_vectors =
      read<Real>(call.grad_node_vectors, "grad_node_vectors", {call.node_vectors.size(0), 4, d});
  if (all.offset)
    all.grad_offset = read<Real>(call.grad_offset, "grad_offset", {GROUPS, all.steps, d});
  all.grad_mix = read<Real>(call.grad_mix, "grad_mix", {GROUPS, all.heads, d});
  all.grad_read = read<Real>(call.grad_read, "grad_read", {GROUPS, all.relations, d});
  const nb::gil_scoped_release released;
  in_parallel(efforts(all, 2), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.score_pairs_adjoint(all, k, arena); });
}

template <class Real>
Dropout<Real> dropout(const DropCall& call, const Tensor& like) {
  expect(0 <= call.threshold && call.threshold < 65536, "`threshold` must be in [0, 65536).");
  Dropout<Real> all{};
  all.count = like.size(0) * like.size(1);
  all.seed = static_cast<std::uint64_t>(call.seed);
  all.threshold = static_cast<std::uint64_t>(call.threshold);
  return all;
}

template <class Real>
void drop_in(const DropCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  Dropout<Real> all = dropout<Real>(call, call.before);
  const Index n = call.before.size(0), d = call.before.size(1);
  all.before = read<Real>(call.before, "before", {n, d});
  all.after = read<Real>(call.after, "after", {n, d});
  all.result = read<Real>(call.result, "result", {n, d});
  const nb::gil_scoped_release released;
  in_parallel(each(blocks(all.count, DROPPED), 2.0 * DROPPED), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.drop(all, k, arena); });
}

template <class Real>
void drop_adjoint_in(const DropCall& call, const Machine& machine) {
  const Kernel<Real>& chosen = kernel<Real>(machine.level);
  Dropout<Real> all = dropout<Real>(call, call.grad_result);
  const Index n = call.grad_result.size(0), d = call.grad_result.size(1);
  all.grad_result = read<Real>(call.grad_result, "grad_result", {n, d});
  all.grad_before = read<Real>(call.grad_before, "grad_before", {n, d});
  all.grad_after = read<Real>(call.grad_after, "grad_after", {n, d});
  const nb::gil_scoped_release released;
  in_parallel(each(blocks(all.count, DROPPED), 2.0 * DROPPED), machine.num_threads,
              [&](Index k, Arena& arena) { chosen.drop_adjoint(all, k, arena); });
}

}  // namespace

// Each in the precision of what it is given first.
#define IN_PRECISION(function, Call, tensor)                                          \
  void function(const Call& call, const Machine& machine) {                           \
    const bool single = call.tensor.type == Type::float32;                            \
    (single ? function##_in<float> : function##_in<double>)(call, machine);           \
  }

IN_PRECISION(attend, AttendCall, query_key_value)
IN_PRECISION(attend_adjoint, AttendCall, query_key_value)
IN_PRECISION(hear, HearCall, said)
IN_PRECISION(hear_adjoint, HearCall, said)
IN_PRECISION(score_pairs, PairScoresCall, node_vectors)
IN_PRECISION(score_pairs_adjoint, PairScoresCall, node_vectors)
IN_PRECISION(drop, DropCall, before)
IN_PRECISION(drop_adjoint, DropCall, grad_result)

}  // namespace grapheme
