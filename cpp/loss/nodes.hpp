// Matching cost and node cost of one pair, (E1), (E13) and (E14), and their derivative.
#pragma once

#include "loss/graphs.hpp"
#include "transport/side.hpp"

namespace grapheme::GRAPHEME_ISA {

using Pairs = Graphs<Real>;

constexpr Index FEW = 4;  // vectors of sums that are made side by side

// All matrices stand as the plan does: nodes, then the void if it has mass, then padding of zeros.
class Nodes {
 public:
  Nodes(const Pairs& all, Index k, const Side& rows, const Side& columns, Arena& arena)
      : all_(all),
        k_(k),
        first_(all.first[k]),
        target_first_(all.target_first[k]),
        n_(all.first[k + 1] - first_),
        m_(all.target_first[k + 1] - target_first_),
        void_column_(columns.count > m_),
        scale_(all.vector_scale ? all.vector_scale[k] : 1),
        h_(take(arena, padded(n_))),
        match_(matrix(rows.width, columns.width, arena)),
        matching(matrix(rows.width, columns.width, arena)),
        cost(matrix(rows.width, columns.width, arena)) {
    clear(cost.at, cost.rows * cost.width);
    clear(h_, padded(n_));
    for (Index i = 0; i < n_; ++i) h_[i] = all.log_existence[first_ + i];
    for (Index i = 0; i < n_; i += L) store(h_ + i, exp(load(h_ + i)));
    if (all.node_kind == NodeKind::vectors) transpose_vectors(arena);
    for (Index i = 0; i < n_; ++i) set_row(i);
    for (Index i = n_; i < matching.rows; ++i) clear(matching.row(i), matching.width);
    if (rows.count > n_) {
      void_row_ = true;
      for (Index j = 0; j < m_; ++j) matching.row(n_)[j] = cost.row(n_)[j] = insertion(j);
    }
  }

  // Adds the derivatives in what the costs were made of, given those in both.
  void write(const Matrix& by_matching, const Matrix& by_cost, const Gradients<Real>& to,
             Arena& arena) const {
    Real* by_agreement = take(arena, matching.width);
    for (Index i = 0; i < n_; ++i)
      write_row(i, by_matching.row(i), by_cost.row(i), by_agreement, to);
    if (!void_row_ || !to.insertion_cost) return;
    for (Index j = 0; j < m_; ++j)
      to.insertion_cost[target_first_ + j] += by_matching.row(n_)[j] + by_cost.row(n_)[j];
  }

 private:
  const Pairs& all_;
  Index k_, first_, target_first_, n_, m_;
  bool void_column_, void_row_ = false;
  Real scale_;  // the surprise at which nodes agree to 1/e
  Real* h_;
  Matrix match_;
  Matrix given_{}, vectors_{};  // features of the targets: one row a target, one row a feature

 public:
  Matrix matching;  // in edits
  Matrix cost;      // what the node term charges

 private:
  // In double precision, as the settings are.
  double deletion(Index i) const {
    return all_.deletion_cost ? all_.deletion_cost[first_ + i] : all_.settings.node_deletion;
  }
  double insertion(Index j) const {
    return all_.insertion_cost ? all_.insertion_cost[target_first_ + j]
                               : all_.settings.node_insertion;
  }

  void transpose_vectors(Arena& arena) {
    const Matrix given = matrix((m_ + L - 1) / L * L, padded(all_.outputs), arena);
    clear(given.at, given.rows * given.width);
    for (Index j = 0; j < m_; ++j)
      std::memcpy(given.row(j), all_.target_vector + (target_first_ + j) * all_.outputs,
                  sizeof(Real) * static_cast<std::size_t>(all_.outputs));
    const Index wide = (given.rows + FEW * L - 1) / (FEW * L) * (FEW * L);
    vectors_ = matrix(given.width, wide, arena);
    clear(vectors_.at, vectors_.rows * vectors_.width);
    transpose(given, vectors_);
    given_ = given;
  }

  const Real* score(Index i) const {
    if (all_.node_kind == NodeKind::dense)
      return all_.node_score + (k_ * (all_.rows - 1) + i) * (all_.columns - 1);
    return all_.node_score + (first_ + i) * all_.outputs;
  }

  // The surprise of node i beside every target node, and the agreement.
  void compare(Index i, Real* surprise, Real* agreement) const {
    const Real* own = score(i);
    if (all_.node_kind == NodeKind::dense) {
      const Real* given = all_.node_match + (own - all_.node_score);
      for (Index j = 0; j < m_; ++j) surprise[j] = own[j], agreement[j] = given[j];
      return;
    }
    if (all_.node_kind == NodeKind::classes) {
      const std::int64_t* label = all_.target_class + target_first_;
      for (Index j = 0; j < m_; ++j) surprise[j] = -own[label[j]];
    } else {
      for (Index j = 0; j < m_; j += FEW * L) square_distances(own, j, surprise);
      for (Index j = m_; j < padded(m_); ++j) surprise[j] = 0;
    }
    const Vec scale = splat(scale_);
    for (Index j = 0; j < m_; j += L)
      store(agreement + j, exp_or_nan(-load(surprise + j) / scale));
    for (Index j = m_; j < matching.width; ++j) agreement[j] = 0;
  }

  // Half the squared distances to FEW vectors of targets: sums that do not wait for each other.
  void square_distances(const Real* own, Index j, Real* to) const {
    const Index count = (padded(m_) - j) / L < FEW ? (padded(m_) - j) / L : FEW;
    Vec total[FEW];
    for (Index w = 0; w < FEW; ++w) total[w] = splat(0);
    for (Index d = 0; d < all_.outputs; ++d) {
      const Vec x = splat(own[d]);
      for (Index w = 0; w < FEW; ++w) {
        const Vec step = x - load(vectors_.row(d) + j + w * L);
        total[w] += step * step;
      }
    }
    for (Index w = 0; w < count; ++w) store(to + j + w * L, splat(0.5) * total[w]);
  }

