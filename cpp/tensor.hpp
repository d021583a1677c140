// A tensor of PyTorch as it crosses the border: where it is and what it is, read off the Python
// object. Whoever uses it says by name what it must be.
#pragma once

#include <nanobind/nanobind.h>

#include <initializer_list>
#include <stdexcept>

#include "base/arena.hpp"

namespace grapheme {

enum class Type { none, float64, float32, int64, boolean, other };

struct Tensor {
  static constexpr Index MOST = 4;  // axes of any tensor that is taken

  Type type = Type::none;  // none: it is not given
  void* at = nullptr;
  Index rank = 0, shape[MOST] = {};
  bool contiguous = false, on_cpu = false;
  nanobind::object owner;  // keeps the memory while the tensor is held

  // Of a Python object: a tensor, or None. Throws nanobind::python_error if it is neither.
  static Tensor of(nanobind::handle object);

  explicit operator bool() const { return type != Type::none; }
  Index size(Index axis) const { return axis < rank && axis < MOST ? shape[axis] : 0; }
};

// The first number of a contiguous tensor on the CPU with this shape. Throws std::invalid_argument
// that names it, says what it must be and what it is.
template <class T>
T* read(const Tensor& tensor, const char* name, std::initializer_list<Index> shape);

// The same, or null if it is not given.
template <class T>
T* read_if_given(const Tensor& tensor, const char* name, std::initializer_list<Index> shape) {
  return tensor ? read<T>(tensor, name, shape) : nullptr;
}

}  // namespace grapheme

template <>
struct nanobind::detail::type_caster<grapheme::Tensor> {
  NB_TYPE_CASTER(grapheme::Tensor, const_name("torch.Tensor | None"))

  bool from_python(handle source, std::uint8_t, cleanup_list*) noexcept {
    try {
      value = grapheme::Tensor::of(source);
      return true;
    } catch (const std::exception&) {
      PyErr_Clear();
      return false;  // nanobind says which arguments the function takes
    }
  }

  static handle from_cpp(const grapheme::Tensor& tensor, rv_policy, cleanup_list*) noexcept {
    return (tensor ? object(tensor.owner) : object(none())).release();
  }
};
