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

#include "base/matrix.hpp"

namespace grapheme::GRAPHEME_ISA {

constexpr Index PANEL = 256;
constexpr Real RIDGE = sizeof(Real) == 8 ? 1e-14 : 1e-7;  // of a unit of mass, as in `_newton.py`

// Eliminates BLOCK neighbouring nodes among themselves. In: d[j][l], the weight between two of
// them; rest[j], the sum of the other weights left in row j. Out: d = V there, inverse = 1 / p.
// The pivot of j is the sum of its row; tail[j][l] is that of the weights behind l, kept up to
// date on the way so that no pivot waits for a sum.
static inline void factor_block(Real (&d)[BLOCK][BLOCK], const Real* rest, Real* inverse) {
  Real tail[BLOCK][BLOCK];
  for (Index j = 0; j < BLOCK; ++j) {
    Real sum = rest[j];
    for (Index l = BLOCK - 1; l >= j; --l) {
      tail[j][l] = sum;
      sum += d[j][l];
    }
  }
  for (Index j = 0; j < BLOCK; ++j) {
    inverse[j] = 1 / std::sqrt(tail[j][j]);  // at least sqrt(RIDGE): the ground is a neighbour
    for (Index l = 0; l <= j; ++l) d[j][l] = 0;
    for (Index l = j + 1; l < BLOCK; ++l) d[j][l] *= inverse[j], tail[j][l] *= inverse[j];
    for (Index k = j + 1; k < BLOCK; ++k) {
      for (Index l = k; l < BLOCK; ++l) {
        tail[k][l] += d[j][k] * tail[j][l];
        d[k][l] += d[j][k] * d[j][l];
      }
    }
  }
}

// Rows `top` to `top + BLOCK` of the factor, whose sums of products are there already.
static inline void factor_rows(const Matrix& v, Index top, Index size, Real* inverse) {
  const Index count = v.width - top;
  Real* rows = v.row(top) + top;
  Real d[BLOCK][BLOCK];
  alignas(64) Real rest[BLOCK];
  Vec sums_of[BLOCK];
  for (Index r = 0; r < BLOCK; ++r) {
    rows[r * v.width + size - top] += RIDGE;
    for (Index l = 0; l < BLOCK; ++l) d[r][l] = rows[r * v.width + l];
    sums_of[r] = splat(0);
    for (Index l = BLOCK; l < count; l += L) sums_of[r] += load(rows + r * v.width + l);
  }
  for (Index r = 0; r < BLOCK; r += L) store(rest + r, sums(sums_of + r));
  for (Index r = size - top; r < BLOCK; ++r) rest[r] = 1;  // no nodes; any pivot but zero will do
  factor_block(d, rest, inverse + top);

  for (Index r = 0; r < BLOCK; ++r)
    for (Index l = 0; l < BLOCK; ++l) rows[r * v.width + l] = d[r][l];
  for (Index l = BLOCK; l < count; l += L) {
    Vec row[BLOCK];
    for (Index r = 0; r < BLOCK; ++r) {
      row[r] = load(rows + r * v.width + l);
      for (Index i = 0; i < r; ++i) row[r] += row[i] * splat(d[i][r]);
      row[r] *= splat(inverse[top + r]);
      store(rows + r * v.width + l, row[r]);
    }
  }
}

// Adds to the rows `top` to `top + BLOCK` of V, right of the diagonal, their products with `depth`
// rows of X from `first` on.
static inline void add_rows(const Matrix& v, Index top, const Matrix& x, Index first, Index depth) {
  const Real* from = x.row(first) + top;
  add_product(v.row(top) + top, v.width, from, x.width, from, x.width, depth, v.width - top);
}

// Factors S + RIDGE = U^T U with U = D(p) - V: V >= 0 strictly upper, `inverse` = 1 / p. The
// ridge is one more node, the ground, in column `size` of V. Products are taken PANEL rows at a
// time: those stay in cache while all that needs them comes by.
static inline void factor(const Matrix& b, Index size, const Matrix& v, Real* inverse) {
  for (Index j = 0; j < padded(size); ++j)
    for (Index l = j / BLOCK * BLOCK; l < v.width; l += L) store(v.row(j) + l, splat(0));
  for (Index first = 0; first < b.rows; first += PANEL) {
    const Index depth = b.rows - first < PANEL ? b.rows - first : PANEL;
    for (Index top = 0; top < size; top += BLOCK) add_rows(v, top, b, first, depth);
  }
  for (Index first = 0; first < size; first += PANEL) {
    Index top = first;
    for (; top < size && top < first + PANEL; top += BLOCK) {
      add_rows(v, top, v, first, top - first);
      factor_rows(v, top, size, inverse);
    }
    for (; top < size; top += BLOCK) add_rows(v, top, v, first, PANEL);
  }
}

// Solves with the factors in place; x[size ...] is overwritten.
static inline void substitute(const Matrix& v, const Real* inverse, Index size, Real* x) {
  for (Index top = 0; top < size; top += BLOCK) {
    for (Index r = 0; r < BLOCK; ++r) {
      Real sum = x[top + r];
      for (Index i = 0; i < r; ++i) sum += v.row(top + i)[top + r] * x[top + i];
      x[top + r] = sum * inverse[top + r];
    }
    for (Index l = top + BLOCK; l < v.width; l += L) {
      Vec sum = load(x + l);
      for (Index r = 0; r < BLOCK; ++r) sum += load(v.row(top + r) + l) * splat(x[top + r]);
      store(x + l, sum);
    }
  }
  for (Index j = size; j < v.width; ++j) x[j] = 0;  // the ground has potential zero
  for (Index top = (size - 1) / BLOCK * BLOCK; top >= 0; top -= BLOCK) {
    Vec dots[BLOCK];
    for (Index r = 0; r < BLOCK; ++r) dots[r] = splat(0);
    for (Index l = top + BLOCK; l < v.width; l += L) {
      for (Index r = 0; r < BLOCK; ++r) dots[r] += load(v.row(top + r) + l) * load(x + l);
    }
    alignas(64) Real dot[BLOCK];
    for (Index r = 0; r < BLOCK; r += L) store(dot + r, sums(dots + r));
    const Index bottom = top + BLOCK < size ? top + BLOCK : size;
    for (Index j = bottom - 1; j >= top; --j) {
      Real sum = x[j] + dot[j - top];
      for (Index l = j + 1; l < bottom; ++l) sum += v.row(j)[l] * x[l];
      x[j] = sum * inverse[j];
    }
  }
}

// One plan, ready for right-hand sides: D(row) u + P v = p, P^T u + D(column) v = q.
class Laplacian {
 public:
  // `n` rows and `m` columns with mass; the arrays are padded by zeros.
  Laplacian(Index n, Index m, Arena& arena)
      : n_(n),
        m_(m),
        rows_inside_(n < m),
        inner_(rows_inside_ ? n : m),
        outer_(rows_inside_ ? m : n) {
    b_ = {nullptr, padded(outer_), padded(inner_ + 1)};
    b_.at = take(arena, b_.rows * b_.width);
    v_ = {nullptr, padded(inner_), b_.width};
    v_.at = take(arena, v_.rows * v_.width);
    inverse_ = take(arena, v_.rows);
    root_ = take(arena, b_.rows);
    outer_x_ = take(arena, b_.rows);
    inner_x_ = take(arena, b_.width);
    strip_ = {take(arena, LINE * padded(m)), LINE, padded(m)};
  }

