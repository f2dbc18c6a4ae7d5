#include "extract/networks/device.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace vise::networks {

std::string Device::name() const { return is_cuda() ? fmt::format("cuda:{}", index) : "cpu"; }

// "cuda" is the first card, as PyTorch has it.
Device parse_device(std::string_view text) {
  constexpr std::string_view kNumbered = "cuda:";
  constexpr std::int64_t kMost = 127;  // LibTorch keeps a device's number in eight bits
  std::int64_t index = 0;
  if (text == "cpu") return {};
  if (text == "cuda") return {Device::Kind::cuda, 0};
  if (text.starts_with(kNumbered) && parse_int(text.substr(kNumbered.size()), index) && index >= 0 && index <= kMost)
    return {Device::Kind::cuda, static_cast<int>(index)};
  throw Error(ErrorKind::usage, fmt::format("unknown device '{}'", text), "cpu, cuda, or cuda:N for one of several");
}

}  // namespace vise::networks
