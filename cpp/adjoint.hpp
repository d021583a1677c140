// The derivative of one pair's plan in cost and masses, by one of two rules.
#pragma once

#include "coupling.hpp"
#include "unrolled.hpp"

namespace grapheme::GRAPHEME_ISA {

// At a fixed point, (E8)-(E9): the cotangent, centred until its product with the plan has no
// margins; the centring vectors are the gradients in the masses.
static inline void implicit(const Cotangent& start, Arena& arena) {
  const Side &rows = start.rows, &columns = start.columns;
  double *margin_a = arena.take(rows.width), *margin_b = arena.take(columns.width);
  double *u = start.by_row, *v = start.by_column;
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
  Coupling coupling(rows.count, columns.count, arena);
  coupling.set([&](Index i, Index j) { return load(start.plan.row(i) + j); }, margin_a, margin_b);
  coupling.solve(u, v, margin_b);
  for (Index i = 0; i < rows.count; ++i) {
    double* row = start.q.row(i);
    for (Index j = 0; j < columns.width; j += L) {
      store(row + j,
            load(start.plan.row(i) + j) * (splat(u[i]) + load(v + j) - load(start.w.row(i) + j)));
    }
    start.write_row(i, row);
  }
  rows.scatter(u, start.pair.grad_a);
  columns.scatter(v, start.pair.grad_b);
}

static void adjoint(const AdjointPair& pair, Arena& arena) {
  const Side rows(pair.a, pair.rows, arena), columns(pair.b, pair.columns, arena);
  clear(pair.grad_cost, pair.rows * pair.columns);
  clear(pair.grad_a, pair.rows);
  clear(pair.grad_b, pair.columns);
  if (rows.count == 0 || columns.count == 0) return;
  const Cotangent start(pair, rows, columns, arena);
  if (pair.implicit) return implicit(start, arena);

  const Matrix c = gather(pair.cost, pair.columns, rows, columns,
                          std::numeric_limits<double>::infinity(), arena);
  if (!rows.valid || !columns.valid || !divide(c, rows.count, columns.count, pair.eps)) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    fill(pair.grad_cost, pair.rows * pair.columns, nan);
    fill(pair.grad_a, pair.rows, nan);
    fill(pair.grad_b, pair.columns, nan);
    return;
  }
  Scaling state(c, rows, columns, arena);
  const Path path(state, pair.iterations > 0 ? pair.iterations : 0, rows, columns, arena);
  if (path.scaled) return unroll_scaled(start, path, state.k(), arena);
  unroll_logarithmic(start, path, c, arena);
}

}  // namespace grapheme::GRAPHEME_ISA
