// What a layer adds, some of it left out at random: `h + keep (x - h) / (1 - share)`. Which numbers
// are kept is a hash of a seed and their place: it is made anew for the derivative, not stored.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/vec.hpp"
#include "network/arrays.hpp"

namespace grapheme::GRAPHEME_ISA {

// 64 random bits of a place, by the finaliser of SplitMix64 [steele14].
static inline std::uint64_t random_bits(std::uint64_t seed, Index place) {
  std::uint64_t z = seed + static_cast<std::uint64_t>(place) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// The factor of each number of a block, four of them from one draw.
static inline void factors(const Dropout<Real>& all, Index begin, Index count, Real* to) {
  const Real kept = static_cast<Real>(65536.0 / (65536.0 - static_cast<double>(all.threshold)));
  for (Index i = 0; i < count; i += 4) {
    const std::uint64_t bits = random_bits(all.seed, (begin + i) / 4);
    for (Index l = 0; l < 4; ++l)
      to[i + l] = ((bits >> (16 * l)) & 0xffff) >= all.threshold ? kept : Real(0);
  }
}

static void drop(const Dropout<Real>& all, Index block, Arena& arena) {
  const Index begin = block * DROPPED, count = std::min(DROPPED, all.count - begin);
  Real* factor = take(arena, DROPPED);
  factors(all, begin, count, factor);
  const Real *h = all.before + begin, *x = all.after + begin;
  Real* to = all.result + begin;
  for (Index i = 0; i < count; ++i) to[i] = h[i] + factor[i] * (x[i] - h[i]);
}

static void drop_adjoint(const Dropout<Real>& all, Index block, Arena& arena) {
  const Index begin = block * DROPPED, count = std::min(DROPPED, all.count - begin);
  Real* factor = take(arena, DROPPED);
  factors(all, begin, count, factor);
  const Real* from = all.grad_result + begin;
  Real *before = all.grad_before + begin, *after = all.grad_after + begin;
  for (Index i = 0; i < count; ++i) {
    after[i] = factor[i] * from[i];
    before[i] = from[i] - after[i];
  }
}

}  // namespace grapheme::GRAPHEME_ISA
