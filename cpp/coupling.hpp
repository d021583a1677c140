// The linear system of (E8), solved on the smaller side of the plan, (E7) and (E9).
//
// Eliminating the larger side, called outer, leaves for the inner one the matrix
//     S = D(inner margin) - B^T B,  B = D(1 / sqrt(outer margin)) P,
// which is the Laplacian of a graph: its off-diagonal entries are -w_jl with w = B^T B >= 0, and
// its rows sum to zero because the outer margins of P are what we divide by. So its diagonal is
// never needed. Elimination in the manner of Grassmann, Taksar and Heyman takes each pivot as the
// sum of the weights left in its row, adds where Gauss subtracts, and loses no digits however
// little mass two groups of nodes exchange.
#pragma once

#include <cmath>

#include "matrix.hpp"

namespace grapheme::GRAPHEME_ISA {

constexpr double RIDGE = 1e-14;  // relative to a unit of mass, as in the Python reference

// Factors S + RIDGE = U^T U with U = D(p) - V: V >= 0 strictly upper, `inverse` = 1 / p. The
// ridge is one more node, the ground, in column `size` of V. Scratch: V has room for the
// rows up to a multiple of 4.
static inline void factor(const Matrix& b, Index size, const Matrix& v, double* inverse) {
  for (Index top = 0; top < size; top += 4) {
    const Index left = top / L * L, count = v.width - left;
    double* rows = v.row(top) + left;
    for (Index r = 0; r < 4; ++r) clear(rows + r * v.width, count);
    add_product(rows, v.width, b.at + top, b.width, b.at + left, b.width, b.rows, count);
    add_product(rows, v.width, v.at + top, v.width, v.at + left, v.width, top, count);
    const Index bottom = top + 4 < size ? top + 4 : size;
    for (Index j = top; j < bottom; ++j) {
      double* row = v.row(j);
      for (Index i = top; i < j; ++i) {
        const Vec weight = splat(v.row(i)[j]);
        for (Index l = left; l < v.width; l += L) store(row + l, load(row + l) + load(v.row(i) + l) * weight);
      }
      for (Index l = left; l <= j; ++l) row[l] = 0;
      row[size] += RIDGE;
      Vec total = splat(0);
      for (Index l = left; l < v.width; l += L) total += load(row + l);
      inverse[j] = 1 / std::sqrt(sum(total));  // at least sqrt(RIDGE): the ground is a neighbour
      const Vec scale = splat(inverse[j]);
      for (Index l = left; l < v.width; l += L) store(row + l, load(row + l) * scale);
    }
  }
}

// Solves with the factors in place; x[size ...] is overwritten.
static inline void substitute(const Matrix& v, const double* inverse, Index size, double* x) {
  for (Index j = 0; j < size; ++j) {
    x[j] *= inverse[j];
    const Vec weight = splat(x[j]);
    for (Index l = j / L * L; l < v.width; l += L) store(x + l, load(x + l) + load(v.row(j) + l) * weight);
  }
  clear(x + size, v.width - size);  // the ground has potential zero
  for (Index j = size - 1; j >= 0; --j) {
    Vec dot = splat(0);
    for (Index l = j / L * L; l < v.width; l += L) dot += load(v.row(j) + l) * load(x + l);
    x[j] = (x[j] + sum(dot)) * inverse[j];  // V is zero up to its diagonal
  }
}

// One plan, ready for right-hand sides: D(row) u + P v = p, P^T u + D(column) v = q.
class Coupling {
 public:
  // `n` rows and `m` columns with mass; the arrays are padded by zeros.
  Coupling(Index n, Index m, Arena& arena)
      : n_(n), m_(m), rows_inside_(n < m), inner_(rows_inside_ ? n : m), outer_(rows_inside_ ? m : n) {
    b_ = {nullptr, padded(outer_), padded(inner_ + 1)};
    b_.at = arena.take(b_.rows * b_.width);
    v_ = {nullptr, (inner_ + 3) / 4 * 4, b_.width};
    v_.at = arena.take(v_.rows * v_.width);
    inverse_ = arena.take(v_.rows);
    root_ = arena.take(b_.rows);
    outer_x_ = arena.take(b_.rows);
    inner_x_ = arena.take(b_.width);
    strip_ = {arena.take(LINE * padded(m)), LINE, padded(m)};
  }

