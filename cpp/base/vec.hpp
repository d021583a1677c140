// A vector of numbers of the width and the precision this file is compiled for, by the vector
// extensions that GCC and Clang share. NaN and infinity keep their meaning: no -ffast-math.
#pragma once

#include <limits>
#include <utility>

#include "base/arena.hpp"

namespace grapheme::GRAPHEME_ISA {

#if defined(GRAPHEME_SINGLE)
typedef float Real;
typedef int Whole;
#else
typedef double Real;
typedef long long Whole;
#endif

// Never wider than a row is padded to.
#if defined(__AVX512F__) || (defined(__AVX2__) && defined(GRAPHEME_SINGLE))
constexpr Index L = 8;
#elif defined(__AVX2__) || defined(GRAPHEME_SINGLE)
constexpr Index L = 4;
#else
constexpr Index L = 2;
#endif

typedef Real Vec __attribute__((vector_size(sizeof(Real) * L)));
typedef Whole Bits __attribute__((vector_size(sizeof(Real) * L)));

static inline Real* take(Arena& arena, Index count) {
  return static_cast<Real*>(arena.take(sizeof(Real) * static_cast<std::size_t>(count)));
}

static inline Vec load(const Real* p) { return *reinterpret_cast<const Vec*>(p); }
static inline void store(Real* p, Vec x) { *reinterpret_cast<Vec*>(p) = x; }

static inline Vec splat(Real s) {
  Vec x;
  for (Index l = 0; l < L; ++l) x[l] = s;
  return x;
}

static inline Bits splat_bits(Whole s) {
  Bits x;
  for (Index l = 0; l < L; ++l) x[l] = s;
  return x;
}

static inline Vec choose(Bits mask, Vec yes, Vec no) {
  return (Vec)((mask & (Bits)yes) | (~mask & (Bits)no));
}
static inline Vec larger(Vec x, Vec y) { return choose((Bits)(x > y), x, y); }
static inline Vec smaller(Vec x, Vec y) { return choose((Bits)(x < y), x, y); }
static inline Vec magnitude(Vec x) {
  return (Vec)((Bits)x & splat_bits(std::numeric_limits<Whole>::max()));  // all but the sign
}

// Lanes of `x` and `y`; index i means x[i] for i < L, otherwise y[i - L].
template <int... I>
static inline Vec shuffle(Vec x, Vec y, std::integer_sequence<int, I...>) {
#if defined(__clang__) || __GNUC__ >= 12
  return __builtin_shufflevector(x, y, I...);
#else
  return __builtin_shuffle(x, y, Bits{I...});
#endif
}

// Lanes whose number has bit H take from `y`, the others from `x`; each adds its neighbour l ^ H.
template <int H, int... I>
static inline Vec fold_lanes(Vec x, Vec y, std::integer_sequence<int, I...>) {
  return shuffle(x, y, std::integer_sequence<int, ((I & H) ? int(L) + I : I)...>{}) +
         shuffle(x, y, std::integer_sequence<int, ((I & H) ? int(L) + (I ^ H) : (I ^ H))...>{});
}
template <int H>
static inline Vec fold(Vec x, Vec y) {
  return fold_lanes<H>(x, y, std::make_integer_sequence<int, int(L)>{});
}

// Lane l of the result is the sum of all lanes of r[l].
template <int H = 1>
static inline Vec sums(const Vec* r) {
  if constexpr (H == L) {
    return r[0];
  } else {
    Vec half[L / (2 * H)];
    for (Index i = 0; i < L / (2 * H); ++i) half[i] = fold<H>(r[2 * i], r[2 * i + 1]);
    return sums<2 * H>(half);
  }
}

template <int H = 1>
static inline Real sum(Vec x) {
  if constexpr (H == L) {
    return x[0];
  } else {
    return sum<2 * H>(fold<H>(x, x));
  }
}

// One step of a transpose of L vectors: lanes with bit H of x change places with lanes without it
// of y, its partner H rows below.
template <int H, int... I>
static inline void trade_lanes(Vec& x, Vec& y, std::integer_sequence<int, I...>) {
  const Vec upper =
      shuffle(x, y, std::integer_sequence<int, ((I & H) ? int(L) + (I ^ H) : I)...>{});
  y = shuffle(x, y, std::integer_sequence<int, ((I & H) ? int(L) + I : (I ^ H))...>{});
  x = upper;
}

// Lane l of vector r becomes lane r of vector l.
template <int H = 1>
static inline void transpose(Vec* r) {
  if constexpr (H < L) {
    for (Index i = 0; i < L; ++i)
      if (!(i & H)) trade_lanes<H>(r[i], r[i + H], std::make_integer_sequence<int, int(L)>{});
    transpose<2 * H>(r);
  }
}

// Each lane beside lane l ^ H.
template <int H, int... I>
static inline Vec partners(Vec x, std::integer_sequence<int, I...>) {
  return shuffle(x, x, std::integer_sequence<int, (I ^ H)...>{});
}
template <int H>
static inline Vec partners(Vec x) {
  return partners<H>(x, std::make_integer_sequence<int, int(L)>{});
}

template <int H = 1>
static inline Real least(Vec x) {
  if constexpr (H == L) {
    return x[0];
  } else {
    return least<2 * H>(smaller(x, partners<H>(x)));
  }
}

// Whether any bit is set.
template <int H = 1>
static inline bool any(Bits x) {
  if constexpr (H == L) {
    return x[0] != 0;
  } else {
    return any<2 * H>(x | (Bits)partners<H>((Vec)x));
  }
}

static inline Real largest(Vec x) { return -least(-x); }

}  // namespace grapheme::GRAPHEME_ISA

#include "base/exp_log.hpp"
