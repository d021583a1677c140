// What both rules of the derivative start from and end with.
#pragma once

#include "transport/side.hpp"

namespace grapheme::GRAPHEME_ISA {

// Of a pair without padding: the plan and the cotangent w of it (zero where the plan is padded),
// Q = P w and its margins, and where the gradients are written.
struct Cotangent {
  const Side &rows, &columns;
  Matrix plan, w, q;
  Real *by_row, *by_column;
  Matrix grad_c;             // in the scaled cost; it may be q, where q is not read any more
  Real *grad_a, *grad_b;  // in the masses

  Cotangent(const Side& rows, const Side& columns, const Matrix& plan, const Matrix& w,
            Arena& arena)
      : rows(rows),
        columns(columns),
        plan(plan),
        w(w),
        q(matrix(plan.rows, plan.width, arena)),
        by_row(take(arena, rows.width)),
        by_column(take(arena, columns.width)),
        grad_c(q),
        grad_a(take(arena, rows.width)),
        grad_b(take(arena, columns.width)) {
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
};

}  // namespace grapheme::GRAPHEME_ISA
