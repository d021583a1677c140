// One pair without its padding: rows and columns of zero mass are left out before any work.
#pragma once

#include <cmath>
#include <limits>

#include "base/matrix.hpp"

namespace grapheme::GRAPHEME_ISA {

// The places in the padded arrays that hold mass.
struct Side {
  Index count = 0, width = 0;  // and the same, padded to a cache line
  Real* mass = nullptr;      // zeros in padding
  Real* vacant = nullptr;    // ones in padding, zeros elsewhere
  Index* place = nullptr;
  Real total = 0;
  bool valid = true;  // all masses are finite and positive

  Side(const Real* mass_of_all, Index size, Arena& arena) {
    place = static_cast<Index*>(arena.take(sizeof(Index) * static_cast<std::size_t>(size)));
    for (Index i = 0; i < size; ++i) {
      place[count] = i;
      count += mass_of_all[i] != 0;
    }
    width = padded(count);
    mass = take(arena, width);
    vacant = take(arena, width);
    for (Index k = 0; k < width; ++k) {
      mass[k] = k < count ? mass_of_all[place[k]] : 0;
      vacant[k] = k < count ? 0 : 1;
      total += mass[k];
      valid = valid && mass[k] >= 0 && mass[k] <= std::numeric_limits<Real>::max();
    }
    find_lead();
  }

  // The nodes of a graph, a mass of one each, and behind them the void, if it has any: it stands
  // last of `size` places.
  Side(Index nodes, Real void_mass, Index size, Arena& arena)
      : count(nodes + (void_mass > 0)), width(padded(count)), total(nodes + void_mass) {
    place = static_cast<Index*>(arena.take(sizeof(Index) * static_cast<std::size_t>(width)));
    mass = take(arena, width);
    vacant = take(arena, width);
    for (Index k = 0; k < width; ++k) {
      place[k] = k < nodes ? k : size - 1;
      mass[k] = k < nodes ? 1 : k < count ? void_mass : 0;
      vacant[k] = k < count ? 0 : 1;
    }
    find_lead();
  }

  void gather(const Real* from, Real* to, Real padding) const {
    std::memcpy(to, from, sizeof(Real) * static_cast<std::size_t>(lead));
    for (Index k = lead; k < count; ++k) to[k] = from[place[k]];
    for (Index k = count; k < width; ++k) to[k] = padding;
  }

  void scatter(const Real* from, Real* to) const {
    std::memcpy(to, from, sizeof(Real) * static_cast<std::size_t>(lead));
    for (Index k = lead; k < count; ++k) to[place[k]] = from[k];
  }

 private:
  Index lead = 0;  // so many stand in their places, as the nodes before the void do

  void find_lead() {
    while (lead < count && place[lead] == lead) ++lead;
  }
};

static inline void fill(Real* p, Index count, Real value) {
  for (Index i = 0; i < count; ++i) p[i] = value;
}

// The rows and columns with mass of a padded matrix; `padding` fills its last line, zeros the
// rows below.
static inline Matrix gather(const Real* from, Index columns, const Side& rows_side,
                            const Side& columns_side, Real padding, Arena& arena) {
  const Matrix out = matrix(rows_side.width, columns_side.width, arena);
  for (Index i = 0; i < rows_side.count; ++i)
    columns_side.gather(from + rows_side.place[i] * columns, out.row(i), padding);
  clear(out.row(rows_side.count), (out.rows - rows_side.count) * out.width);
  return out;
}

// Divides the matrix by `divisor`; whether its real entries, `rows` times `columns`, are finite
// then.
static inline bool divide(const Matrix& m, Index rows, Index columns, Real divisor) {
  const Vec d = splat(divisor);
  // x - x is zero unless x is NaN or infinite. Padding may be.
  Vec faults = splat(0);
  for (Index i = 0; i < rows; ++i) {
    Index j = 0;
    for (; j + L <= columns; j += L) {
      const Vec x = load(m.row(i) + j) / d;
      faults += x - x;
      store(m.row(i) + j, x);
    }
    for (; j < columns; ++j) {
      m.row(i)[j] /= divisor;
      faults[0] += m.row(i)[j] - m.row(i)[j];
    }
  }
  return sum(faults) == 0;
}

}  // namespace grapheme::GRAPHEME_ISA