  void set_row(Index i) {
    const Settings& s = all_.settings;
    Real *charge = cost.row(i), *match = matching.row(i), *agreement = match_.row(i);
    clear(agreement, matching.width);
    compare(i, charge, agreement);
    for (Index j = 0; j < m_; ++j) match[j] = 1 - h_[i] * agreement[j];
    clear(match + m_, matching.width - m_);
    if (s.edit) {
      copy(charge, match, matching.width);
    } else {
      for (Index j = 0; j < m_; ++j) charge[j] -= all_.log_existence[first_ + i];
    }
    if (void_column_) {
      match[m_] = deletion(i) * h_[i];
      charge[m_] = s.edit ? match[m_] : -deletion(i) * all_.log_absence[first_ + i];
    }
    if (!all_.position) return;
    for (Index d = 0; d < all_.coordinates; ++d) {
      const Real here = all_.position[(first_ + i) * all_.coordinates + d];
      const Real* there = all_.target_position + target_first_ * all_.coordinates + d;
      for (Index j = 0; j < m_; ++j)
        match[j] += s.position_weight * std::fabs(here - there[j * all_.coordinates]);
    }
  }

  void write_row(Index i, const Real* by_match, const Real* by_charge, Real* by_agreement,
                 const Gradients<Real>& to) const {
    const Settings& s = all_.settings;
    const Real* agreement = match_.row(i);
    Real by_h = 0, by_exists = 0;
    for (Index j = 0; j < m_; ++j) {
      const Real by_mismatch = by_match[j] + (s.edit ? by_charge[j] : 0);
      by_h -= agreement[j] * by_mismatch;
      by_agreement[j] = -h_[i] * by_mismatch;
      if (!s.edit) by_exists -= by_charge[j];
    }
    if (void_column_) {
      const Real by_edits = by_match[m_] + (s.edit ? by_charge[m_] : 0);
      by_h += deletion(i) * by_edits;
      if (!s.edit) to.log_absence[first_ + i] -= deletion(i) * by_charge[m_];
      if (to.deletion_cost) {
        const Real by_nats = s.edit ? 0 : -all_.log_absence[first_ + i] * by_charge[m_];
        to.deletion_cost[first_ + i] += by_edits * h_[i] + by_nats;
      }
    }
    to.log_existence[first_ + i] += by_exists + by_h * h_[i];
    write_score(i, by_charge, by_agreement, to);
    if (all_.position) write_position(i, by_match, to.position);
  }

  void write_score(Index i, const Real* by_charge, Real* by_agreement,
                   const Gradients<Real>& to) const {
    const bool edit = all_.settings.edit;
    const Real *own = score(i), *agreement = match_.row(i);
    Real* by_own = to.node_score + (own - all_.node_score);
    if (all_.node_kind == NodeKind::dense) {
      Real* by_given = to.node_match + (own - all_.node_score);
      for (Index j = 0; j < m_; ++j) {
        by_own[j] = edit ? 0 : by_charge[j];
        by_given[j] = by_agreement[j];
      }
      return;
    }
    for (Index j = 0; j < m_; ++j)  // from here in the surprise
      by_agreement[j] = (edit ? 0 : by_charge[j]) - by_agreement[j] * agreement[j] / scale_;
    if (all_.node_kind == NodeKind::classes) {
      const std::int64_t* label = all_.target_class + target_first_;
      for (Index j = 0; j < m_; ++j) by_own[label[j]] -= by_agreement[j];
      return;
    }
    Real total = 0;
    for (Index j = 0; j < m_; ++j) total += by_agreement[j];
    for (Index d = 0; d < given_.width; d += FEW * L) {
      const Index count = (given_.width - d) / L < FEW ? (given_.width - d) / L : FEW;
      alignas(64) Real pull[FEW * L];
      count == FEW ? pulls<FEW>(d, by_agreement, pull) : pulls<1>(d, by_agreement, pull, count);
      for (Index f = d; f < all_.outputs && f < d + count * L; ++f)
        by_own[f] = total * own[f] - pull[f - d];
    }
  }

  // Sums over the targets of their features, W vectors of them at a time, by weight.
  template <Index W>
  void pulls(Index d, const Real* weight, Real* to, Index count = W) const {
    for (Index w = 0; w < count; w += W) {
      Vec sum[W];
      for (Index v = 0; v < W; ++v) sum[v] = splat(0);
      for (Index j = 0; j < m_; ++j)
        for (Index v = 0; v < W; ++v)
          sum[v] += splat(weight[j]) * load(given_.row(j) + d + (w + v) * L);
      for (Index v = 0; v < W; ++v) store(to + (w + v) * L, sum[v]);
    }
  }

  void write_position(Index i, const Real* by_match, Real* to) const {
    for (Index d = 0; d < all_.coordinates; ++d) {
      const Index at = (first_ + i) * all_.coordinates + d;
      const Real* there = all_.target_position + target_first_ * all_.coordinates + d;
      Real total = 0;
      for (Index j = 0; j < m_; ++j) {
        const Real step = all_.position[at] - there[j * all_.coordinates];
        total += step > 0 ? by_match[j] : step < 0 ? -by_match[j] : 0;
      }
      to[at] = all_.settings.position_weight * total;
    }
  }
};

}  // namespace grapheme::GRAPHEME_ISA
