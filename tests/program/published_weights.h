// A file as VisE's publishers offer it, for tests of downloads: the 318 tensors of their layout, in a zip of
// torch.save's. All are views of one storage of equal values, which is deflated, with noise behind them that none is a
// view of: the file's size can be chosen.
#pragma once

#include "base/random.h"
#include "tests/unit/extract/networks/checkpoint/files.h"
#include "tests/unit/extract/networks/networks.h"

namespace vise::test {

inline std::string pickled_numbers(const std::vector<std::int64_t>& numbers) {
  std::string items;
  for (const std::int64_t one : numbers) items += number(static_cast<std::int32_t>(one));
  return tuple(items);
}

inline std::string pickled_tensor(const networks::Tensor& tensor, std::size_t floats) {
  const bool whole = tensor.dtype == networks::DType::i64;
  const std::string storage =
      tuple(text("storage") + global("torch", whole ? "LongStorage" : "FloatStorage") + text(whole ? "1" : "0") +
            text("cpu") + number(whole ? 1 : static_cast<std::int32_t>(floats))) +
      "Q";
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(storage + number(0) + pickled_numbers(tensor.shape) +
               pickled_numbers(networks::contiguous_strides(tensor.shape)) + "\x89" +
               global("collections", "OrderedDict") + ")R") +
         "R";
}

// About `bytes` large; other bytes for another `seed`. A reader refuses tensors that add up to over 16 files: a
// ResNet-50 needs 5 MB.
inline std::string published_weights(std::size_t bytes, const std::string& architecture = "resnet50",
                                     std::uint64_t seed = 0) {
  constexpr std::size_t kLargestTensor = 512 * 512 * 3 * 3;
  std::string values;
  values.reserve(kLargestTensor * sizeof(float) + bytes + 8);
  for (std::size_t i = 0; i < kLargestTensor; ++i) values += little(0.001F);
  RandomStream random("published weights", seed);
  for (std::size_t i = 0; i < bytes; i += 4) values += little(static_cast<std::uint32_t>(random.below(1ULL << 32)));
  std::string pickle = "\x80\x02}(";
  for (const networks::NamedTensor& named : trunk_tensors(shape_of(architecture), "", true))
    pickle += text(named.name) + pickled_tensor(named.tensor, values.size() / sizeof(float));
  return zip({{"archive/data.pkl", pickle + "u."},
              {"archive/version", "3\n"},
              {"archive/data/0", values, 8},
              {"archive/data/1", std::string(8, '\0')}});
}

}  // namespace vise::test
