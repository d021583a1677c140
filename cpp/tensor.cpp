#include "tensor.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace nb = nanobind;

namespace grapheme {
namespace {

// What a tensor is asked, as Python's own strings, and the dtypes there are. Never freed: they are
// needed for as long as the interpreter lives.
struct Names {
  nb::object dtype = name("dtype"), shape = name("shape"), data_ptr = name("data_ptr"),
             is_contiguous = name("is_contiguous"), is_cpu = name("is_cpu");
  nb::object float64, float32, int64, boolean;

  Names() {
    const nb::module_ torch = nb::module_::import_("torch");
    float64 = torch.attr("float64"), float32 = torch.attr("float32");
    int64 = torch.attr("int64"), boolean = torch.attr("bool");
  }

  static nb::object name(const char* text) {
    return nb::steal(PyUnicode_InternFromString(text));
  }

  Type type(nb::handle dtype) const {
    if (dtype.is(float64)) return Type::float64;
    if (dtype.is(float32)) return Type::float32;
    if (dtype.is(int64)) return Type::int64;
    return dtype.is(boolean) ? Type::boolean : Type::other;
  }
};

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, double>) return Type::float64;
  if constexpr (std::is_same_v<T, float>) return Type::float32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Type::int64;
  return Type::boolean;
}

std::string described(Type type) {
  switch (type) {
    case Type::float64: return "float64";
    case Type::float32: return "float32";
    case Type::int64: return "int64";
    case Type::boolean: return "bool";
    default: return "another dtype";
  }
}

std::string described(Type type, const Index* shape, Index rank) {
  std::string text = described(type) + " [";
  for (Index k = 0; k < rank; ++k) text += (k ? ", " : "") + std::to_string(shape[k]);
  return text + "]";
}

std::string described(const Tensor& tensor) {
  if (!tensor) return "nothing";
  if (tensor.rank > Tensor::MOST) return "a tensor of " + std::to_string(tensor.rank) + " axes";
  std::string text = described(tensor.type, tensor.shape, tensor.rank);
  if (!tensor.contiguous) text += ", not contiguous";
  if (!tensor.on_cpu) text += ", not on the CPU";
  return text;
}

}  // namespace

Tensor Tensor::of(nb::handle object) {
  static const Names& names = *new Names;
  Tensor found;
  if (object.is_none()) return found;
  found.type = names.type(object.attr(names.dtype));
  const nb::tuple shape(object.attr(names.shape));
  found.rank = static_cast<Index>(shape.size());
  for (Index k = 0; k < std::min(found.rank, MOST); ++k)
    found.shape[k] = PyLong_AsSsize_t(nb::handle(shape[static_cast<std::size_t>(k)]).ptr());
  found.contiguous = object.attr(names.is_contiguous)().ptr() == Py_True;
  found.on_cpu = nb::object(object.attr(names.is_cpu)).ptr() == Py_True;
  found.at = PyLong_AsVoidPtr(nb::object(object.attr(names.data_ptr)()).ptr());
  found.owner = nb::borrow(object);
  return found;
}

template <class T>
T* read(const Tensor& tensor, const char* name, std::initializer_list<Index> shape) {
  const auto rank = static_cast<Index>(shape.size());
  const bool fits = tensor.type == type_of<T>() && tensor.contiguous && tensor.on_cpu &&
                    tensor.rank == rank && std::equal(shape.begin(), shape.end(), tensor.shape);
  if (!fits) {
    throw std::invalid_argument("`" + std::string(name) + "` must be " +
                                described(type_of<T>(), shape.begin(), rank) +
                                ", contiguous and on the CPU, got " + described(tensor) + ".");
  }
  return static_cast<T*>(tensor.at);
}

template double* read(const Tensor&, const char*, std::initializer_list<Index>);
template float* read(const Tensor&, const char*, std::initializer_list<Index>);
template std::int64_t* read(const Tensor&, const char*, std::initializer_list<Index>);
template bool* read(const Tensor&, const char*, std::initializer_list<Index>);

}  // namespace grapheme
