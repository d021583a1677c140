// Sinkhorn sweeps in scaling form, (E4)-(E6), that are as stable as those in the log domain.
//
// Beside base potentials f0, g0 we keep the matrix K = exp(f0 + g0 - c), and beside K the scalings
// x = a exp(f - f0), y = b exp(g - g0). A half-sweep is then one product with K,
//     s = K y,  x = a / s  (E4),      t = K^T x,  y = b / t  (E5),
// and the plan is x K y. Once a scaling leaves e^-RANGE ... e^RANGE the potentials become the
// base and K is made again. An entry of K below e^-700 is stored as zero: beside scalings in
// range it could bring at most e^(2 RANGE - 700) of a row.
#pragma once

#include "transport/side.hpp"

namespace grapheme::GRAPHEME_ISA {

// In single precision e^(2 RANGE - 87) is still less than what it can tell from zero.
constexpr Real RANGE = sizeof(Real) == 8 ? 100 : 30;

class Scaling {
 public:
  // `c` is padded by infinity.
  Scaling(const Matrix& c, const Side& rows, const Side& columns, Arena& arena)
      : c_(c), rows_(rows), columns_(columns), k_{take(arena, c.rows * c.width), c.rows, c.width} {
    for (Real** p : {&f0_, &s_, &x_}) *p = take(arena, rows.width);
    for (Real** p : {&g0_, &y_, &t_, &new_g_}) *p = take(arena, columns.width);
    clear(k_.row(rows.count), (k_.rows - rows.count) * k_.width);
    clear(f0_, rows.width);
  }

  // Starts at column potentials g (scaled, as in the Python reference), rows exact.
  void start(const Real* g) {
    rebase_rows(g);
    meet_rows();
  }

  // As `start`, keeping K where it serves.
  void move_to(const Real* g) {
    Vec farthest = splat(0);
    for (Index j = 0; j < columns_.width; j += L)
      farthest = larger(farthest, magnitude(load(g + j) - load(g0_ + j)));
    if (!(largest(farthest) < RANGE)) return start(g);
    for (Index j = 0; j < columns_.width; j += L)
      store(y_ + j, load(columns_.mass + j) * exp(load(g + j) - load(g0_ + j)));
    meet_rows();
  }

  // One sweep: (E5), then (E4).
  void sweep() {
    if (!in_range(t_, columns_.width)) {
      // Some column sees nothing of the rows through this K; x becomes a.
      row_potential(f0_);
      rebase_columns();
    }
    for (Index j = 0; j < columns_.width; j += L)
      store(y_ + j, load(columns_.mass + j) / load(t_ + j));
    meet_rows();
  }

  // (E6)
  Real residual() const {
    Vec wrong = splat(0);
    for (Index j = 0; j < columns_.width; j += L)
      wrong += magnitude(load(y_ + j) * load(t_ + j) - load(columns_.mass + j));
    return columns_.total > 0 ? sum(wrong) / columns_.total : sum(wrong);
  }

  // f = f0 - log s; zero in padding.
  void row_potential(Real* f) const {
    for (Index i = 0; i < rows_.width; i += L) store(f + i, load(f0_ + i) - log(load(s_ + i)));
  }

  // g = g0 + log(y / b); zero in padding.
  void column_potential(Real* g) const {
    for (Index j = 0; j < columns_.width; j += L) {
      const Vec vacant = load(columns_.vacant + j);
      store(g + j,
            load(g0_ + j) + log((load(y_ + j) + vacant) / (load(columns_.mass + j) + vacant)));
    }
  }

  Vec plan(Index i, Index j) const { return load(k_.row(i) + j) * splat(x_[i]) * load(y_ + j); }

  const Matrix& k() const { return k_; }
  const Real* x() const { return x_; }
  const Real* y() const { return y_; }
  const Real* t() const { return t_; }
  Index rebased() const { return rebased_; }

 private:
  // (E4), and the column sums over y that (E5) and (E6) need.
  void meet_rows() {
    if (!meet()) {
      column_potential(new_g_);
      rebase_rows(new_g_);
      meet();
    }
  }

  bool meet() {
    Bits faults = splat_bits(0);
    there_and_back(k_, rows_.count, y_, x_, t_, [&](Index i, Vec s) {
      s += load(rows_.vacant + i);
      store(s_ + i, s);
      faults |= out_of_range(s);
      return load(rows_.mass + i) / s;
    });
    occupy_columns();
    return !any(faults);
  }

  void occupy_columns() {
    for (Index j = 0; j < columns_.width; j += L)
      store(t_ + j, load(t_ + j) + load(columns_.vacant + j));
  }

  // Base at g, with the largest exponent of every row zero; y becomes b.
  void rebase_rows(const Real* g) {
    ++rebased_;
    copy(g0_, g, columns_.width);
    copy(y_, columns_.mass, columns_.width);
    for (Index i = 0; i < rows_.count; ++i) {
      const Real* c = c_.row(i);
      Vec high = load(g0_) - load(c);
      for (Index j = L; j < c_.width; j += L) high = larger(high, load(g0_ + j) - load(c + j));
      f0_[i] = -largest(high);
      for (Index j = 0; j < c_.width; j += L)
        store(k_.row(i) + j, exp(splat(f0_[i]) + (load(g0_ + j) - load(c + j))));
    }
  }

  // Base at f0, with the largest exponent of every column zero; x becomes a, t follows.
  void rebase_columns() {
    ++rebased_;
    fill(g0_, columns_.width, -std::numeric_limits<Real>::infinity());
    for (Index i = 0; i < rows_.count; ++i) {
      for (Index j = 0; j < c_.width; j += L)
        store(g0_ + j, larger(load(g0_ + j), splat(f0_[i]) - load(c_.row(i) + j)));
    }
    for (Index j = 0; j < columns_.width; ++j) g0_[j] = j < columns_.count ? -g0_[j] : 0;
    for (Index i = 0; i < rows_.count; ++i) {
      for (Index j = 0; j < c_.width; j += L)
        store(k_.row(i) + j, exp((splat(f0_[i]) - load(c_.row(i) + j)) + load(g0_ + j)));
    }
    copy(x_, rows_.mass, rows_.width);
    columns_of(k_, x_, t_);
    occupy_columns();
  }

  // e^RANGE
  static Real top() {
    return sizeof(Real) == 8 ? static_cast<Real>(2.6881171418161356e43) : Real(1.0686474e13);
  }
  static Real bottom() { return 1 / top(); }

  static Bits out_of_range(Vec x) {
    return (Bits)(x <= splat(bottom())) | (Bits)(x >= splat(top())) | (Bits)(x != x);
  }

  static bool in_range(const Real* p, Index count) {
    Bits faults = splat_bits(0);
    for (Index i = 0; i < count; i += L) faults |= out_of_range(load(p + i));
    return !any(faults);
  }

  const Matrix& c_;
  const Side &rows_, &columns_;
  Matrix k_;
  Real *f0_, *g0_, *x_, *y_, *s_, *t_, *new_g_;
  Index rebased_ = 0;
};

}  // namespace grapheme::GRAPHEME_ISA
