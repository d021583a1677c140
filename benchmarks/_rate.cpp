// How fast a core multiplies a matrix that lies in its first-level cache by a vector: what sweeps
// cannot be faster than. Compiled by fused.py where there is a compiler, for this machine.
#include <cstddef>

constexpr std::size_t SIZE = 32;

// y = M^T x, the columns of y in registers.
template <class Real>
static void multiply(const Real* __restrict m, const Real* __restrict x, Real* __restrict y) {
  Real sums[SIZE] = {};
  for (std::size_t i = 0; i < SIZE; ++i)
    for (std::size_t j = 0; j < SIZE; ++j) sums[j] += m[i * SIZE + j] * x[i];
  for (std::size_t j = 0; j < SIZE; ++j) y[j] = sums[j];
}

template <class Real>
static double run(long repeats) {
  alignas(64) static Real m[SIZE * SIZE], x[SIZE], y[SIZE];
  for (Real& entry : m) entry = Real(1) / SIZE;
  for (Real& entry : x) entry = 1;
  for (long r = 0; r < repeats; ++r) {
    multiply(m, x, y);
    multiply(m, y, x);
    asm volatile("" ::: "memory");
  }
  return static_cast<double>(x[0]);
}

// 2 * SIZE * SIZE multiply-adds a repeat.
extern "C" double run_double(long repeats) { return run<double>(repeats); }
extern "C" double run_single(long repeats) { return run<float>(repeats); }
