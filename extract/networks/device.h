// Where a network computes: on the CPU's cores, or on a CUDA device that LibTorch sees.
//
//   const Device device = parse_device("cuda:1");
//
// Part of the feature key in kind, not in number: two cards of a machine share their rows.
#pragma once

#include <string>
#include <string_view>

namespace vise::networks {

struct Device {
  enum class Kind { cpu, cuda };
  Kind kind = Kind::cpu;
  int index = 0;  // which of several CUDA devices

  bool is_cuda() const { return kind == Kind::cuda; }
  std::string_view kind_name() const { return is_cuda() ? "cuda" : "cpu"; }
  std::string name() const;  // "cpu", "cuda:1": parses back to itself, and is what LibTorch calls it
  bool operator==(const Device&) const = default;
};

// "cpu", "cuda" (the first), "cuda:N". Error{usage} with these for anything else. Does not look for the device.
Device parse_device(std::string_view text);

}  // namespace vise::networks
