// The alignment and the loss of one pair, from the matching cost to the terms, (E1)-(E25), and
// the derivative of the terms through all rounds. The tests compare it with the program in PyTorch.
#pragma once

#include "transport/adjoint.hpp"
#include "loss/bilinear.hpp"
#include "loss/clique.hpp"
#include "loss/nodes.hpp"
#include "transport/solve.hpp"

namespace grapheme::GRAPHEME_ISA {

static inline Real surplus(Index more, Index less) {
  return more > less ? static_cast<Real>(more - less) : 0;
}

class Pair {
 public:
  Pair(const Graphs<Real>& all, const Results<Real>& results, Index k, Arena& arena)
      : all_(all),
        results_(results),
        k_(k),
        n_(all.first[k + 1] - all.first[k]),
        m_(all.target_first[k + 1] - all.target_first[k]),
        slack_(all.settings.slack * static_cast<Real>(n_ < m_ ? n_ : m_)),
        rows_(n_, surplus(m_, n_) + slack_, all.rows, arena),
        columns_(m_, surplus(n_, m_) + slack_, all.columns, arena),
        nodes_(all, k, rows_, columns_, arena),
        edge_costs_(all, k, all.settings.edit, arena),
        edits_(all, k, true, arena),
        clique_(all, k, arena),
        edges_(all, k, rows_.width, columns_.width, edge_costs_.channels, arena),
        cost_(matrix(rows_.width, columns_.width, arena)),
        c_(matrix(rows_.width, columns_.width, arena)),
        arena_(arena) {
    if (!all.edge_costs_given) return;
    edge_costs_.set(all.edge_gain, all.edge_constant[k]);
    edits_.set(all.round_gain, 0);
  }

  void align() {
    const Matrix plan = matrix(cost_.rows, cost_.width, arena_);
    const bool constant = all_.settings.mode == Mode::detach;
    const Matrix before = constant ? matrix(plan.rows, plan.width, arena_) : plan;
    Outcome outcome{};
    for (Index round = 0; round <= all_.settings.rounds; ++round) {
      advance(round, plan);
      if (constant) copy(before.at, plan.at, plan.rows * plan.width);
      outcome = transport(plan);
      note(round, outcome);
      if (!constant) write(round, plan, outcome);
      if (constant && round > 0 && settled(before, plan)) {
        while (++round <= all_.settings.rounds) note(round, {outcome.residual, 0});
      }
    }
    if (constant) write(0, plan, outcome);
    Real node = 0;
    for (Index i = 0; i < rows_.count; ++i)
      node += dot(plan.row(i), nodes_.cost.row(i), plan.width);
    edges_.set(plan, false);
    const Real lost = outcome.residual - outcome.residual;  // NaN where there is no plan
    const Real total = write_terms(node + lost, edges_.value(plan, edge_costs_) + lost);
    // A loss that is no number is not that of a plan, whatever the plan is.
    if (!(std::fabs(total) <= std::numeric_limits<Real>::max()))
      results_.residual[all_.settings.rounds * all_.pairs + k_] =
          std::numeric_limits<Real>::quiet_NaN();
  }

  void differentiate(const Gradients<Real>& to) {
    const Settings& s = all_.settings;
    const Real by_node = slope(to, 1, s.alpha), by_edge = slope(to, 2, s.beta);
    const Matrix plan = load(results_.plans, s.kept_plans() - 1), w = cotangent(to.plan),
                 by_cost = zeros(), by_matching = zeros();
    for (Index i = 0; i < rows_.count; ++i) {
      add_to(by_cost.row(i), by_node, plan.row(i), plan.width);
      add_to(w.row(i), by_node, nodes_.cost.row(i), w.width);
    }
    Real* by_gain = take_zeros(edge_costs_.count * edge_costs_.channels);
    edges_.set(plan, s.mode != Mode::detach);
    edges_.by_gain(plan, by_edge, by_gain);
    if (all_.edge_costs_given) {
      edge_costs_.write_given(by_gain, to.edge_gain);
      to.edge_constant[k_] += by_edge;
    } else {
      edge_costs_.write(by_gain, by_edge, to);
    }
    if (s.mode != Mode::detach && rows_.count > 0 && columns_.count > 0) {
      edges_.add_slope(edge_costs_, by_edge, w);
      descend(w, by_matching, to);
    }
    nodes_.write(by_matching, by_cost, to, arena_);
    clique_.write(slope(to, 3, s.gamma), to, arena_);
  }

