// Reverse mode through plain sweeps, (E10)-(E12).
#pragma once

#include "transport/cotangent.hpp"
#include "transport/scaling.hpp"

namespace grapheme::GRAPHEME_ISA {

// The sweeps made again from g = 0, with what reverse mode needs of each: scalings if one K
// served them all, otherwise potentials. Row k belongs to f^k or g^k.
struct Path {
  Matrix rows, columns;
  bool scaled;

  Path(Scaling& state, Index sweeps, const Side& row_side, const Side& column_side, Arena& arena)
      : rows{take(arena, (sweeps + 1) * row_side.width), sweeps + 1, row_side.width},
        columns{take(arena, (sweeps + 1) * column_side.width), sweeps + 1, column_side.width} {
    scaled = record(state, sweeps, true);
    if (!scaled) record(state, sweeps, false);
  }

 private:
  bool record(Scaling& state, Index sweeps, bool scalings) {
    clear(columns.row(0), columns.width);
    state.start(columns.row(0));
    const Index base = state.rebased();
    for (Index k = 0; k <= sweeps; ++k) {
      if (k > 0) state.sweep();
      if (scalings) {
        if (state.rebased() != base) return false;
        copy(rows.row(k), state.x(), rows.width);
        copy(columns.row(k), state.y(), columns.width);
      } else {
        state.row_potential(rows.row(k));
        if (k > 0) state.column_potential(columns.row(k));
      }
    }
    return true;
  }
};

// Collects a sum of outer products x y^T, a few dozen at a time so that they stay in cache.
class OuterProducts {
 public:
  OuterProducts(Index rows, Index width, Arena& arena)
      : total_(matrix(rows, width, arena)),
        left_(matrix(CHUNK, rows, arena)),
        right_(matrix(CHUNK, width, arena)) {
    clear(total_.at, rows * width);
  }

  // Where to write the next x and y.
  std::pair<Real*, Real*> next() {
    if (count_ == CHUNK) flush();
    ++count_;
    return {left_.row(count_ - 1), right_.row(count_ - 1)};
  }

  const Matrix& total() {
    flush();
    return total_;
  }

 private:
  static constexpr Index CHUNK = 64;

  void flush() {
    for (Index i = 0; i < total_.rows; i += BLOCK) {
      add_product(total_.row(i), total_.width, left_.at + i, left_.width, right_.at, right_.width,
                  count_, total_.width);
    }
    count_ = 0;
  }

  Matrix total_, left_, right_;
  Index count_ = 0;
};

// Sums of the derivatives in all f^k and all g^k. Divided by the masses they are the gradients in
// them: log a and log b enter every half-sweep beside f and g, and the factor a b the plan.
struct MassGradient {
  Real *by_row, *by_column;

  MassGradient(const Cotangent& start, Arena& arena)
      : by_row(take(arena, start.rows.width)), by_column(take(arena, start.columns.width)) {
    copy(by_row, start.by_row, start.rows.width);
    clear(by_column, start.columns.width);
  }

