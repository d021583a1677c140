// Batches of graphs from the arrays of PyTorch, with every number that will be an index checked.
#pragma once

#include <cstdint>
#include <vector>

#include "graphs.hpp"

namespace grapheme {

using Addresses = std::vector<std::uintptr_t>;
using Sizes = std::vector<Index>;
using Numbers = std::vector<double>;

// The order of all three is that of `loss/engines/_kernel.py`. Throws std::invalid_argument where an index
// points outside.
template <class Real>
Graphs<Real> read_graphs(const Addresses& arrays, const Sizes& sizes, const Numbers& numbers);

// Throws std::overflow_error where a number is NaN or infinite: impossible matches are not the
// kernel's.
template <class Real>
void expect_finite(const Graphs<Real>& all);

template <class Real>
Found<Real> read_found(const Addresses& arrays);
template <class Real>
Slopes<Real> read_slopes(const Addresses& arrays);

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
