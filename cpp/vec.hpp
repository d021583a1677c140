// A vector of doubles of the width this file is compiled for, by the vector extensions that GCC
// and Clang share. NaN and infinity keep their meaning: nothing here needs -ffast-math.
#pragma once

#include <utility>

#include "arena.hpp"

namespace grapheme::GRAPHEME_ISA {

#if defined(__AVX512F__)
constexpr Index L = 8;
#elif defined(__AVX2__)
constexpr Index L = 4;
#else
constexpr Index L = 2;
#endif

typedef double Vec __attribute__((vector_size(sizeof(double) * L)));
typedef long long Bits __attribute__((vector_size(sizeof(double) * L)));

static inline Vec load(const double* p) { return *reinterpret_cast<const Vec*>(p); }
static inline void store(double* p, Vec x) { *reinterpret_cast<Vec*>(p) = x; }

static inline Vec splat(double s) {
  Vec x;
  for (Index l = 0; l < L; ++l) x[l] = s;
  return x;
}

static inline Bits splat_bits(long long s) {
  Bits x;
  for (Index l = 0; l < L; ++l) x[l] = s;
  return x;
}

static inline Vec choose(Bits mask, Vec yes, Vec no) {
  return (Vec)((mask & (Bits)yes) | (~mask & (Bits)no));
}
static inline Vec larger(Vec x, Vec y) { return choose((Bits)(x > y), x, y); }
static inline Vec smaller(Vec x, Vec y) { return choose((Bits)(x < y), x, y); }
static inline Vec magnitude(Vec x) { return (Vec)((Bits)x & splat_bits(0x7fffffffffffffffLL)); }

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
static inline double sum(Vec x) {
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
  const Vec upper = shuffle(x, y, std::integer_sequence<int, ((I & H) ? int(L) + (I ^ H) : I)...>{});
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

static inline double least(Vec x) {
  double best = x[0];
  for (Index l = 1; l < L; ++l) best = x[l] < best ? x[l] : best;
  return best;
}
static inline double largest(Vec x) { return -least(-x); }

// e^x to about an ulp; 0 below -700, where the scalings of solve.hpp cannot make it matter, and
// e^700 above 700. x = k log 2 + r, and adding 1.5 * 2^52 rounds k and leaves it in the low bits.
static inline Vec exp(Vec x) {
  const Vec lowest = splat(-700.0), highest = splat(700.0), shift = splat(6755399441055744.0);
  const Bits vanishes = (Bits)(x < lowest);
  x = smaller(larger(x, lowest), highest);
  const Vec shifted = x * splat(1.4426950408889634074) + shift;
  const Vec k = shifted - shift;
  const Vec r = (x - k * splat(6.93147180369123816490e-01)) - k * splat(1.90821492927058770002e-10);
  // Taylor to degree 13, grouped so that the sums do not wait for each other.
  const Vec r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
  const Vec p01 = splat(1.0) + r;
  const Vec p23 = splat(1.0 / 2) + r * splat(1.0 / 6);
  const Vec p45 = splat(1.0 / 24) + r * splat(1.0 / 120);
  const Vec p67 = splat(1.0 / 720) + r * splat(1.0 / 5040);
  const Vec p89 = splat(1.0 / 40320) + r * splat(1.0 / 362880);
  const Vec pab = splat(1.0 / 3628800) + r * splat(1.0 / 39916800);
  const Vec pcd = splat(1.0 / 479001600) + r * splat(1.0 / 6227020800);
  const Vec low = (p01 + r2 * p23) + r4 * (p45 + r2 * p67);
  const Vec high = (p89 + r2 * pab) + r4 * pcd;
  const Bits power = ((Bits)shifted + splat_bits(1023)) << 52;
  return choose(vanishes, splat(0.0), (low + r8 * high) * (Vec)power);
}

// The same, but NaN stays NaN.
static inline Vec exp_or_nan(Vec x) { return choose((Bits)(x != x), x, exp(x)); }

// log x to about an ulp for positive normal x: x = 2^k m with m near 1, log m = 2 artanh s.
static inline Vec log(Vec x) {
  const Bits bits = (Bits)x - splat_bits(0x3fe6a09e667f3bcdLL);  // of sqrt(1/2)
  const Bits exponent = (bits >> 52);
  const Vec m = (Vec)((Bits)x - (exponent << 52));
  const Bits magic = splat_bits(0x4338000000000000LL);
  const Vec k = (Vec)(exponent + magic) - (Vec)magic;
  const Vec d = m - splat(1.0), s = d / (m + splat(1.0)), z = s * s, w = z * z;
  // The coefficients of fdlibm's log.
  const Vec odd =
      z * (splat(6.666666666666735130e-01) +
           w * (splat(2.857142874366239149e-01) +
                w * (splat(1.818357216161805012e-01) + w * splat(1.479819860511658591e-01))));
  const Vec even =
      w * (splat(3.999999999940941908e-01) +
           w * (splat(2.222219843214978396e-01) + w * splat(1.531383769920937332e-01)));
  const Vec half = splat(0.5) * d * d;
  const Vec tail = s * (half + (odd + even));
  return k * splat(6.93147180369123816490e-01) -
         ((half - (tail + k * splat(1.90821492927058770002e-10))) - d);
}

}  // namespace grapheme::GRAPHEME_ISA