  void write(const Cotangent& start) const {
    for (Index i = 0; i < start.rows.count; ++i) start.grad_a[i] = by_row[i] / start.rows.mass[i];
    for (Index j = 0; j < start.columns.count; ++j)
      start.grad_b[j] = by_column[j] / start.columns.mass[j];
  }
};

// With one K: R^k = D(x / a) K D(y) and G^k = D(x) K D(y' / b), so that the gradient in c is
// K times a sum of outer products, entry by entry, and the recursion two products with K a sweep.
static inline void unroll_scaled(const Cotangent& start, const Path& path, const Matrix& k,
                                 Arena& arena) {
  const Side &rows = start.rows, &columns = start.columns;
  Real *bar_g = take(arena, columns.width), *back = take(arena, columns.width),
         *inverse_a = take(arena, rows.width), *inverse_b = take(arena, columns.width);
  for (Index i = 0; i < rows.width; i += L)
    store(inverse_a + i, splat(1) / (load(rows.mass + i) + load(rows.vacant + i)));
  for (Index j = 0; j < columns.width; j += L)
    store(inverse_b + j, splat(1) / (load(columns.mass + j) + load(columns.vacant + j)));
  OuterProducts products(rows.width, columns.width, arena);
  MassGradient mass(start, arena);

  const Index sweeps = path.rows.rows - 1;
  auto [last_x, last_y] = products.next();  // (E10)
  for (Index i = 0; i < rows.width; i += L)
    store(last_x + i,
          load(start.by_row + i) * load(path.rows.row(sweeps) + i) * load(inverse_a + i));
  copy(last_y, path.columns.row(sweeps), columns.width);
  columns_of(k, last_x, back);
  for (Index j = 0; j < columns.width; j += L) {
    const Vec g = load(start.by_column + j) - load(last_y + j) * load(back + j);
    store(bar_g + j, g);
    store(mass.by_column + j, g);
  }
  for (Index s = sweeps - 1; s >= 0; --s) {
    const Real *x = path.rows.row(s), *y = path.columns.row(s), *later = path.columns.row(s + 1);
    auto [column_x, column_y] = products.next();  // (E11)
    copy(column_x, x, rows.width);
    for (Index j = 0; j < columns.width; j += L)
      store(column_y + j, load(bar_g + j) * load(later + j) * load(inverse_b + j));
    auto [row_x, row_y] = products.next();  // (E12)
    copy(row_y, y, columns.width);
    there_and_back(k, rows.count, column_y, row_x, back, [&](Index i, Vec dots) {
      const Vec bar_f = -load(x + i) * dots;
      store(mass.by_row + i, load(mass.by_row + i) + bar_f);
      return bar_f * load(x + i) * load(inverse_a + i);
    });
    for (Index j = 0; j < columns.width; j += L) {
      const Vec g = -load(y + j) * load(back + j);
      store(bar_g + j, g);
      store(mass.by_column + j, load(mass.by_column + j) + g);
    }
  }
  const Matrix& total = products.total();
  for (Index i = 0; i < rows.count; ++i) {
    for (Index j = 0; j < columns.width; j += L)
      store(start.grad_c.row(i) + j,
            load(k.row(i) + j) * load(total.row(i) + j) - load(start.q.row(i) + j));
  }
  mass.write(start);
}

// The same from potentials, for pairs so cold that no K serves every sweep. `c` is padded by
// infinity, where every weight is then zero. Weights are shares; they are cut to one because where
// costs are of the size 1e17 temperatures, f + g - c is a difference of which no digit is left.
static inline void unroll_logarithmic(const Cotangent& start, const Path& path, const Matrix& c,
                                      Arena& arena) {
  const Side &rows = start.rows, &columns = start.columns;
  Real *bar_g = take(arena, columns.width), *back = take(arena, columns.width);
  const Matrix& bar_c = start.grad_c;
  MassGradient mass(start, arena);

  const Index sweeps = path.rows.rows - 1;
  copy(bar_g, start.by_column, columns.width);
  for (Index i = 0; i < rows.count; ++i) {  // (E10)
    const Vec factor = splat(start.by_row[i] / rows.mass[i]);
    for (Index j = 0; j < c.width; j += L) {
      const Vec share = load(start.plan.row(i) + j) * factor;
      store(bar_c.row(i) + j, share - load(start.q.row(i) + j));
      store(bar_g + j, load(bar_g + j) - share);
    }
  }
  for (Index j = 0; j < columns.width; ++j) mass.by_column[j] += bar_g[j];
  for (Index s = sweeps - 1; s >= 0; --s) {
    const Real *f = path.rows.row(s), *g = path.columns.row(s), *later = path.columns.row(s + 1);
    clear(back, columns.width);
    for (Index i = 0; i < rows.count; ++i) {
      Real* bar = bar_c.row(i);
      Vec dot = splat(0);
      for (Index j = 0; j < c.width; j += L) {  // (E11)
        const Vec weight =
            smaller(splat(1), splat(rows.mass[i]) *
                                  exp((splat(f[i]) + load(later + j)) - load(c.row(i) + j)));
        const Vec step = weight * load(bar_g + j);
        dot += step;
        store(bar + j, load(bar + j) + step);
      }
      const Real bar_f = -sum(dot);
      mass.by_row[i] += bar_f;
      for (Index j = 0; j < c.width; j += L) {  // (E12)
        const Vec weight =
            smaller(splat(1),
                    load(columns.mass + j) * exp((splat(f[i]) + load(g + j)) - load(c.row(i) + j)));
        const Vec step = weight * splat(bar_f);
        store(bar + j, load(bar + j) + step);
        store(back + j, load(back + j) - step);
      }
    }
    copy(bar_g, back, columns.width);
    for (Index j = 0; j < columns.width; ++j) mass.by_column[j] += bar_g[j];
  }
  mass.write(start);
}

}  // namespace grapheme::GRAPHEME_ISA
