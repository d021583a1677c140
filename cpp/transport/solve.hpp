// The plan of one pair: warm-up sweeps, Newton steps, sweeps where Newton is not certified.
// The steps are those of `ot/_solver.py` and `ot/_newton.py`, which the tests compare it with.
#pragma once

#include "transport/laplacian.hpp"
#include "transport/pairs.hpp"
#include "transport/scaling.hpp"

namespace grapheme::GRAPHEME_ISA {

constexpr Index WARM_UP = 20;
constexpr Real STEP_LENGTHS[] = {1.0, 0.25, 0.0625};
constexpr Real SUFFICIENT = 1e-4;  // Armijo's constant [nocedal06, (3.4)]
constexpr Real LONGEST = 20;       // of a step, in temperatures
constexpr Real FLAT = sizeof(Real) == 8 ? 1e-14 : 1e-6;  // of F, which is known no better

// Sweeps until the residual is within `tolerance` or `count` is `last`; returns the count.
// NaN counts as done.
static inline Index sweep(Scaling& state, Real tolerance, Index count, Index last) {
  while (count < last && state.residual() > tolerance) {
    state.sweep();
    ++count;
  }
  return count;
}

// Newton steps on the semi-dual, (E7).
class Newton {
 public:
  Newton(Scaling& state, const Side& rows, const Side& columns, Arena& arena)
      : state_(state),
        rows_(rows),
        columns_(columns),
        laplacian_(rows.count, columns.count, arena) {
    for (Real** p : {&g_, &next_, &step_, &gap_, &sums_}) *p = take(arena, columns.width);
    for (Real** p : {&f_, &unused_}) *p = take(arena, rows.width);
  }

  // Starts where `state` stands; makes at most `most` steps and returns how many.
  Index run(Real tolerance, Index most) {
    state_.column_potential(g_);
    arrive();
    Index count = 0;
    for (; count < most && residual_ > tolerance; ++count) step();
    return count;
  }

  Real residual() const { return residual_; }

 private:
  void step() {
    const Real slope = direct();
    const Real value = value_, residual = residual_, blur = FLAT * (1 + std::fabs(value));
    for (Real length : STEP_LENGTHS) {
      for (Index j = 0; j < columns_.width; j += L)
        store(next_ + j, load(g_ + j) + splat(length) * load(step_ + j));
      state_.move_to(next_);
      swap();
      arrive();
      const Real gain = value_ - value;
      const bool rises = slope > 0 && gain >= SUFFICIENT * length * slope;
      // Close to the solution F is flat to the last bit; there the residual decides.
      const bool closer = residual_ <= 0.5 * residual && gain >= -blur;
      if (rises || closer) return;
      swap();
    }
    state_.move_to(g_);  // no length will do: one sweep, which never lowers F
    state_.sweep();
    state_.column_potential(g_);
    arrive();
  }

  void swap() {
    Real* g = g_;
    g_ = next_;
    next_ = g;
  }

  // F and the residual at g_, where `state` stands.
  void arrive() {
    state_.row_potential(f_);
    Vec value = splat(0);
    for (Index i = 0; i < rows_.width; i += L) value += load(rows_.mass + i) * load(f_ + i);
    for (Index j = 0; j < columns_.width; j += L) value += load(columns_.mass + j) * load(g_ + j);
    value_ = sum(value);
    residual_ = state_.residual();
  }

  // The direction, with its largest entry cut to LONGEST, and the slope of F along it.
  Real direct() {
    for (Index j = 0; j < columns_.width; j += L) {
      store(sums_ + j, load(state_.y() + j) * load(state_.t() + j));
      store(gap_ + j, load(columns_.mass + j) - load(sums_ + j));
    }
    laplacian_.set([&](Index i, Index j) { return state_.plan(i, j); }, rows_.mass, sums_);
    copy(step_, gap_, columns_.width);
    clear(unused_, rows_.width);
    laplacian_.solve(unused_, step_, sums_);
    Vec longest = splat(LONGEST);
    for (Index j = 0; j < columns_.width; j += L)
      longest = larger(longest, magnitude(load(step_ + j)));
    const Real scale = LONGEST / largest(longest);
    Vec slope = splat(0);
    for (Index j = 0; j < columns_.width; j += L) {
      const Vec step = load(step_ + j) * splat(scale);
      store(step_ + j, step);
      slope += step * load(gap_ + j);
    }
    return sum(slope);
  }

