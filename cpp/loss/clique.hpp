// The clique term of one pair, (E20)-(E24), and its derivative.
#pragma once

#include "loss/graphs.hpp"
#include "transport/side.hpp"

namespace grapheme::GRAPHEME_ISA {

// As in `loss/terms/_clique.py`.
constexpr Real MEAN_SHARE = 0.3, VARIANCE_SHARE = 0.7, SMOOTHING = 0.01;

// (E21)
static inline Real soft_count(Real x) {
  const Real below = x < 1 ? 1 - x : 0;
  return x + below * below * below / 3;
}
static inline Real soft_count_slope(Real x) {
  const Real below = x < 1 ? 1 - x : 0;
  return 1 - below * below;
}

// (E23)
static inline Real smooth_abs(Real x) {
  return std::sqrt(x * x + SMOOTHING * SMOOTHING) - SMOOTHING;
}
static inline Real smooth_abs_slope(Real x) {
  return x / std::sqrt(x * x + SMOOTHING * SMOOTHING);
}

class Clique {
 public:
  Clique(const Graphs<Real>& all, Index k, Arena& arena)
      : all_(all),
        first_(all.first[k]),
        n_(all.first[k + 1] - first_),
        begin_(all.edges.start[k]),
        end_(all.edges.start[k + 1]),
        h_(take(arena, n_)),
        degree_(take(arena, n_)) {
    predicted();
    target(k, arena);
  }

  Real value() const {
    return MEAN_SHARE * smooth_abs(mean_ - target_mean_) +
           VARIANCE_SHARE * smooth_abs(variance_ - target_variance_);
  }

  // Adds `weight` times the derivatives in log h, and in log q of "absent".
  void write(Real weight, const Gradients<Real>& to, Arena& arena) const {
    if (n_ == 0) return;
    const Real by_variance =
        weight * VARIANCE_SHARE * smooth_abs_slope(variance_ - target_variance_);
    const Real scale = by_variance / soft_count(size_);
    Real by_mean = weight * MEAN_SHARE * smooth_abs_slope(mean_ - target_mean_);
    for (Index u = 0; u < n_; ++u) by_mean -= 2 * scale * h_[u] * (density(u) - mean_);
    Real by_size = -(by_mean * mean_ + by_variance * variance_) * soft_count_slope(size_) /
                     soft_count(size_);
    Real *by_h = take(arena, n_), *by_degree = take(arena, n_);
    for (Index u = 0; u < n_; ++u) {
      const Real off = density(u) - mean_, others = size_ - h_[u];
      const Real by_density =
          h_[u] * (by_mean / soft_count(size_) + 2 * scale * off);
      by_h[u] = by_mean * density(u) / soft_count(size_) + scale * off * off;
      by_degree[u] = by_density / soft_count(others);
      const Real by_others =
          -by_density * density(u) * soft_count_slope(others) / soft_count(others);
      by_h[u] -= by_others;
      by_size += by_others;
    }
    for (Index at = begin_; at < end_; ++at) write_edge(all_.edges.order[at], by_h, by_degree, to);
    for (Index u = 0; u < n_; ++u) to.log_existence[first_ + u] += (by_h[u] + by_size) * h_[u];
  }

 private:
  const Graphs<Real>& all_;
  Index first_, n_, begin_, end_;
  Real *h_, *degree_;
  Real size_ = 0, mean_ = 0, variance_ = 0, target_mean_ = 0, target_variance_ = 0;

  Real density(Index u) const { return degree_[u] / soft_count(size_ - h_[u]); }
  Real absent(Index edge) const { return all_.log_relation[edge * all_.relations]; }

  void predicted() {
    for (Index u = 0; u < n_; ++u) {
      h_[u] = std::exp(all_.log_existence[first_ + u]);
      size_ += h_[u];
      degree_[u] = 0;
    }
    for (Index at = begin_; at < end_; ++at) {
      const Index edge = all_.edges.order[at];
      const Index u = all_.edges.source[edge], v = all_.edges.sink[edge];
      const Real there = -std::expm1(absent(edge));
      degree_[u] += h_[v] * there;
      if (!all_.settings.directed) degree_[v] += h_[u] * there;
    }
    for (Index u = 0; u < n_; ++u) mean_ += h_[u] * density(u);
    mean_ /= soft_count(size_);
    for (Index u = 0; u < n_; ++u) {
      const Real off = density(u) - mean_;
      variance_ += h_[u] * off * off;
    }
    variance_ /= soft_count(size_);
  }

  void target(Index k, Arena& arena) {
    const Index m = all_.target_first[k + 1] - all_.target_first[k];
    const Edges& edges = all_.target_edges;
    Real* degree = take(arena, m);
    fill(degree, m, 0);
    for (Index at = edges.start[k]; at < edges.start[k + 1]; ++at) {
      degree[edges.source[edges.order[at]]] += 1;
      if (!all_.settings.directed) degree[edges.sink[edges.order[at]]] += 1;
    }
    const Real count = static_cast<Real>(m), others = soft_count(count - 1);
    for (Index j = 0; j < m; ++j) target_mean_ += degree[j] / others;
    target_mean_ /= soft_count(count);
    for (Index j = 0; j < m; ++j) {
      const Real off = degree[j] / others - target_mean_;
      target_variance_ += off * off;
    }
    target_variance_ /= soft_count(count);
  }

  void write_edge(Index edge, Real* by_h, const Real* by_degree,
                  const Gradients<Real>& to) const {
    const Index u = all_.edges.source[edge], v = all_.edges.sink[edge];
    const Real there = -std::expm1(absent(edge));
    Real by_there = by_degree[u] * h_[v];
    by_h[v] += by_degree[u] * there;
    if (!all_.settings.directed) {
      by_there += by_degree[v] * h_[u];
      by_h[u] += by_degree[v] * there;
    }
    to.log_relation[edge * all_.relations] -= by_there * std::exp(absent(edge));
  }
};

}  // namespace grapheme::GRAPHEME_ISA
