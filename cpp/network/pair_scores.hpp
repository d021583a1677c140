// Logits of the relations of candidate edges: `read silu(from_u + to_v + mix s_uv + offset)` with
// `s_uv` the products of query and key of each head. No vector of a candidate is kept.
#pragma once

#include <cmath>

#include "base/matrix.hpp"
#include "network/arrays.hpp"

namespace grapheme::GRAPHEME_ISA {

// The nodes of a group and what all candidates have in common, in padded rows; those of queries and
// keys head by head.
struct PairTables {
  Index size, query_width;  // of a head, and of all, padded
  Matrix query, key, from, to, offset, mix, read;
};

static inline Matrix zeros(Index rows, Index width, Arena& arena) {
  const Matrix found = matrix(rows, width, arena);
  clear(found.at, rows * width);
  return found;
}

// Where rows of `parts` times `size` numbers stand, `stride` apart.
struct Rows {
  Index count, parts, size, stride;
};

// The same with each part padded.
static inline Matrix read_rows(const Rows& rows, const Real* from, Arena& arena) {
  const Index width = padded(rows.size);
  const Matrix to = zeros(rows.count, rows.parts * width, arena);
  for (Index i = 0; i < rows.count; ++i)
    for (Index p = 0; p < rows.parts; ++p)
      copy_numbers(from + i * rows.stride + p * rows.size, rows.size, to.row(i) + p * width);
  return to;
}

static inline void write_rows(const Rows& rows, const Matrix& from, Real* to) {
  const Index width = padded(rows.size);
  for (Index i = 0; i < rows.count; ++i)
    for (Index p = 0; p < rows.parts; ++p)
      copy_numbers(from.row(i) + p * width, rows.size, to + i * rows.stride + p * rows.size);
}

static inline PairTables pair_tables(const PairScores<Real>& all, Index first, Index nodes,
                                     Arena& arena) {
  const Index dim = all.dim, size = dim / all.heads;
  const Rows by_head{nodes, all.heads, size, 4 * dim}, whole{nodes, 1, dim, 4 * dim};
  const Real* at = all.node_vectors + first * 4 * dim;
  return {size, all.heads * padded(size),
          read_rows(by_head, at, arena), read_rows(by_head, at + dim, arena),
          read_rows(whole, at + 2 * dim, arena), read_rows(whole, at + 3 * dim, arena),
          read_rows({all.steps, 1, dim, dim}, all.offset, arena),
          read_rows({all.heads, 1, dim, dim}, all.mix, arena),
          read_rows({all.relations, 1, dim, dim}, all.read, arena)};
}

static inline void add(Real* to, const Real* x, Index width) {
  for (Index i = 0; i < width; i += L) store(to + i, load(to + i) + load(x + i));
}

// One candidate: its scores, what the rectifier is given, its sigmoid and what it gives.
struct Candidate {
  Index u, v, step;
  Real *score, *given, *sigmoid, *active;
};

static inline void fill(const PairScores<Real>& all, const PairTables& tables, Index edge,
                        Index first, Candidate& pair) {
  pair.u = all.source[edge] - first;
  pair.v = all.sink[edge] - first;
  pair.step = all.step ? all.step[edge] : -1;
  const Index head = padded(tables.size), width = tables.mix.width;
  const Real scale = 1 / std::sqrt(static_cast<Real>(tables.size));
  const Real *query = tables.query.row(pair.u), *key = tables.key.row(pair.v);
  for (Index h = 0; h < all.heads; ++h)
    pair.score[h] = scale * dot(query + h * head, key + h * head, head);
  const Real *from = tables.from.row(pair.u), *to = tables.to.row(pair.v),
             *offset = pair.step < 0 ? nullptr : tables.offset.row(pair.step);
  for (Index d = 0; d < width; d += L) {
    Vec x = load(from + d) + load(to + d);
    if (offset) x += load(offset + d);
    for (Index h = 0; h < all.heads; ++h) x += splat(pair.score[h]) * load(tables.mix.row(h) + d);
    const Vec s = splat(1) / (splat(1) + exp_or_nan(-x));
    store(pair.given + d, x);
    store(pair.sigmoid + d, s);
    store(pair.active + d, x * s);
  }
}

static inline Candidate room_for_candidate(const PairScores<Real>& all, Index width, Arena& arena) {
  Real* score = take(arena, all.heads);
  Real *given = take(arena, width), *sigmoid = take(arena, width), *active = take(arena, width);
  return {0, 0, -1, score, given, sigmoid, active};
}

static void score_pairs(const PairScores<Real>& all, Index group, Arena& arena) {
  const Index first = all.node[group], nodes = all.node[group + 1] - first;
  if (all.edge[group] == all.edge[group + 1]) return;
  const PairTables tables = pair_tables(all, first, nodes, arena);
  const Index width = tables.mix.width;
  Candidate pair = room_for_candidate(all, width, arena);
  for (Index e = all.edge[group]; e < all.edge[group + 1]; ++e) {
    fill(all, tables, e, first, pair);
    for (Index r = 0; r < all.relations; ++r)
      all.logits[e * all.relations + r] = dot(pair.active, tables.read.row(r), width);
  }
}

// The derivative in what the rectifier is given, from that in the logits; adds that in `read`.
static inline void silu_adjoint(const PairTables& tables, const Candidate& pair, const Real* from,
                                Index relations, const Matrix& grad_read, Real* to) {
  const Index width = tables.mix.width;
  clear(to, width);
  for (Index r = 0; r < relations; ++r) {
    add_to(to, from[r], tables.read.row(r), width);
    add_to(grad_read.row(r), from[r], pair.active, width);
  }
  for (Index d = 0; d < width; d += L) {
    const Vec s = load(pair.sigmoid + d), x = load(pair.given + d);
    store(to + d, load(to + d) * s * (splat(1) + x * (splat(1) - s)));
  }
}

static void score_pairs_adjoint(const PairScores<Real>& all, Index group, Arena& arena) {
  const Index first = all.node[group], nodes = all.node[group + 1] - first;
  const PairTables tables = pair_tables(all, first, nodes, arena);
  const Index width = tables.mix.width, head = padded(tables.size), size = tables.size;
  const auto rows = [&](Index count, Index columns) { return zeros(count, columns, arena); };
  const Matrix query = rows(nodes, tables.query_width), key = rows(nodes, tables.query_width),
               from = rows(nodes, width), to = rows(nodes, width), offset = rows(all.steps, width),
               mix = rows(all.heads, width), read = rows(all.relations, width);
  Candidate pair = room_for_candidate(all, width, arena);
  Real* grad = take(arena, width);
  const Real scale = 1 / std::sqrt(static_cast<Real>(size));
  for (Index e = all.edge[group]; e < all.edge[group + 1]; ++e) {
    fill(all, tables, e, first, pair);
    silu_adjoint(tables, pair, all.grad_logits + e * all.relations, all.relations, read, grad);
    add(from.row(pair.u), grad, width);
    add(to.row(pair.v), grad, width);
    if (pair.step >= 0) add(offset.row(pair.step), grad, width);
    for (Index h = 0; h < all.heads; ++h) {
      const Real g = scale * dot(grad, tables.mix.row(h), width);
      add_to(mix.row(h), pair.score[h], grad, width);
      add_to(query.row(pair.u) + h * head, g, tables.key.row(pair.v) + h * head, head);
      add_to(key.row(pair.v) + h * head, g, tables.query.row(pair.u) + h * head, head);
    }
  }
  const Rows by_head{nodes, all.heads, size, 4 * all.dim}, whole{nodes, 1, all.dim, 4 * all.dim};
  Real* at = all.grad_node_vectors + first * 4 * all.dim;
  write_rows(by_head, query, at);
  write_rows(by_head, key, at + all.dim);
  write_rows(whole, from, at + 2 * all.dim);
  write_rows(whole, to, at + 3 * all.dim);
  const auto write = [&](const Matrix& rows, Index count, Real* of_groups) {
    write_rows({count, 1, all.dim, all.dim}, rows, of_groups + group * count * all.dim);
  };
  write(offset, all.steps, all.grad_offset);
  write(mix, all.heads, all.grad_mix);
  write(read, all.relations, all.grad_read);
}

}  // namespace grapheme::GRAPHEME_ISA