 private:
  const Graphs<Real>& all_;
  const Results<Real>& results_;
  Index k_, n_, m_;
  Real slack_;
  Side rows_, columns_;
  Nodes nodes_;
  EdgeCosts edge_costs_, edits_;  // those of the loss, and those that align
  Clique clique_;
  Bilinear edges_;
  Matrix cost_, c_;  // of a round; c_ is in temperatures
  Arena& arena_;

  // The derivative in a term, directly and through the total.
  Real slope(const Gradients<Real>& to, Index term, Real weight) const {
    const auto given = [&](Index t) { return to.terms[t] ? to.terms[t][k_] : 0; };
    return given(term) + weight * given(0);
  }

  Real slope_scale() const { return all_.settings.beta / all_.settings.alpha; }

  // The cost of a round, given the plan of the round before (and, if proximal, its cost), (E19).
  void advance(Index round, const Matrix& plan) {
    if (round == 0) return begin();
    if (!all_.settings.proximal) clear(cost_.at, cost_.rows * cost_.width);
    for (Index i = 0; i < rows_.count; ++i)
      add_to(cost_.row(i), 1, nodes_.matching.row(i), cost_.width);
    edges_.set(plan, true);
    edges_.add_slope(edits_, slope_scale(), cost_);
  }

  void begin() {
    copy(cost_.at, nodes_.matching.at, cost_.rows * cost_.width);
    if (all_.first_cost == nullptr) return;
    const Matrix head = load(all_.first_cost, 0);
    for (Index i = 0; i < rows_.count; ++i) add_to(cost_.row(i), 1, head.row(i), cost_.width);
  }

  // Brings the cost in temperatures into `c_`; whether it is finite.
  bool scale() {
    for (Index i = 0; i < rows_.count; ++i) {
      copy(c_.row(i), cost_.row(i), c_.width);
      for (Index j = columns_.count; j < c_.width; ++j)
        c_.row(i)[j] = std::numeric_limits<Real>::infinity();
    }
    clear(c_.row(rows_.count), (c_.rows - rows_.count) * c_.width);
    return divide(c_, rows_.count, columns_.count, all_.temperature[k_]);
  }

  Outcome transport(const Matrix& plan) {
    const Settings& s = all_.settings;
    const Rule rule{static_cast<Real>(s.tolerance), s.max_iterations, s.mode != Mode::unrolled};
    if (rows_.count == 0 || columns_.count == 0) return nothing(rows_, columns_, rule);
    if (!scale()) {
      const Real nan = std::numeric_limits<Real>::quiet_NaN();
      fill(plan.at, plan.rows * plan.width, nan);
      return {nan, 0};
    }
    const Arena::Mark mark = arena_.mark();
    Scaling state(c_, rows_, columns_, arena_);
    const Outcome outcome = settle(state, rows_, columns_, rule, plan, arena_);
    arena_.rewind(mark);
    return outcome;
  }

  // Whether a round has moved no entry by more than the tolerance.
  bool settled(const Matrix& before, const Matrix& plan) const {
    const Real moved = largest_difference(plan, before, rows_.count);
    return moved <= static_cast<Real>(all_.settings.tolerance);
  }

  void note(Index round, const Outcome& outcome) const {
    results_.residual[round * all_.pairs + k_] = outcome.residual;
    results_.iterations[round * all_.pairs + k_] = outcome.iterations;
  }

  void write(Index kept, const Matrix& plan, const Outcome& outcome) const {
    const Index area = all_.rows * all_.columns;
    Real* to = results_.plans + (kept * all_.pairs + k_) * area;
    fill(to, area, outcome.residual - outcome.residual);
    for (Index i = 0; i < rows_.count; ++i)
      columns_.scatter(plan.row(i), to + rows_.place[i] * all_.columns);
  }

  Real write_terms(Real node, Real edge) const {
    const Settings& s = all_.settings;
    const Real clique = clique_.value(), total = s.alpha * node + s.beta * edge + s.gamma * clique;
    results_.terms[k_] = total;
    results_.terms[all_.pairs + k_] = node;
    results_.terms[2 * all_.pairs + k_] = edge;
    results_.terms[3 * all_.pairs + k_] = clique;
    return total;
  }