  Scaling& state_;
  const Side &rows_, &columns_;
  Laplacian laplacian_;
  Real *g_, *next_, *step_, *gap_, *sums_, *f_, *unused_;
  Real value_ = 0, residual_ = 0;
};

// How a pair is solved, and how that ended.
struct Rule {
  Real tolerance;
  Index max_iterations;
  bool newton;
};
struct Outcome {
  Real residual;
  Index iterations;
};

// Writes the plan, zero in padding; returns its residual, the larger of both margins.
static inline Real write_plan(const Scaling& state, const Side& rows, const Side& columns,
                                const Matrix& plan, Arena& arena) {
  const Arena::Mark mark = arena.mark();
  Real* sums = take(arena, columns.width);
  clear(sums, columns.width);
  Real wrong_rows = 0;
  for (Index i = 0; i < rows.count; ++i) {
    Vec total = splat(0);
    for (Index j = 0; j < columns.width; j += L) {
      const Vec p = state.plan(i, j);
      total += p;
      store(plan.row(i) + j, p);
      store(sums + j, load(sums + j) + p);
    }
    wrong_rows += std::fabs(sum(total) - rows.mass[i]);
  }
  clear(plan.row(rows.count), (plan.rows - rows.count) * plan.width);
  Real wrong_columns = 0;
  for (Index j = 0; j < columns.count; ++j) wrong_columns += std::fabs(sums[j] - columns.mass[j]);
  arena.rewind(mark);
  const Real by_rows = wrong_rows / rows.total, by_columns = wrong_columns / columns.total;
  return by_rows > by_columns ? by_rows : by_columns;
}

// The plan at the cost that `state` was made for, from the start.
static inline Outcome settle(Scaling& state, const Side& rows, const Side& columns,
                             const Rule& rule, const Matrix& plan, Arena& arena) {
  Real* g = take(arena, columns.width);
  clear(g, columns.width);
  state.start(g);
  Index warm_up = rule.max_iterations;
  if (rule.newton && WARM_UP < warm_up) warm_up = WARM_UP;
  Index count = sweep(state, rule.tolerance, 0, warm_up);
  if (rule.newton && count == WARM_UP && state.residual() > rule.tolerance) {
    state.column_potential(g);
    Newton newton(state, rows, columns, arena);
    const Index steps = newton.run(rule.tolerance, rule.max_iterations - count);
    if (newton.residual() <= rule.tolerance) {
      const Real residual = write_plan(state, rows, columns, plan, arena);
      if (residual <= rule.tolerance) return {residual, count + steps};
    }
    // Not certified. The result is that of plain sweeps, whose derivative is known at any count.
    state.start(g);
    count = sweep(state, rule.tolerance, count, rule.max_iterations);
  }
  return {write_plan(state, rows, columns, plan, arena), count};
}

// Nothing can move, and that is right if neither side has mass.
static inline Outcome nothing(const Side& rows, const Side& columns, const Rule& rule) {
  const Real residual = rows.count + columns.count > 0 ? 1 : 0;
  return {residual, residual > rule.tolerance ? rule.max_iterations : 0};
}

static void not_finite(const SolvePair<Real>& pair) {
  const Real nan = std::numeric_limits<Real>::quiet_NaN();
  fill(pair.plan, pair.rows * pair.columns, nan);
  fill(pair.f, pair.rows, nan);
  fill(pair.g, pair.columns, nan);
  *pair.residual = nan;
  *pair.iterations = 0;
}

// The potentials in units of cost, in their places.
static inline void write_potentials(const SolvePair<Real>& pair, const Scaling& state,
                                    const Side& rows, const Side& columns, Arena& arena) {
  Real *f = take(arena, rows.width), *g = take(arena, columns.width);
  state.row_potential(f);
  for (Index i = 0; i < rows.count; ++i) pair.f[rows.place[i]] = pair.eps * f[i];
  state.column_potential(g);
  for (Index j = 0; j < columns.count; ++j) pair.g[columns.place[j]] = pair.eps * g[j];
}

static void solve(const SolvePair<Real>& pair, Arena& arena) {
  const Side rows(pair.a, pair.rows, arena), columns(pair.b, pair.columns, arena);
  const Rule rule{pair.tolerance, pair.max_iterations, pair.newton};
  clear(pair.f, pair.rows);
  clear(pair.g, pair.columns);
  if (!rows.valid || !columns.valid) return not_finite(pair);
  clear(pair.plan, pair.rows * pair.columns);
  Outcome outcome = nothing(rows, columns, rule);
  if (rows.count > 0 && columns.count > 0) {
    const Matrix c = gather(pair.cost, pair.columns, rows, columns,
                            std::numeric_limits<Real>::infinity(), arena);
    if (!divide(c, rows.count, columns.count, pair.eps)) return not_finite(pair);
    const Matrix plan = matrix(c.rows, c.width, arena);
    Scaling state(c, rows, columns, arena);
    outcome = settle(state, rows, columns, rule, plan, arena);
    write_potentials(pair, state, rows, columns, arena);
    for (Index i = 0; i < rows.count; ++i)
      columns.scatter(plan.row(i), pair.plan + rows.place[i] * pair.columns);
  }
  *pair.residual = outcome.residual;
  *pair.iterations = outcome.iterations;
}

}  // namespace grapheme::GRAPHEME_ISA
