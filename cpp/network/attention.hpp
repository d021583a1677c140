// Attention among the nodes of one graph, and its derivative, with all of a head in cache: nothing
// is padded to the largest graph, and no plan of attention is kept.
#pragma once

#include <cmath>

#include "base/matrix.hpp"
#include "network/arrays.hpp"

namespace grapheme::GRAPHEME_ISA {

// Query, key and value of one head: a row a node, padded, and the same with a column a node.
struct Head {
  Matrix query, key, value, query_columns, key_columns;
};

// Coordinates k and k + half turned as a pair, `sign` -1 turns them back; an odd one stays.
static inline void turn(const Real* from, Real* __restrict to, Index size, const Real* cosine,
                        const Real* sine, Real sign) {
  const Index half = size / 2;
  for (Index k = 0; k < half; ++k) {
    const Real a = from[k], b = from[k + half], s = sign * sine[k];
    to[k] = a * cosine[k] - b * s;
    to[k + half] = a * s + b * cosine[k];
  }
  if (size % 2) to[size - 1] = from[size - 1];
}

static inline void rotate(const Attention<Real>& all, Index node, const Real* from, Real* to,
                          Real sign) {
  const Index half = all.size / 2;
  if (all.cosine) {
    turn(from, to, all.size, all.cosine + node * half, all.sine + node * half, sign);
  } else {
    copy_numbers(from, all.size, to);
  }
}

static inline Matrix transposed(const Matrix& from, Arena& arena) {
  const Matrix to = matrix(from.width, from.rows, arena);
  transpose(from, to);
  return to;
}

// `P^T Q`: rows of the result are columns of P; both have `depth` rows that count.
static inline Matrix product(const Matrix& p, const Matrix& q, Index depth, Arena& arena) {
  const Matrix to = matrix(p.width, q.width, arena);
  clear(to.at, to.rows * to.width);
  for (Index i = 0; i < to.rows; i += BLOCK)
    add_product(to.row(i), to.width, p.at + i, p.width, q.at, q.width, depth, q.width);
  return to;
}

static inline Head read_head(const Attention<Real>& all, Index first, Index count, Index head,
                             Arena& arena) {
  const Index rows = padded(count), width = padded(all.size), stride = all.heads * all.size;
  Head found{matrix(rows, width, arena), matrix(rows, width, arena), matrix(rows, width, arena),
             {}, {}};
  for (const Matrix* one : {&found.query, &found.key, &found.value}) clear(one->at, rows * width);
  for (Index i = 0; i < count; ++i) {
    const Real* at = all.query_key_value + (first + i) * 3 * stride + head * all.size;
    rotate(all, first + i, at, found.query.row(i), 1);
    rotate(all, first + i, at + stride, found.key.row(i), 1);
    copy_numbers(at + 2 * stride, all.size, found.value.row(i));
  }
  found.query_columns = transposed(found.query, arena);
  found.key_columns = transposed(found.key, arena);
  return found;
}

static inline Vec scale_of(Index size) {
  return splat(1 / std::sqrt(static_cast<Real>(size)));
}

// How much each node, a column, attends to each of `count` nodes, a row: a softmax of columns.
static inline Matrix shares_of(const Head& head, Index size, Index count, Arena& arena) {
  const Matrix share = product(head.key_columns, head.query_columns, size, arena);
  const Vec scale = scale_of(size);
  for (Index i = 0; i < share.width; i += L) {
    Vec most = load(share.row(0) + i), total = splat(0);
    for (Index j = 1; j < count; ++j) most = larger(most, load(share.row(j) + i));
    for (Index j = 0; j < count; ++j) {
      const Vec e = exp_or_nan((load(share.row(j) + i) - most) * scale);
      store(share.row(j) + i, e);
      total += e;
    }
    const Vec one = splat(1) / total;
    for (Index j = 0; j < count; ++j) store(share.row(j) + i, load(share.row(j) + i) * one);
  }
  return share;
}

static void attend(const Attention<Real>& all, Index graph, Arena& arena) {
  const Index first = all.first[graph], count = all.first[graph + 1] - first;
  for (Index h = 0; h < all.heads; ++h) {
    const Arena::Mark mark = arena.mark();
    const Head head = read_head(all, first, count, h, arena);
    const Matrix mixed = product(shares_of(head, all.size, count, arena), head.value, count, arena);
    for (Index i = 0; i < count; ++i)
      copy_numbers(mixed.row(i), all.size, all.mixed + ((first + i) * all.heads + h) * all.size);
    arena.rewind(mark);
  }
}

// The derivative in the scaled products, from that in the shares, in place: columns by themselves.
static inline void softmax_adjoint(const Matrix& share, Index size, Index count,
                                   const Matrix& grad) {
  const Vec scale = scale_of(size);
  for (Index i = 0; i < share.width; i += L) {
    Vec mean = splat(0);
    for (Index j = 0; j < count; ++j) mean += load(share.row(j) + i) * load(grad.row(j) + i);
    for (Index j = 0; j < count; ++j)
      store(grad.row(j) + i, load(share.row(j) + i) * (load(grad.row(j) + i) - mean) * scale);
  }
}

static void attend_adjoint(const Attention<Real>& all, Index graph, Arena& arena) {
  const Index first = all.first[graph], count = all.first[graph + 1] - first;
  const Index stride = all.heads * all.size, rows = padded(count), width = padded(all.size);
  for (Index h = 0; h < all.heads; ++h) {
    const Arena::Mark mark = arena.mark();
    const Head head = read_head(all, first, count, h, arena);
    const Matrix from = matrix(rows, width, arena);
    clear(from.at, rows * width);
    for (Index i = 0; i < count; ++i)
      copy_numbers(all.grad_mixed + ((first + i) * all.heads + h) * all.size, all.size,
                   from.row(i));
    const Matrix share = shares_of(head, all.size, count, arena);
    const Matrix products = product(transposed(head.value, arena), transposed(from, arena),
                                    all.size, arena);
    softmax_adjoint(share, all.size, count, products);
    const Matrix query = product(products, head.key, count, arena),
                 key = product(transposed(products, arena), head.query, count, arena),
                 value = product(transposed(share, arena), from, count, arena);
    for (Index i = 0; i < count; ++i) {
      Real* to = all.grad_query_key_value + (first + i) * 3 * stride + h * all.size;
      rotate(all, first + i, query.row(i), to, -1);
      rotate(all, first + i, key.row(i), to + stride, -1);
      copy_numbers(value.row(i), all.size, to + 2 * stride);
    }
    arena.rewind(mark);
  }
}

}  // namespace grapheme::GRAPHEME_ISA