  // A padded matrix of a round.
  Matrix load(const Real* from, Index round) const {
    const Real* at = from + (round * all_.pairs + k_) * all_.rows * all_.columns;
    return gather(at, all_.columns, rows_, columns_, 0, arena_);
  }

  Matrix cotangent(const Real* given) const { return given ? load(given, 0) : zeros(); }

  Matrix zeros() const {
    const Matrix out = matrix(cost_.rows, cost_.width, arena_);
    clear(out.at, out.rows * out.width);
    return out;
  }

  Real* take_zeros(Index count) const {
    Real* out = take(arena_, count);
    clear(out, count);
    return out;
  }

  // From the last round to the first, `w` being the derivative in the last plan.
  void descend(const Matrix& w, const Matrix& by_matching, const Gradients<Real>& to) {
    const Settings& s = all_.settings;
    const Matrix by_round = zeros();  // derivative in the cost of a round
    Real* by_gain = take_zeros(edits_.count * edits_.channels);
    for (Index round = s.rounds;; --round) {
      const Arena::Mark mark = arena_.mark();
      if (!s.proximal) clear(by_round.at, by_round.rows * by_round.width);
      add_derivative(round, w, by_round);
      for (Index i = 0; i < rows_.count; ++i)
        add_to(by_matching.row(i), 1, by_round.row(i), by_round.width);
      if (round == 0) {
        write_head(by_round, to);
        break;
      }
      // The slope is linear in the plan, with the same two sums for its derivative.
      const Matrix before = load(results_.plans, round - 1);
      edges_.set(before, false);
      edges_.by_gain(by_round, slope_scale(), by_gain);
      edges_.set(by_round, true);
      edges_.by_gain(before, slope_scale(), by_gain);
      clear(w.at, w.rows * w.width);
      edges_.add_slope(edits_, slope_scale(), w);
      arena_.rewind(mark);
    }
    if (s.rounds == 0) return;
    if (all_.edge_costs_given) {
      edits_.write_given(by_gain, to.round_gain);
    } else {
      edits_.write(by_gain, 0, to);
    }
  }

  void write_head(const Matrix& by_round, const Gradients<Real>& to) const {
    if (all_.first_cost == nullptr) return;
    Real* at = to.first_cost + k_ * all_.rows * all_.columns;
    for (Index i = 0; i < rows_.count; ++i)
      columns_.scatter(by_round.row(i), at + rows_.place[i] * all_.columns);
  }

  // Adds the derivative in the cost of a round, given that in its plan.
  void add_derivative(Index round, const Matrix& w, const Matrix& by_round) {
    const Settings& s = all_.settings;
    const Index at = round * all_.pairs + k_;
    const bool converged = results_.residual[at] <= s.tolerance;
    const Matrix plan = load(results_.plans, round);
    const Cotangent start(rows_, columns_, plan, w, arena_);
    if (s.mode == Mode::implicit || (s.mode == Mode::exact && converged)) {
      implicit(start, arena_);
    } else if (!remake(round)) {
      fill(start.grad_c.at, plan.rows * plan.width, std::numeric_limits<Real>::quiet_NaN());
    } else {
      unrolled(start, c_, results_.iterations[at], arena_);
    }
    for (Index i = 0; i < rows_.count; ++i)
      add_to(by_round.row(i), 1 / all_.temperature[k_], start.grad_c.row(i), by_round.width);
  }

  // Makes the cost of a round again; whether it is finite.
  bool remake(Index round) {
    for (Index r = all_.settings.proximal || round == 0 ? 0 : round; r <= round; ++r) {
      const Arena::Mark mark = arena_.mark();
      advance(r, r == 0 ? cost_ : load(results_.plans, r - 1));
      arena_.rewind(mark);
    }
    return scale();
  }
};

static void align(const Graphs<Real>& all, const Results<Real>& results, Index k, Arena& arena) {
  Pair(all, results, k, arena).align();
}

static void align_adjoint(const Graphs<Real>& all, const Results<Real>& results,
                          const Gradients<Real>& to, Index k, Arena& arena) {
  Pair(all, results, k, arena).differentiate(to);
}

}  // namespace grapheme::GRAPHEME_ISA
