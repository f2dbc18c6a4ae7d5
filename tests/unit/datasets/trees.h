// Miniatures of data sets for tests: files below a scratch folder.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "tests/shared.h"

namespace vise::test {

// A folder that makes files with their parents; images hold a few bytes that nobody decodes.
class MiniTree : public ScratchDir {
 public:
  MiniTree& file(const std::string& path, std::string_view text) {
    write_file_atomically(*this / path, text);
    return *this;
  }
  MiniTree& images(std::initializer_list<const char*> paths) {
    for (const char* path : paths) file(path, path);
    return *this;
  }
};

// The error that `body` throws; fails where it throws none.
template <typename Body>
Error error_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {ErrorKind::system, "none"};
}

// Opens a built-in data set below `root`.
inline datasets::Dataset open_builtin(const std::string& name, const Path& root, Log& log) {
  datasets::DatasetRegistry registry;
  datasets::register_builtin_datasets(registry);
  return registry.open(name, {root}, root / "cache", log);
}

inline datasets::Dataset open_builtin(const std::string& name, const Path& root) {
  Silent log;
  return open_builtin(name, root, log);
}

// Every item's class name in order; "-" where it isn't known.
inline std::vector<std::string> class_names(const datasets::Targets& targets) {
  std::vector<std::string> names;
  for (const int k : targets.classes()) names.push_back(k < 0 ? "-" : targets.names()[static_cast<std::size_t>(k)]);
  return names;
}

using Names = std::vector<std::string>;

inline std::vector<double> rows_of(const datasets::Dataset& dataset, const std::string& target) {
  const auto rows = dataset.target(target).rows();
  return {rows.begin(), rows.end()};
}

inline bool mentions(const std::vector<std::string>& texts, std::string_view part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

}  // namespace vise::test
