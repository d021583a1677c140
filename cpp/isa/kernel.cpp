#include "isa/kernel.hpp"

#include <stdexcept>

namespace grapheme {
namespace {

// The kernels of a precision that this machine can run, the fastest last.
template <class Real>
std::vector<const Kernel<Real>*> kernels() {
  constexpr bool twice = sizeof(Real) == sizeof(double);
  const auto choose = [](const Kernel<double>& full, const Kernel<float>& single) {
    if constexpr (twice) {
      return &full;
    } else {
      return &single;
    }
  };
  std::vector<const Kernel<Real>*> found{choose(plain_kernel, plain_single_kernel)};
#ifdef GRAPHEME_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    found.push_back(choose(avx2_kernel, avx2_single_kernel));
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
      found.push_back(choose(avx512_kernel, avx512_single_kernel));
    }
  }
#endif
  return found;
}

}  // namespace

std::vector<std::string> levels() {
  std::vector<std::string> names;
  for (const Kernel<double>* one : kernels<double>()) names.emplace_back(one->name);
  return names;
}

template <class Real>
const Kernel<Real>& kernel(const std::string& level) {
  for (const Kernel<Real>* one : kernels<Real>()) {
    if (level == one->name) return *one;
  }
  throw std::invalid_argument("this processor has no " + level);
}

template const Kernel<double>& kernel(const std::string&);
template const Kernel<float>& kernel(const std::string&);

}  // namespace grapheme
