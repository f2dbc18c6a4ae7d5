// Any bytes as an .npy file: an array whose values are in the file, or Error{input}. Seeds: seeds.sh.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const vise::NpyArray array = vise::NpyArray::parse(std::as_bytes(std::span(data, size)), "input");
    if (array.bytes().size() > size) std::abort();
    if (array.to_doubles().size() != array.size()) std::abort();
    if (array.type() == "f4" && array.as<float>().size() != array.size()) std::abort();
  } catch (const vise::Error& error) {
    if (error.kind() != vise::ErrorKind::input) std::abort();
  }
  return 0;
}
