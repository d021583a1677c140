#include "batch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace grapheme {
namespace {

// Reads a list from its start.
template <class T>
class Reader {
 public:
  explicit Reader(const std::vector<T>& from) : from_(from) {}
  T next() { return from_.at(at_++); }

 private:
  const std::vector<T>& from_;
  std::size_t at_ = 0;
};

template <class T>
const T* array(Reader<std::uintptr_t>& from) {
  return reinterpret_cast<const T*>(from.next());
}

std::vector<Index> starts(const std::int64_t* counts, Index graphs) {
  std::vector<Index> first(static_cast<std::size_t>(graphs) + 1, 0);
  for (Index k = 0; k < graphs; ++k) first[k + 1] = first[k] + static_cast<Index>(counts[k]);
  return first;
}

void expect(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

bool within(const std::int64_t* values, Index count, std::int64_t low, std::int64_t end) {
  return std::all_of(values, values + count,
                     [&](std::int64_t x) { return low <= x && x < end; });
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

// Edges by graph, in the order given within each.
Edges group(Reader<std::uintptr_t>& arrays, Index count, const std::vector<Index>& first) {
  const std::int64_t* graph = array<std::int64_t>(arrays);
  Edges edges{array<std::int64_t>(arrays), array<std::int64_t>(arrays), {}, {}};
  const auto graphs = static_cast<Index>(first.size()) - 1;
  expect(within(graph, count, 0, graphs), "an edge of no graph");
  edges.start.assign(static_cast<std::size_t>(graphs) + 1, 0);
  for (Index e = 0; e < count; ++e) {
    const Index size = first[graph[e] + 1] - first[graph[e]];
    expect(within(edges.source + e, 1, 0, size) && within(edges.sink + e, 1, 0, size),
           "an edge outside its graph");
    ++edges.start[graph[e] + 1];
  }
  for (Index k = 0; k < graphs; ++k) edges.start[k + 1] += edges.start[k];
  edges.order.resize(static_cast<std::size_t>(count));
  std::vector<Index> next = edges.start;
  for (Index e = 0; e < count; ++e) edges.order[next[graph[e]]++] = e;
  return edges;
}

Settings read_settings(const Sizes& flags, std::size_t at, const Numbers& numbers) {
  expect(flags.size() == at + 6 && numbers.size() == 10, "settings");
  return {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
          numbers[5], numbers[6], numbers[7], numbers[8], numbers[9],
          flags[at],  flags[at + 1], flags[at + 2] != 0, flags[at + 3] != 0, flags[at + 4] != 0,
          static_cast<Mode>(flags[at + 5])};
}

}  // namespace

template <class Real>
Graphs<Real> read_graphs(const Addresses& given, const Sizes& sizes, const Numbers& numbers) {
  Reader<std::uintptr_t> arrays(given);
  Graphs<Real> all{};
  expect(given.size() == 23 && sizes.size() == 17, "sizes");
  all.pairs = sizes[0], all.rows = sizes[1], all.columns = sizes[2];
  const Index nodes = sizes[3], target_nodes = sizes[4], edges = sizes[5], targets = sizes[6];
  all.outputs = sizes[7], all.relations = sizes[8], all.coordinates = sizes[9];
  expect(0 <= sizes[10] && sizes[10] <= 2, "a way to compare nodes that there is not");
  all.likeness = static_cast<Likeness>(sizes[10]);
  all.settings = read_settings(sizes, 11, numbers);

  all.first = starts(array<std::int64_t>(arrays), all.pairs);
  all.target_first = starts(array<std::int64_t>(arrays), all.pairs);
  expect(all.first.back() == nodes && all.target_first.back() == target_nodes, "sizes of graphs");
  for (Index k = 0; k < all.pairs; ++k) {
    expect(all.first[k + 1] - all.first[k] < all.rows &&
               all.target_first[k + 1] - all.target_first[k] < all.columns,
           "sizes of plans");
  }
  all.edges = group(arrays, edges, all.first);
  all.target_edges = group(arrays, targets, all.target_first);
  all.target_relation = array<std::int64_t>(arrays);
  expect(within(all.target_relation, targets, 1, all.relations), "a relation there is not");
  all.exists = array<Real>(arrays), all.absent = array<Real>(arrays);
  all.score = array<Real>(arrays), all.agreement = array<Real>(arrays);
  all.label = array<std::int64_t>(arrays), all.wanted = array<Real>(arrays);
  if (all.likeness == Likeness::labels)
    expect(within(all.label, target_nodes, 0, all.outputs), "a class there is not");
  all.relation = array<Real>(arrays), all.weight = array<Real>(arrays);
  all.target_weight = array<Real>(arrays);
  all.position = array<Real>(arrays), all.target_position = array<Real>(arrays);
  all.eps = array<Real>(arrays), all.head = array<Real>(arrays);
  all.scale = array<Real>(arrays);
  return all;
}

template <class Real>
void expect_finite(const Graphs<Real>& all) {
  const Index nodes = all.first.back(), edges = static_cast<Index>(all.edges.order.size());
  const Index scores = all.likeness == Likeness::dense
                           ? all.pairs * (all.rows - 1) * (all.columns - 1)
                           : nodes * all.outputs;
  const bool ok = finite(all.exists, nodes) && finite(all.absent, nodes) &&
                  finite(all.score, scores) && finite(all.relation, edges * all.relations) &&
                  (!all.weight || finite_weights(all)) &&
                  (!all.head || finite(all.head, all.pairs * all.rows * all.columns)) &&
                  (!all.position || finite_places(all));
  if (!ok) throw std::overflow_error("a number that is not finite");
}

template <class Real>
Found<Real> read_found(const Addresses& given) {
  expect(given.size() == 4, "results");
  const auto to = [&](std::size_t k) { return reinterpret_cast<Real*>(given[k]); };
  return {to(0), to(1), to(2), reinterpret_cast<std::int64_t*>(given[3])};
}

template <class Real>
Slopes<Real> read_slopes(const Addresses& given) {
  expect(given.size() == 10, "derivatives");
  const auto to = [&](std::size_t k) { return reinterpret_cast<Real*>(given[k]); };
  return {to(0), to(1), to(2), to(3), to(4), to(5), to(6), to(7), to(8), to(9)};
}

template Graphs<double> read_graphs(const Addresses&, const Sizes&, const Numbers&);
template Graphs<float> read_graphs(const Addresses&, const Sizes&, const Numbers&);
template void expect_finite(const Graphs<double>&);
template void expect_finite(const Graphs<float>&);
template Found<double> read_found(const Addresses&);
template Found<float> read_found(const Addresses&);
template Slopes<double> read_slopes(const Addresses&);
template Slopes<float> read_slopes(const Addresses&);

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
