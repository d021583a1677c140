// Messages along the edges of a batch, some columns at a time: threads never meet.
#pragma once

#include <algorithm>

#include "base/matrix.hpp"
#include "network/arrays.hpp"

namespace grapheme::GRAPHEME_ISA {

// heard_v = own_v + mean_{u -> v} said_u gate_uv + mean_{v -> w} said'_w gate'_vw, columns of `block`.
static void hear(const Messages<Real>& all, Index block, Arena&) {
  const Index dim = all.dim, begin = block * COLUMNS, width = std::min(COLUMNS, dim - begin);
  for (Index v = 0; v < all.nodes; ++v)
    copy_numbers(all.said + 3 * v * dim + begin, width, all.heard + v * dim + begin);
  for (Index e = 0; e < all.edges; ++e) {
    const Index u = all.source[e], v = all.sink[e];
    const Real *ahead = all.said + (3 * u + 1) * dim + begin,
               *back = all.said + (3 * v + 2) * dim + begin,
               *gate = all.gate + all.kind[e] * dim + begin, *gate_back = gate + all.kinds * dim;
    Real *to = all.heard + v * dim + begin, *to_back = all.heard + u * dim + begin;
    const Real in = all.in[static_cast<std::size_t>(v)], out = all.out[static_cast<std::size_t>(u)];
    for (Index c = 0; c < width; ++c) to[c] += in * ahead[c] * gate[c];
    for (Index c = 0; c < width; ++c) to_back[c] += out * back[c] * gate_back[c];
  }
}

static void hear_adjoint(const Messages<Real>& all, Index block, Arena&) {
  const Index dim = all.dim, begin = block * COLUMNS, width = std::min(COLUMNS, dim - begin);
  for (Index k = 0; k < 2 * all.kinds; ++k) clear(all.grad_gate + k * dim + begin, width);
  for (Index v = 0; v < all.nodes; ++v) {
    Real* to = all.grad_said + 3 * v * dim + begin;
    copy_numbers(all.grad_heard + v * dim + begin, width, to);
    clear(to + dim, width);
    clear(to + 2 * dim, width);
  }
  for (Index e = 0; e < all.edges; ++e) {
    const Index u = all.source[e], v = all.sink[e], k = all.kind[e] * dim + begin;
    const Index ahead = (3 * u + 1) * dim + begin, back = (3 * v + 2) * dim + begin;
    const Real *from = all.grad_heard + v * dim + begin,
               *from_back = all.grad_heard + u * dim + begin;
    Real *said = all.grad_said + ahead, *said_back = all.grad_said + back;
    Real *gate = all.grad_gate + k, *gate_back = gate + all.kinds * dim;
    const Real in = all.in[static_cast<std::size_t>(v)], out = all.out[static_cast<std::size_t>(u)];
    for (Index c = 0; c < width; ++c) {
      const Real g = in * from[c];
      said[c] += g * all.gate[k + c];
      gate[c] += g * all.said[ahead + c];
    }
    for (Index c = 0; c < width; ++c) {
      const Real g = out * from_back[c];
      said_back[c] += g * all.gate[k + all.kinds * dim + c];
      gate_back[c] += g * all.said[back + c];
    }
  }
}

}  // namespace grapheme::GRAPHEME_ISA
