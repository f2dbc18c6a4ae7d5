// Loading the miniatures of vision transformers, and the messages when they don't load.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "base/error.h"
#include "extract/networks/load.h"
#include "tests/unit/extract/networks/vit_layouts.h"

namespace vise::test {

inline networks::LoadRequest saying(std::initializer_list<std::pair<const char*, const char*>> facts) {
  networks::LoadRequest request;
  for (const auto& [name, value] : facts) request.facts.say(name, value, "the user");
  return request;
}

inline networks::LoadReport report_of(const Tensors& tensors, const networks::LoadRequest& request = {}) {
  networks::LoadReport report;
  networks::load_network(file_of(tensors), request, &report);
  return report;
}

inline std::string hash_of(const Tensors& tensors, const networks::LoadRequest& request = {}) {
  return networks::parameters_hash(networks::load_network(file_of(tensors), request));
}

inline std::string why_not(const networks::Checkpoint& checkpoint, const networks::LoadRequest& request = {}) {
  try {
    networks::load_network(checkpoint, request);
  } catch (const Error& e) {
    return e.message() + " | " + e.hint();
  }
  return "";
}

inline bool contains(const std::string& whole, const std::string& part) {
  return whole.find(part) != std::string::npos;
}

}  // namespace vise::test