  // `entries(i, j)` gives P[i][j ... j + L), zero in padding. Margins: of the plan, as it is.
  template <class Entries>
  void set(const Entries& entries, const Real* row_mass, const Real* column_mass) {
    set_roots(rows_inside_ ? column_mass : row_mass);
    if (rows_inside_) {
      set_transposed(entries);
    } else {
      for (Index i = 0; i < b_.rows; ++i) {
        const Vec scale = splat(i < n_ ? inverse_root(i) : 0);
        for (Index j = 0; j < padded(m_); j += L) store(b_.row(i) + j, entries(i, j) * scale);
        for (Index j = padded(m_); j < b_.width; j += L) store(b_.row(i) + j, splat(0));
      }
    }
    factor(b_, inner_, v_, inverse_);
  }

  // Replaces the right-hand side (p, q) by the solution with sum(column_mass * v) = 0.
  // `p` and `q` are padded by zeros.
  void solve(Real* p, Real* q, const Real* column_mass) {
    Real* outer = rows_inside_ ? q : p;
    Real* inner = rows_inside_ ? p : q;
    for (Index i = 0; i < b_.rows; i += L) store(outer_x_ + i, load(outer + i) * load(root_ + i));
    columns_of(b_, outer_x_, inner_x_);
    Real excess = 0;  // rounding: these sum to zero, and the ridge would make much of it
    for (Index j = 0; j < inner_; ++j) excess += inner_x_[j] = inner[j] - inner_x_[j];
    if (sizeof(Real) == 4)
      for (Index j = 0; j < inner_; ++j) inner_x_[j] -= excess / static_cast<Real>(inner_);
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
  Real inverse_root(Index i) const { return root_[i]; }

  // 1 / sqrt of the margins; zero where there is none, such as in padding.
  void set_roots(const Real* mass) {
    for (Index i = 0; i < b_.rows; ++i)
      root_[i] = i < outer_ && mass[i] > 0 ? 1 / std::sqrt(mass[i]) : 0;
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
        Real* to = b_.row(j) + i;
        for (Index r = 0; r < LINE; ++r) to[r] = strip_.at[r * strip_.width + j];
      }
    }
  }

  void centre(Real* u, Real* v, const Real* column_mass) const {
    Real moment = 0, total = 0;
    for (Index j = 0; j < m_; ++j) moment += column_mass[j] * v[j], total += column_mass[j];
    const Real shift = total > 0 ? moment / total : 0;
    for (Index j = 0; j < m_; ++j) v[j] -= shift;
    for (Index i = 0; i < n_; ++i) u[i] += shift;
  }

  Index n_, m_;
  bool rows_inside_;
  Index inner_, outer_;
  Matrix b_, v_, strip_;
  Real *inverse_, *root_, *outer_x_, *inner_x_;
};

}  // namespace grapheme::GRAPHEME_ISA
