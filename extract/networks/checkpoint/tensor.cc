#include "extract/networks/checkpoint/tensor.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "base/half.h"
#include "base/hash.h"

namespace vise::networks {
namespace {

struct DTypeFacts {
  std::string_view name;
  std::size_t size;
};

// In the order of DType.
constexpr std::array<DTypeFacts, 12> kFacts{{{"float64", 8},
                                             {"float32", 4},
                                             {"float16", 2},
                                             {"bfloat16", 2},
                                             {"int64", 8},
                                             {"int32", 4},
                                             {"int16", 2},
                                             {"int8", 1},
                                             {"uint8", 1},
                                             {"bool", 1},
                                             {"complex64", 8},
                                             {"complex128", 16}}};
// Far more than any weights have.
constexpr std::size_t kMaxRank = 64;

// A bfloat16 is the upper half of a float32.
float bfloat_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

// By memcpy, as a tensor may begin at any byte of the file.
template <typename T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Calls with(read, size) where read(bytes) gives one value; complex types read their real part.
template <typename With>
auto with_reader(DType dtype, With with) {
  switch (dtype) {
    case DType::f64:
      return with([](const std::byte* p) { return load<double>(p); });
    case DType::f32:
      return with([](const std::byte* p) { return load<float>(p); });
    case DType::f16:
      return with([](const std::byte* p) { return half_to_float(load<std::uint16_t>(p)); });
    case DType::bf16:
      return with([](const std::byte* p) { return bfloat_to_float(load<std::uint16_t>(p)); });
    case DType::i64:
      return with([](const std::byte* p) { return load<std::int64_t>(p); });
    case DType::i32:
      return with([](const std::byte* p) { return load<std::int32_t>(p); });
    case DType::i16:
      return with([](const std::byte* p) { return load<std::int16_t>(p); });
    case DType::i8:
      return with([](const std::byte* p) { return load<std::int8_t>(p); });
    case DType::u8:
      return with([](const std::byte* p) { return load<std::uint8_t>(p); });
    case DType::boolean:
      return with([](const std::byte* p) { return static_cast<int>(*p != std::byte{0}); });
    case DType::complex64:
      return with([](const std::byte* p) { return load<float>(p); });
    case DType::complex128:
      break;
  }
  return with([](const std::byte* p) { return load<double>(p); });
}

// Pairwise, so that the error grows with log n as numpy's does.
template <typename Value>
double pairwise_sum(const Value& value, std::size_t begin, std::size_t end) {
  // numpy's pairwise_sum (loops_utils.h) ends its recursion at blocks of 128 too.
  if (end - begin <= 128) {
    double total = 0;
    for (std::size_t i = begin; i < end; ++i) total += value(i);
    return total;
  }
  // numpy splits at multiples of 8: its sums and these are equal to rounding, not bit by bit.
  const std::size_t middle = begin + (end - begin) / 2;
  return pairwise_sum(value, begin, middle) + pairwise_sum(value, middle, end);
}

// `step` is the distance of two values in bytes: complex tensors are summed by parts.
double sum_of(DType dtype, const std::byte* first, std::size_t count, std::size_t step) {
  return with_reader(dtype, [&](auto read) {
    return pairwise_sum([&](std::size_t i) { return static_cast<double>(read(first + i * step)); }, 0, count);
  });
}

}  // namespace

std::string_view dtype_name(DType dtype) { return kFacts[static_cast<std::size_t>(dtype)].name; }
std::size_t dtype_size(DType dtype) { return kFacts[static_cast<std::size_t>(dtype)].size; }
bool is_floating(DType dtype) { return dtype <= DType::bf16; }

std::int64_t Tensor::numel() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

bool Tensor::is_contiguous() const {
  std::int64_t expected = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    // An empty tensor has no element that could be out of order.
    if (shape[d] == 0) return true;
    // The stride of an edge of 1 is never used, and torch writes any number there.
    if (shape[d] != 1 && strides[d] != expected) return false;
    expected *= shape[d];
  }
  return true;
}

