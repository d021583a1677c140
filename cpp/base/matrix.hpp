// The three loops in which all time is spent. Rows start on cache lines, their tails are zeros.
#pragma once

#include <cstring>

#include "base/vec.hpp"

namespace grapheme::GRAPHEME_ISA {

// A tile of BLOCK rows and up to TILE vectors: its sums fit the registers.
constexpr Index BLOCK = L == 8 ? 8 : 4;
#if defined(__AVX512F__)
constexpr Index TILE = 3;
#else
constexpr Index TILE = L == 8 ? 1 : 2;
#endif

// Rows of a sweep that are summed side by side: more hide each other's waiting.
#if defined(__AVX512F__)
constexpr Index TALL = 2 * LINE;
#else
constexpr Index TALL = LINE;
#endif

// Compilers give up unrolling so many rows by themselves, and then keep the sums in memory.
#if defined(__clang__)
#define GRAPHEME_UNROLL _Pragma("unroll")
#else
#define GRAPHEME_UNROLL _Pragma("GCC unroll 16")
#endif

static inline Index padded(Index count) { return (count + LINE - 1) / LINE * LINE; }

static inline void clear(Real* p, Index count) {
  if (count > 0) std::memset(p, 0, sizeof(Real) * static_cast<std::size_t>(count));
}

// Of any length, from and to anywhere.
static inline void copy_numbers(const Real* from, Index count, Real* to) {
  if (count > 0) std::memcpy(to, from, sizeof(Real) * static_cast<std::size_t>(count));
}

// Of padded vectors, most of them a few lines long: less than a call of memcpy.
static inline void copy(Real* to, const Real* from, Index width) {
  for (Index i = 0; i < width; i += L) store(to + i, load(from + i));
}

// The matrix of one pair: `rows` is a multiple of LINE, as is `width`.
struct Matrix {
  Real* at;
  Index rows, width;
  Real* row(Index i) const { return at + i * width; }
};

static inline Matrix matrix(Index rows, Index width, Arena& arena) {
  return {take(arena, rows * width), rows, width};
}

static inline void transpose(const Matrix& from, const Matrix& to) {
  for (Index i = 0; i < from.rows; i += L) {
    for (Index j = 0; j < from.width; j += L) {
      Vec block[L];
      for (Index r = 0; r < L; ++r) block[r] = load(from.row(i + r) + j);
      transpose(block);
      for (Index r = 0; r < L; ++r) store(to.row(j + r) + i, block[r]);
    }
  }
}

// Between the entries of the first rows.
static inline Real largest_difference(const Matrix& x, const Matrix& y, Index rows) {
  Vec most = splat(0);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < x.width; j += L)
      most = larger(most, magnitude(load(x.row(i) + j) - load(y.row(i) + j)));
  return largest(most);
}

// y += s x
static inline void add_to(Real* y, Real s, const Real* x, Index width) {
  const Vec scale = splat(s);
  for (Index j = 0; j < width; j += L) store(y + j, load(y + j) + scale * load(x + j));
}

static inline Real dot(const Real* x, const Real* y, Index width) {
  Vec total = splat(0);
  for (Index j = 0; j < width; j += L) total += load(x + j) * load(y + j);
  return sum(total);
}

// dots = K y of R rows, then x = rule(first row, dots), stored, then t += K^T x. The rule sees a
// whole LINE: where R is less, the rows behind are padding, and their dots zero.
template <Index R, class Rule>
static inline void visit(const Matrix& k, Index i, const Real* y, Real* x, Real* t, Rule rule) {
  const Real* block = k.row(i);
  constexpr Index ruled = R < LINE ? LINE : R;
  Vec dots[ruled];
  GRAPHEME_UNROLL for (Index r = 0; r < ruled; ++r) dots[r] = splat(0);
  for (Index j = 0; j < k.width; j += L) {
    const Vec weight = load(y + j);
    GRAPHEME_UNROLL for (Index r = 0; r < R; ++r) dots[r] += load(block + r * k.width + j) * weight;
  }
  GRAPHEME_UNROLL for (Index r = 0; r < ruled; r += L)
    store(x + i + r, rule(i + r, sums(dots + r)));
  for (Index j = 0; j < k.width; j += L) {
    Vec even = load(t + j), odd = splat(0);
    GRAPHEME_UNROLL for (Index r = 0; r < R; r += 2) {
      even += load(block + r * k.width + j) * splat(x[i + r]);
      odd += load(block + (r + 1) * k.width + j) * splat(x[i + r + 1]);
    }
    store(t + j, even + odd);
  }
}

