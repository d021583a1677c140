// What both rules of the derivative start from and end with.
#pragma once

#include "pair.hpp"

namespace grapheme::GRAPHEME_ISA {

// Q = P w and its margins; and where the gradients of a pair without padding are collected.
struct Cotangent {
  const AdjointPair& pair;
  const Side &rows, &columns;
  Matrix plan, w, q;
  double *by_row, *by_column;

  Cotangent(const AdjointPair& pair, const Side& rows, const Side& columns, Arena& arena)
      : pair(pair),
        rows(rows),
        columns(columns),
        plan(gather(pair.plan, pair.columns, rows, columns, 0, arena)),
        w(gather(pair.grad_plan, pair.columns, rows, columns, 0, arena)),
        q{arena.take(plan.rows * plan.width), plan.rows, plan.width},
        by_row(arena.take(rows.width)),
        by_column(arena.take(columns.width)) {
    clear(by_row, rows.width);
    clear(by_column, columns.width);
    for (Index i = 0; i < q.rows; ++i) {
      Vec total = splat(0);
      for (Index j = 0; j < q.width; j += L) {
        const Vec x = load(plan.row(i) + j) * load(w.row(i) + j);
        store(q.row(i) + j, x);
        store(by_column + j, load(by_column + j) + x);
        total += x;
      }
      by_row[i] = sum(total);
    }
  }

  // Writes a row of dL/dc as dL/dcost.
  void write_row(Index i, double* row) const {
    for (Index j = 0; j < columns.width; j += L) store(row + j, load(row + j) / splat(pair.eps));
    columns.scatter(row, pair.grad_cost + rows.place[i] * pair.columns);
  }
};

}  // namespace grapheme::GRAPHEME_ISA
