// The derivative of one pair's plan in cost and masses, by one of two rules.
#pragma once

#include "transport/laplacian.hpp"
#include "transport/pairs.hpp"
#include "transport/unrolled.hpp"

namespace grapheme::GRAPHEME_ISA {

// At a fixed point, (E8)-(E9): the cotangent, centred until its product with the plan has no
// margins; the centring vectors are the gradients in the masses.
static inline void implicit(const Cotangent& start, Arena& arena) {
  const Side &rows = start.rows, &columns = start.columns;
  Real *margin_a = take(arena, rows.width), *margin_b = take(arena, columns.width);
  Real *u = start.by_row, *v = start.by_column;
  clear(margin_a, rows.width);
  clear(margin_b, columns.width);
  for (Index i = 0; i < rows.count; ++i) {
    Vec total = splat(0);
    for (Index j = 0; j < columns.width; j += L) {
      const Vec p = load(start.plan.row(i) + j);
      total += p;
      store(margin_b + j, load(margin_b + j) + p);
    }
    margin_a[i] = sum(total);
  }
  Laplacian system(rows.count, columns.count, arena);
  system.set([&](Index i, Index j) { return load(start.plan.row(i) + j); }, margin_a, margin_b);
  system.solve(u, v, margin_b);
  for (Index i = 0; i < rows.count; ++i) {
    for (Index j = 0; j < columns.width; j += L) {
      store(start.grad_c.row(i) + j,
            load(start.plan.row(i) + j) * (splat(u[i]) + load(v + j) - load(start.w.row(i) + j)));
    }
  }
  copy(start.grad_a, u, rows.width);
  copy(start.grad_b, v, columns.width);
}

// Through the sweeps that made the plan at the scaled cost `c`, (E10)-(E12).
static inline void unrolled(const Cotangent& start, const Matrix& c, Index iterations,
                            Arena& arena) {
  Scaling state(c, start.rows, start.columns, arena);
  const Path path(state, iterations > 0 ? iterations : 0, start.rows, start.columns, arena);
  if (path.scaled) return unroll_scaled(start, path, state.k(), arena);
  unroll_logarithmic(start, path, c, arena);
}

// Puts the gradients of a pair in their places.
static inline void write(const AdjointPair<Real>& pair, const Cotangent& found) {
  const Vec eps = splat(pair.eps);
  for (Index i = 0; i < found.rows.count; ++i) {
    Real* row = found.grad_c.row(i);
    for (Index j = 0; j < found.columns.width; j += L) store(row + j, load(row + j) / eps);
    found.columns.scatter(row, pair.grad_cost + found.rows.place[i] * pair.columns);
  }
  found.rows.scatter(found.grad_a, pair.grad_a);
  found.columns.scatter(found.grad_b, pair.grad_b);
}

static void adjoint(const AdjointPair<Real>& pair, Arena& arena) {
  const Side rows(pair.a, pair.rows, arena), columns(pair.b, pair.columns, arena);
  clear(pair.grad_cost, pair.rows * pair.columns);
  clear(pair.grad_a, pair.rows);
  clear(pair.grad_b, pair.columns);
  if (rows.count == 0 || columns.count == 0) return;
  const Matrix plan = gather(pair.plan, pair.columns, rows, columns, 0, arena),
               w = gather(pair.grad_plan, pair.columns, rows, columns, 0, arena);
  const Cotangent start(rows, columns, plan, w, arena);
  if (pair.implicit) {
    implicit(start, arena);
    return write(pair, start);
  }
  const Matrix c = gather(pair.cost, pair.columns, rows, columns,
                          std::numeric_limits<Real>::infinity(), arena);
  if (!rows.valid || !columns.valid || !divide(c, rows.count, columns.count, pair.eps)) {
    const Real nan = std::numeric_limits<Real>::quiet_NaN();
    fill(pair.grad_cost, pair.rows * pair.columns, nan);
    fill(pair.grad_a, pair.rows, nan);
    fill(pair.grad_b, pair.columns, nan);
    return;
  }
  unrolled(start, c, pair.iterations, arena);
  write(pair, start);
}

}  // namespace grapheme::GRAPHEME_ISA