// The tensor's bytes in row-major order: in place where they are so, else copied into `scratch`.
ByteView Tensor::contiguous(std::vector<std::byte>& scratch) const {
  const std::size_t size = dtype_size(dtype);
  if (numel() == 0) return {};
  if (is_contiguous()) return storage.subspan(static_cast<std::size_t>(offset) * size, bytes());
  scratch.resize(bytes());
  std::vector<std::int64_t> place(shape.size(), 0);
  std::int64_t from = offset;
  // An odometer over the indices, the last dimension fastest; `from` moves along by strides alone,
  // so stride 0 (expand) and transposed views need no case of their own.
  for (std::byte *to = scratch.data(), *end = to + scratch.size(); to != end; to += size) {
    std::memcpy(to, storage.data() + static_cast<std::size_t>(from) * size, size);
    for (std::size_t d = shape.size(); d-- > 0;) {
      from += strides[d];
      if (++place[d] < shape[d]) break;
      from -= strides[d] * shape[d];
      place[d] = 0;
    }
  }
  return scratch;
}

// contiguous() gives scratch or the storage; only the former can be moved out.
std::vector<std::byte> Tensor::contiguous_bytes() const {
  std::vector<std::byte> scratch;
  const ByteView view = contiguous(scratch);
  if (view.data() == scratch.data() && !scratch.empty()) return scratch;
  return {view.begin(), view.end()};
}

// float64 is rounded to the nearest float32.
std::vector<float> Tensor::to_floats() const {
  if (dtype == DType::complex64 || dtype == DType::complex128)
    throw Error(ErrorKind::input, "a complex tensor has no float values");
  std::vector<std::byte> scratch;
  const ByteView view = contiguous(scratch);
  std::vector<float> values(static_cast<std::size_t>(numel()));
  const std::size_t size = dtype_size(dtype);
  if (dtype == DType::f32 && !values.empty()) {
    std::memcpy(values.data(), view.data(), view.size());
    return values;
  }
  with_reader(dtype, [&](auto read) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(read(view.data() + i * size));
  });
  return values;
}

TensorSum sum(const Tensor& tensor) {
  std::vector<std::byte> scratch;
  const std::byte* const first = tensor.contiguous(scratch).data();
  const auto count = static_cast<std::size_t>(tensor.numel());
  const std::size_t size = dtype_size(tensor.dtype);
  TensorSum result;
  result.real = sum_of(tensor.dtype, first, count, size);
  if (tensor.dtype == DType::complex64 || tensor.dtype == DType::complex128)
    result.imaginary = sum_of(tensor.dtype, first + (count ? size / 2 : 0), count, size);
  return result;
}

std::string content_sha256(const Tensor& tensor) {
  std::vector<std::byte> scratch;
  return sha256_hex(tensor.contiguous(scratch));
}

// "64x3x7x7".
std::string shape_text(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

std::int64_t checked_numel(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  bool empty = false, overflow = false;
  for (const std::int64_t size : shape) {
    if (size < 0) throw Error(ErrorKind::input, fmt::format("a tensor has the negative size {}", size));
    empty |= size == 0;
    // Zeros are left out of the product, so that a shape such as 0 x 2^62 x 2^62 cannot hide an
    // overflow that contiguous_strides() would run into.
    if (size != 0) overflow |= __builtin_mul_overflow(product, size, &product);
  }
  if (overflow) throw Error(ErrorKind::input, "a tensor's sizes multiply to more than 2^63 elements");
  return empty ? 0 : product;
}

// Everything that a file says of a view is checked here, before any element is looked at.
void check_view(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides, std::int64_t offset,
                std::int64_t storage_numel) {
  const auto fail = [](const std::string& what) { throw Error(ErrorKind::input, what); };
  if (shape.size() != strides.size())
    fail(fmt::format("a tensor has {} sizes and {} strides", shape.size(), strides.size()));
  if (shape.size() > kMaxRank) fail(fmt::format("a tensor has {} dimensions, more than {}", shape.size(), kMaxRank));
  const std::int64_t numel = checked_numel(shape);
  if (offset < 0 || offset > storage_numel)
    fail(fmt::format("a tensor begins at element {} of a storage of {}", offset, storage_numel));
  // Strides are not negative, so the last element's place is the furthest one: if it is
  // inside the storage, all are.
  std::int64_t last = offset;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (strides[d] < 0) fail(fmt::format("a tensor has the negative stride {}", strides[d]));
    std::int64_t reach = 0;
    if (numel != 0 &&
        (__builtin_mul_overflow(shape[d] - 1, strides[d], &reach) || __builtin_add_overflow(last, reach, &last)))
      fail("a tensor's strides reach past 2^63 elements");
  }
  if (numel != 0 && last >= storage_numel)
    fail(fmt::format("a tensor reaches element {} of a storage of {}", last, storage_numel));
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * std::max<std::int64_t>(shape[d], 1);
  return strides;
}

}  // namespace vise::networks
