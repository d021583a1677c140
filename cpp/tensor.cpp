#include "tensor.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace nb = nanobind;

namespace grapheme {
namespace {

// What PyTorch offers from 2.10 on, see `dlpack.h` there: a tensor's form by a C function, at a
// fraction of what its attributes cost. Members that are not used have no type here.
struct Exchange {
  std::uint32_t major, minor;
  void *older, *allocate, *give, *take;
  int (*view)(void* object, nb::dlpack::dltensor* found);

  // That of a class of tensors, or null if it has none.
  static const Exchange* of(nb::handle type) {
    const nb::object capsule = nb::getattr(type, "__dlpack_c_exchange_api__", nb::none());
    if (capsule.is_none()) return nullptr;
    const void* table = PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api");
    if (!table) PyErr_Clear();
    const auto* found = static_cast<const Exchange*>(table);
    return found && found->major == 1 && found->view ? found : nullptr;
  }
};

// What a tensor is asked, as Python's own strings, and the dtypes there are. Never freed: they are
// needed for as long as the interpreter lives.
struct Names {
  nb::object dtype = name("dtype"), shape = name("shape"), data_ptr = name("data_ptr"),
             is_contiguous = name("is_contiguous"), is_cpu = name("is_cpu");
  nb::object float64, float32, int64, boolean, tensor;
  const Exchange* exchange;

  Names() {
    const nb::module_ torch = nb::module_::import_("torch");
    tensor = torch.attr("Tensor"), exchange = Exchange::of(tensor);
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

Type type_of(const nb::dlpack::dtype& dtype) {
  using Code = nb::dlpack::dtype_code;
  const auto is = [&](Code code, int bits) {
    return dtype.code == static_cast<std::uint8_t>(code) && dtype.bits == bits;
  };
  if (dtype.lanes != 1) return Type::other;
  if (is(Code::Float, 64)) return Type::float64;
  if (is(Code::Float, 32)) return Type::float32;
  if (is(Code::Int, 64)) return Type::int64;
  return is(Code::Bool, 8) ? Type::boolean : Type::other;
}

// Whether the numbers stand in a row; how far axes of one number reach says nothing.
bool in_a_row(const nb::dlpack::dltensor& view) {
  std::int64_t step = 1;
  bool ok = true;
  for (std::int32_t k = view.ndim - 1; k >= 0; --k) {
    if (view.shape[k] == 0) return true;
    ok &= view.shape[k] == 1 || !view.strides || view.strides[k] == step;
    step *= view.shape[k];
  }
  return ok;
}

Tensor formed(const nb::dlpack::dltensor& view) {
  Tensor found;
  found.type = type_of(view.dtype);
  found.rank = view.ndim;
  std::copy_n(view.shape, std::min(found.rank, Tensor::MOST), found.shape);
  found.contiguous = in_a_row(view);
  found.on_cpu = view.device.device_type == nb::device::cpu::value;
  found.at = static_cast<char*>(view.data) + view.byte_offset;
  return found;
}

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
  // A subclass may answer for itself.
  nb::dlpack::dltensor view;
  if (names.exchange && object.type().is(names.tensor)) {
    if (names.exchange->view(object.ptr(), &view) == 0) {
      found = formed(view);
      found.owner = nb::borrow(object);
      return found;
    }
    PyErr_Clear();  // no numbers, or none of its own: the attributes say what it is
  }
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
