// Exponential and logarithm of vectors, in both precisions. Included by vec.hpp.
#pragma once

#include "base/vec.hpp"

namespace grapheme::GRAPHEME_ISA {

#if !defined(GRAPHEME_SINGLE)

constexpr Real BOTTOM = -700;  // e^x is taken as zero below

// e^x to about an ulp; 0 below -700, where the scalings of solve.hpp cannot make it matter, and
// e^700 above 700. x = k log 2 + r, and adding 1.5 * 2^52 rounds k and leaves it in the low bits.
static inline Vec exp(Vec x) {
  const Vec lowest = splat(BOTTOM), highest = splat(700.0), shift = splat(6755399441055744.0);
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

#else

constexpr Real BOTTOM = -87;

// As in double precision: 0 below BOTTOM, e^88 above 88; Taylor to degree 7.
static inline Vec exp(Vec x) {
  const Vec lowest = splat(BOTTOM), highest = splat(88), shift = splat(12582912);  // 1.5 * 2^23
  const Bits vanishes = (Bits)(x < lowest);
  x = smaller(larger(x, lowest), highest);
  const Vec shifted = x * splat(1.44269504f) + shift;
  const Vec k = shifted - shift;
  const Vec r = (x - k * splat(0.693359375f)) - k * splat(-2.12194440e-4f);
  const Vec r2 = r * r;
  const Vec low = (splat(1) + r) + r2 * (splat(1.0f / 2) + r * splat(1.0f / 6));
  const Vec high = (splat(1.0f / 24) + r * splat(1.0f / 120)) +
                   r2 * (splat(1.0f / 720) + r * splat(1.0f / 5040));
  const Bits power = ((Bits)shifted + splat_bits(127)) << 23;
  return choose(vanishes, splat(0), (low + (r2 * r2) * high) * (Vec)power);
}

static inline Vec log(Vec x) {
  const Bits bits = (Bits)x - splat_bits(0x3f3504f3);  // of sqrt(1/2)
  const Bits exponent = (bits >> 23);
  const Vec m = (Vec)((Bits)x - (exponent << 23));
  const Bits magic = splat_bits(0x4b400000);
  const Vec k = (Vec)(exponent + magic) - (Vec)magic;
  const Vec d = m - splat(1), s = d / (m + splat(1)), z = s * s;
  // The coefficients of fdlibm's logf.
  const Vec series = z * (splat(0.66666662693f) +
                          z * (splat(0.40000972152f) +
                               z * (splat(0.28498786688f) + z * splat(0.24279078841f))));
  const Vec half = splat(0.5f) * d * d;
  const Vec tail = s * (half + series);
  return k * splat(6.9313812256e-01f) - ((half - (tail + k * splat(9.0580006145e-06f))) - d);
}

#endif

// The exponential, but NaN stays NaN.
static inline Vec exp_or_nan(Vec x) { return choose((Bits)(x != x), x, exp(x)); }

}  // namespace grapheme::GRAPHEME_ISA
