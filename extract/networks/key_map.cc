#include "extract/networks/key_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"

namespace vise::networks {
namespace {

constexpr std::uint64_t kMaxBytes = 1 << 20;

// Words with blanks, tabs or a Windows line end between.
std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    found.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return found;
}

bool rename(std::string& name, const KeyMap& map) {
  for (const auto& [from, to] : map.rules)
    // The first rule that fits, as a person reads the file from the top.
    if (name.starts_with(from)) {
      name.replace(0, from.size(), to);
      return true;
    }
  return false;
}

}  // namespace

KeyMap parse_key_map(std::string_view text, std::string_view name_for_messages) {
  KeyMap map;
  int number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    const std::vector<std::string> parts = words(std::string_view(line).substr(0, line.find('#')));
    if (parts.empty()) continue;
    if (parts.size() != 2)
      throw Error(ErrorKind::input, fmt::format("{}: line {}: {} words", name_for_messages, number, parts.size()),
                  "a rule is the start of a key and what to put in its place ('-': nothing), with blanks between");
    map.rules.emplace_back(parts[0], parts[1] == "-" ? "" : parts[1]);
  }
  if (map.empty()) throw Error(ErrorKind::input, fmt::format("{}: holds no rule", name_for_messages));
  std::string rules;
  for (const auto& [from, to] : map.rules) rules += fmt::format("{} {}\n", from, to);
  // Of the rules and not of the file: blanks and comments change no feature, and this
  // hash is part of the features' key.
  map.sha256 = sha256_hex(rules);
  return map;
}

KeyMap read_key_map(const Path& path) {
  return path.empty() ? KeyMap{} : parse_key_map(read_text_file(path, kMaxBytes), path.string());
}

// All keys are renamed before any is matched; a map that fits nothing is a mistake, not a no-op.
void rename_keys(Checkpoint& checkpoint, const KeyMap& map) {
  if (map.empty()) return;
  std::size_t renamed = 0;
  std::set<std::string_view> seen;
  for (NamedTensor& named : checkpoint.tensors) renamed += rename(named.name, map) ? 1 : 0;
  for (const NamedTensor& named : checkpoint.tensors)
    // Two tensors of one name: which one a network got would depend on the file's order.
    if (!seen.insert(named.name).second)
      throw Error(ErrorKind::input, fmt::format("{}: the key map gives two keys the name '{}'",
                                                checkpoint.path.string(), printable(named.name.substr(0, 200))));
  if (renamed == 0)
    throw Error(ErrorKind::input,
                fmt::format("{}: no rule of the key map fits any of its keys", checkpoint.path.string()),
                "backbone inspect --tensors lists them");
}

}  // namespace vise::networks
