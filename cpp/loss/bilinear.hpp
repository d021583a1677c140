// The edge term of one pair as a function of the plan, (E16), and its slope, (E19), from lists of
// edges: `sum_e sum_c K_e(c) sum_ij A_ij(c) P_ui P_vj` over candidates e = (u, v).
#pragma once

#include "loss/edge_costs.hpp"

namespace grapheme::GRAPHEME_ISA {

class Bilinear {
 public:
  Bilinear(const Graphs<Real>& all, Index k, Index rows, Index width, Index channels,
           Arena& arena)
      : all_(all),
        k_(k),
        channels_(channels),
        begin_(all.edges.start[k]),
        // Without target edges nothing can be aligned.
        count_(all.target_edges.start[k + 1] > all.target_edges.start[k]
                   ? all.edges.start[k + 1] - begin_
                   : 0),
        turned_(matrix(width, rows, arena)),
        spread_(matrix(width, rows, arena)),
        sinks_(matrix(channels * rows, width, arena)),
        sources_(matrix(channels * rows, width, arena)) {}

  // Z(c)_vi = sum_j A_ij(c) P_vj, what lies at the far end of the target edges from i. With it are
  // known the value at `p` and its derivative in the gains. Likewise Y(c)_uj, for the slope.
  void set(const Matrix& p, bool for_slope) {
    if (count_ == 0) return;
    transpose(p, turned_);
    for (Index c = 0; c < channels_; ++c) {
      spread(c, true, block(sinks_, c));
      if (for_slope) spread(c, false, block(sources_, c));
    }
  }

  // Adds what `value` would have if P_u. were `p`'s: <P_u., Z(c)_v.> of each candidate.
  void by_gain(const Matrix& p, Real scale, Real* to) const {
    for (Index e = 0; e < count_; ++e) {
      const auto [u, v] = ends(e);
      for (Index c = 0; c < channels_; ++c)
        to[e * channels_ + c] += scale * dot(p.row(u), block(sinks_, c).row(v), p.width);
    }
  }

  Real value(const Matrix& p, const EdgeCosts& costs) const {
    Real total = costs.constant;
    for (Index e = 0; e < count_; ++e) {
      const auto [u, v] = ends(e);
      for (Index c = 0; c < channels_; ++c)
        total += costs.gain[e * channels_ + c] *
                 dot(p.row(u), block(sinks_, c).row(v), p.width);
    }
    return total;
  }

  // Adds `scale` times the slope at the plan that was set.
  void add_slope(const EdgeCosts& costs, Real scale, const Matrix& to) const {
    for (Index e = 0; e < count_; ++e) {
      const auto [u, v] = ends(e);
      for (Index c = 0; c < channels_; ++c) {
        const Real gain = scale * costs.gain[e * channels_ + c];
        add_to(to.row(u), gain, block(sinks_, c).row(v), to.width);
        add_to(to.row(v), gain, block(sources_, c).row(u), to.width);
      }
    }
  }

 private:
  const Graphs<Real>& all_;
  Index k_, channels_, begin_, count_;
  Matrix turned_, spread_, sinks_, sources_;

  std::pair<Index, Index> ends(Index e) const {
    const Index edge = all_.edges.order[begin_ + e];
    return {all_.edges.source[edge], all_.edges.sink[edge]};
  }

  Matrix block(const Matrix& all, Index c) const {
    const Index rows = all.rows / channels_;
    return {all.row(c * rows), rows, all.width};
  }

  // What is given; else of the relation's own channel one, of those of the weights its powers.
  Real share(Index edge, Index c) const {
    if (all_.edge_costs_given) return all_.target_value[edge * channels_ + c];
    const Index relations = all_.relations - 1;
    if (c < relations) return all_.target_relation[edge] == c + 1 ? 1 : 0;
    const Real w = all_.target_weight[edge];
    return c == relations ? 1 : c == relations + 1 ? w : w * w;
  }

  void spread(Index c, bool sinks, const Matrix& to) {
    const Edges& edges = all_.target_edges;
    clear(spread_.at, spread_.rows * spread_.width);
    for (Index at = edges.start[k_]; at < edges.start[k_ + 1]; ++at) {
      const Index edge = edges.order[at];
      const Real x = share(edge, c);
      if (x == 0) continue;
      Index i = edges.source[edge], j = edges.sink[edge];
      if (!sinks) std::swap(i, j);
      add_to(spread_.row(i), x, turned_.row(j), turned_.width);
      // A loop is the same in both directions: laid once.
      if (!all_.settings.directed && i != j)
        add_to(spread_.row(j), x, turned_.row(i), turned_.width);
    }
    transpose(spread_, to);
  }
};

}  // namespace grapheme::GRAPHEME_ISA