// One trip through K does both half-sweeps, the second half from the first-level cache. The rule
// gets L rows at a time and returns their weights. Rows from `count` on are zeros.
template <class Rule>
static inline void there_and_back(const Matrix& k, Index count, const Real* y, Real* x, Real* t,
                                  Rule rule) {
  for (Index j = 0; j < k.width; j += L) store(t + j, splat(0));
  Index i = 0;
  for (; count - i > LINE; i += TALL) visit<TALL>(k, i, y, x, t, rule);
  if (count - i > LINE / 2) {
    visit<LINE>(k, i, y, x, t, rule);
  } else if (count > i) {
    visit<LINE / 2>(k, i, y, x, t, rule);
  }
}

// t = K^T x.
static inline void columns_of(const Matrix& k, const Real* x, Real* t) {
  for (Index j = 0; j < k.width; j += L) store(t + j, splat(0));
  for (Index i = 0; i < k.rows; i += LINE) {
    for (Index j = 0; j < k.width; j += L) {
      Vec even = load(t + j), odd = splat(0);
      for (Index r = 0; r < LINE; r += 2) {
        even += load(k.row(i + r) + j) * splat(x[i + r]);
        odd += load(k.row(i + r + 1) + j) * splat(x[i + r + 1]);
      }
      store(t + j, even + odd);
    }
  }
}

// s = K y.
static inline void rows_of(const Matrix& k, const Real* y, Real* s) {
  for (Index i = 0; i < k.rows; i += LINE) {
    Vec dots[LINE];
    for (Index r = 0; r < LINE; ++r) dots[r] = splat(0);
    for (Index j = 0; j < k.width; j += L) {
      for (Index r = 0; r < LINE; ++r) dots[r] += load(k.row(i + r) + j) * load(y + j);
    }
    for (Index r = 0; r < LINE; r += L) store(s + i + r, sums(dots + r));
  }
}

template <Index W>
static inline void add_tile(Real* c, Index c_width, const Real* p, Index p_width,
                            const Real* q, Index q_width, Index depth) {
  Vec tile[BLOCK][W];
  for (Index r = 0; r < BLOCK; ++r)
    for (Index w = 0; w < W; ++w) tile[r][w] = load(c + r * c_width + w * L);
  for (Index d = 0; d < depth; ++d) {
    Vec row[W];
    for (Index w = 0; w < W; ++w) row[w] = load(q + d * q_width + w * L);
    for (Index r = 0; r < BLOCK; ++r) {
      const Vec weight = splat(p[d * p_width + r]);
      for (Index w = 0; w < W; ++w) tile[r][w] += row[w] * weight;
    }
  }
  for (Index r = 0; r < BLOCK; ++r)
    for (Index w = 0; w < W; ++w) store(c + r * c_width + w * L, tile[r][w]);
}

// BLOCK rows of C += P^T Q: c[r][j] += sum over d of p[d][r] q[d][j] for j below `count`.
static inline void add_product(Real* c, Index c_width, const Real* p, Index p_width,
                               const Real* q, Index q_width, Index depth, Index count) {
  Index j = 0;
  if constexpr (TILE > 2) {
    for (; j + 3 * L <= count && j + 4 * L != count; j += 3 * L)
      add_tile<3>(c + j, c_width, p, p_width, q + j, q_width, depth);
  }
  if constexpr (TILE > 1) {
    for (; j + 2 * L <= count; j += 2 * L)
      add_tile<2>(c + j, c_width, p, p_width, q + j, q_width, depth);
  }
  for (; j < count; j += L) add_tile<1>(c + j, c_width, p, p_width, q + j, q_width, depth);
}

}  // namespace grapheme::GRAPHEME_ISA
