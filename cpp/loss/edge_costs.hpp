// What the candidate edges of one pair cost, aligned or not, (E17), (E18) and (E26).
#pragma once

#include "loss/graphs.hpp"
#include "transport/side.hpp"

namespace grapheme::GRAPHEME_ISA {

// From log-probabilities of relations, or as they are given, see `Graphs`. Of every candidate `e`
// of the pair: `gain[e * channels + c]`, what aligning a target edge of
// channel `c` with it adds, in edits or in nats. Channels are relations but "absent", then, if
// edges have weights, the powers 0 to 2 of that of the target edge.
class EdgeCosts {
 public:
  EdgeCosts(const Graphs<Real>& all, Index k, bool edit, Arena& arena)
      : all_(all),
        edit_(edit),
        begin_(all.edges.start[k]),
        count(all.edges.start[k + 1] - begin_),
        relations_(all.relations - 1),
        channels(all.edge_costs_given ? all.channels : relations_ + (all.weight ? 3 : 0)) {
    gain = take(arena, count * channels);
    if (all.edge_costs_given) return;
    log_q_ = take(arena, padded(count * all.relations));
    q_ = take(arena, padded(count * all.relations));
    clear(log_q_, padded(count * all.relations));
    for (Index e = 0; e < count; ++e)
      for (Index r = 0; r < all.relations; ++r)
        log_q_[e * all.relations + r] = all.log_relation[edge(e) * all.relations + r];
    for (Index i = 0; i < padded(count * all.relations); i += L)
      store(q_ + i, exp_or_nan(load(log_q_ + i)));
    for (Index e = 0; e < count; ++e) edit ? set_edits(e) : set_nats(e);
    const Index unmatched = all.target_edges.start[k + 1] - all.target_edges.start[k];
    constant += all.settings.edge_insertion * static_cast<Real>(unmatched);
  }

  // The costs that are given: those of the rounds, or those of the loss.
  void set(const Real* given, Real given_constant) {
    for (Index e = 0; e < count; ++e)
      for (Index c = 0; c < channels; ++c)
        gain[e * channels + c] = given ? given[edge(e) * channels + c] : 0;
    constant = given_constant;
  }

  void write_given(const Real* by_gain, Real* to) const {
    for (Index e = 0; e < count; ++e)
      for (Index c = 0; c < channels; ++c)
        to[edge(e) * channels + c] += by_gain[e * channels + c];
  }

  // Adds the derivatives in log q and in the weights, given those in the gains and the constant.
  void write(const Real* by_gain, Real by_constant, const Gradients<Real>& to) const {
    const Settings& s = all_.settings;
    for (Index e = 0; e < count; ++e) {
      const Real *by = by_gain + e * channels, *q = q_ + e * all_.relations;
      Real* by_log = to.log_relation + edge(e) * all_.relations;
      Real sum = 0;
      for (Index r = 0; r < relations_; ++r) {
        sum += by[r];
        by_log[r + 1] -= edit_ ? by[r] * q[r + 1] : by[r];
      }
      Real by_absent = s.edge_deletion * (sum - by_constant);  // of log q(0), or of q(0)
      if (edit_) by_absent += (s.edge_insertion - 1) * sum;
      if (all_.weight) {
        const Real v = all_.weight[edge(e)];
        const Real* by_power = by + relations_;
        const Real certainty = edit_ ? 1 - q[0] : 1;
        to.weight[edge(e)] += certainty * (v * by_power[0] - by_power[1]);
        if (edit_) by_absent -= v * v / 2 * by_power[0] - v * by_power[1] + 0.5 * by_power[2];
      }
      by_log[0] += edit_ ? by_absent * q[0] : by_absent;
    }
  }

 private:
  const Graphs<Real>& all_;
  bool edit_;
  Index begin_;

 public:
  Index count;

 private:
  Index relations_;

 public:
  Index channels;
  Real* gain;
  Real constant = 0;  // the edge term when nothing is aligned

 private:
  Real *log_q_, *q_;

  Index edge(Index e) const { return all_.edges.order[begin_ + e]; }

  void set_edits(Index e) {
    const Settings& s = all_.settings;
    const Real* q = q_ + e * all_.relations;
    const Real unaligned = s.edge_deletion * (1 - q[0]);
    constant += unaligned;
    for (Index r = 0; r < relations_; ++r)
      gain[e * channels + r] = s.edge_insertion * q[0] + (1 - q[0] - q[r + 1]) - unaligned -
                               s.edge_insertion;
    set_powers(e, 1 - q[0]);
  }

  void set_nats(Index e) {
    const Settings& s = all_.settings;
    const Real* log_q = log_q_ + e * all_.relations;
    const Real unaligned = -s.edge_deletion * log_q[0];
    constant += unaligned;
    for (Index r = 0; r < relations_; ++r)
      gain[e * channels + r] = -log_q[r + 1] - unaligned - s.edge_insertion;
    set_powers(e, 1);
  }

  void set_powers(Index e, Real certainty) {
    if (!all_.weight) return;
    const Real v = all_.weight[edge(e)];
    Real* to = gain + e * channels + relations_;
    to[0] = certainty * v * v / 2, to[1] = -certainty * v, to[2] = certainty / 2;
  }
};

}  // namespace grapheme::GRAPHEME_ISA