  // `entries(i, j)` gives P[i][j ... j + L), zero in padding. Margins: of the plan, as it is.
  template <class Entries>
  void set(const Entries& entries, const double* row_mass, const double* column_mass) {
    set_roots(rows_inside_ ? column_mass : row_mass);
    if (rows_inside_) {
      set_transposed(entries);
    } else {
      for (Index i = 0; i < b_.rows; ++i) {
        const Vec scale = splat(i < n_ ? inverse_root(i) : 0);
        for (Index j = 0; j < padded(m_); j += L) store(b_.row(i) + j, entries(i, j) * scale);
        if (b_.width > padded(m_)) clear(b_.row(i) + padded(m_), LINE);
      }
    }
    factor(b_, inner_, v_, inverse_);
  }

  // Replaces the right-hand side (p, q) by the solution with sum(column_mass * v) = 0.
  // `p` and `q` are padded by zeros.
  void solve(double* p, double* q, const double* column_mass) {
    double* outer = rows_inside_ ? q : p;
    double* inner = rows_inside_ ? p : q;
    for (Index i = 0; i < b_.rows; i += L) store(outer_x_ + i, load(outer + i) * load(root_ + i));
    columns_of(b_, outer_x_, inner_x_);
    for (Index j = 0; j < inner_; ++j) inner_x_[j] = inner[j] - inner_x_[j];
    clear(inner_x_ + inner_, b_.width - inner_);
    substitute(v_, inverse_, inner_, inner_x_);
    rows_of(b_, inner_x_, outer_x_);
    for (Index i = 0; i < b_.rows; i += L) {
      const Vec root = load(root_ + i);
      store(outer + i, (load(outer + i) * root - load(outer_x_ + i)) * root);
    }
    for (Index j = 0; j < inner_; ++j) inner[j] = inner_x_[j];
    centre(p, q, column_mass);
  }

 private:
  double inverse_root(Index i) const { return root_[i]; }

  // 1 / sqrt of the margins; zero where there is none, such as in padding.
  void set_roots(const double* mass) {
    for (Index i = 0; i < b_.rows; ++i) root_[i] = i < outer_ && mass[i] > 0 ? 1 / std::sqrt(mass[i]) : 0;
  }

  template <class Entries>
  void set_transposed(const Entries& entries) {
    clear(b_.at, b_.rows * b_.width);
    for (Index i = 0; i < n_; i += LINE) {
      for (Index r = 0; r < LINE; ++r) {
        for (Index j = 0; j < strip_.width; j += L) {
          store(strip_.row(r) + j, i + r < n_ ? entries(i + r, j) * load(root_ + j) : splat(0));
        }
      }
      for (Index j = 0; j < m_; ++j) {
        double* to = b_.row(j) + i;
        for (Index r = 0; r < LINE; ++r) to[r] = strip_.at[r * strip_.width + j];
      }
    }
  }

  void centre(double* u, double* v, const double* column_mass) const {
    double moment = 0, total = 0;
    for (Index j = 0; j < m_; ++j) moment += column_mass[j] * v[j], total += column_mass[j];
    const double shift = total > 0 ? moment / total : 0;
    for (Index j = 0; j < m_; ++j) v[j] -= shift;
    for (Index i = 0; i < n_; ++i) u[i] += shift;
  }

  Index n_, m_;
  bool rows_inside_;
  Index inner_, outer_;
  Matrix b_, v_, strip_;
  double *inverse_, *root_, *outer_x_, *inner_x_;
};

}  // namespace grapheme::GRAPHEME_ISA
