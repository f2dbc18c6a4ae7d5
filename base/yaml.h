// YAML by yaml-cpp, read into Json with the line of every key kept, so that an unknown key is an error with its line
// and the nearest name.
//
//   const YamlFile file = YamlFile::read("emotion.yaml");
//   file.expect_keys("", {"task", "dataset", "metric"});        // "" is the top level; "split" its map `split`
//   file.root()["dataset"].get<std::string>();
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace vise {

class YamlFile {
 public:
  static YamlFile read(const Path& path);
  // One document of maps, lists and scalars. Anchors are resolved within bounds (at most 100,000 nodes, depth 32); a
  // key given twice is an error. Plain scalars become null, bool, integer or double as YAML 1.2's core schema says;
  // quoted ones stay strings.
  static YamlFile parse(std::string_view text, std::string name_for_messages);

  const Json& root() const { return root_; }
  const std::string& name() const { return name_; }
  // The line of a key by its JSON pointer ("/split/rule"), from 1; 0 if there is no such key.
  int line(const std::string& pointer) const;
  // Error{input} for a key of the map at `pointer` that isn't known.
  void expect_keys(const std::string& pointer, std::span<const std::string> known) const;
  // Error{input} "<file>: line N: ...".
  [[noreturn]] void fail(const std::string& pointer, std::string_view what, std::string hint = {}) const;

 private:
  std::string name_;
  Json root_;
  std::map<std::string, int> lines_;
};

}  // namespace vise
