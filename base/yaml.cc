#include "base/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/error.h"
#include "base/text.h"

namespace vise {
namespace {

// The bounds stop a chain of aliases that doubles at every level (the YAML form of a
// billion laughs) before it is expanded.
constexpr int kMaxDepth = 32, kMaxNodes = 100000;

// YAML 1.2 core schema; yaml-cpp tags quoted scalars "!".
Json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::int64_t integer = 0;
  double real = 0;
  // Without this test "inf", "nan" and "0x1p3" would be numbers; the core schema spells infinities .inf.
  const bool digits_only = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (digits_only && parse_int(text, integer)) return integer;
  if (digits_only && parse_double(text, real)) return real;
  return text;
}

// Walks down the document, and notes the line of every node by its JSON pointer.
class Converter {
 public:
  Converter(const std::string& name, std::map<std::string, int>& lines) : name_(name), lines_(lines) {}

  Json convert(const YAML::Node& node, const std::string& pointer, int depth) {
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) fail(node, "is nested too deep or too large");
    lines_.emplace(pointer, node.Mark().line + 1);
    if (node.IsSequence()) return sequence(node, pointer, depth);
    if (node.IsMap()) return map(node, pointer, depth);
    return node.IsScalar() ? scalar(node) : Json(nullptr);
  }

 private:
  [[noreturn]] void fail(const YAML::Node& node, std::string_view what) const {
    throw Error(ErrorKind::input, fmt::format("{}: line {}: {}", name_, node.Mark().line + 1, what));
  }
  Json sequence(const YAML::Node& node, const std::string& pointer, int depth) {
    Json list = Json::array();
    for (std::size_t i = 0; i < node.size(); ++i)
      list.push_back(convert(node[i], fmt::format("{}/{}", pointer, i), depth + 1));
    return list;
  }
  Json map(const YAML::Node& node, const std::string& pointer, int depth) {
    // yaml-cpp resolves an alias to the node itself, so its parts are counted again wherever it is used.
    Json object = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) fail(entry.first, "a key must be a plain name");
      const std::string key = entry.first.Scalar(), below = fmt::format("{}/{}", pointer, key);
      // YAML 1.2 demands unique keys; yaml-cpp keeps both entries and returns the first, so
      // that an edit further down would have no effect.
      if (object.contains(key)) fail(entry.first, fmt::format("the key '{}' is given twice", key));
      // The key's own line, in place of its value's: a message should point to the word
      // that has to be changed.
      lines_[below] = entry.first.Mark().line + 1;
      object[key] = convert(entry.second, below, depth + 1);
    }
    return object;
  }

  const std::string& name_;
  std::map<std::string, int>& lines_;
  int nodes_ = 0;
};

}  // namespace

// The parser's errors and ours have the same form: file, line, reason.
YamlFile YamlFile::parse(std::string_view text, std::string name_for_messages) {
  YamlFile file;
  file.name_ = std::move(name_for_messages);
  try {
    const YAML::Node node = YAML::Load(std::string(text));
    file.root_ = Converter(file.name_, file.lines_).convert(node, "", 0);
  } catch (const YAML::Exception& e) {
    throw Error(ErrorKind::input, fmt::format("{}: line {}: is not YAML: {}", file.name_, e.mark.line + 1, e.msg));
  }
  return file;
}

YamlFile YamlFile::read(const Path& path) { return parse(read_text_file(path, 16 << 20), path.string()); }

int YamlFile::line(const std::string& pointer) const {
  const auto found = lines_.find(pointer);
  return found == lines_.end() ? 0 : found->second;
}

void YamlFile::fail(const std::string& pointer, std::string_view what, std::string hint) const {
  throw Error(ErrorKind::input, fmt::format("{}: line {}: {}", name_, line(pointer), what), std::move(hint));
}

void YamlFile::expect_keys(const std::string& pointer, std::span<const std::string> known) const {
  const Json& object = root_.at(Json::json_pointer(pointer));
  if (!object.is_object()) fail(pointer, "a map of keys and values is needed here");
  // A misspelt key that is ignored would leave a default in force without a word.
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(fmt::format("{}/{}", pointer, key), fmt::format("unknown key '{}'", key), suggest(key, known));
}

}  // namespace vise
