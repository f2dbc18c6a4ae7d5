// The index of a model in several files, as transformers writes it (save_pretrained, `weight_map`).
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "extract/networks/checkpoint/folder.h"

namespace vise::networks {
namespace {

// Bounds for a stranger's file, each far above what is published.
constexpr std::size_t kMaxTensors = 200'000, kMaxShards = 1000, kMaxName = 4096, kMaxFileName = 255;
constexpr int kMaxDepth = 16;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "index: " + what); }

std::string shown(const std::string& name) { return printable(name.substr(0, 100)); }

// A file beside the index, and nothing else.
bool is_plain_name(const std::string& name) {
  // An index comes from a stranger and names files that will be opened: "../../.ssh/id_rsa"
  // must not be one of them.
  if (name.empty() || name.size() > kMaxFileName || name.starts_with('.')) return false;
  return std::ranges::none_of(name,
                              [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
}

// Event by event: a key given twice is seen, and nothing is built but the map. What accompanies it (`metadata`) is
// passed over.
class IndexReader : public nlohmann::json_sax<Json> {
 public:
  std::vector<ShardOfTensor> entries;
  bool has_map = false;

  // Values of these types can only be outside of the map, in `metadata`.
  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t&) override { return other(); }
  bool binary(binary_t&) override { return other(); }

  bool string(string_t& text) override {
    if (!in_map_) return other();
    if (!is_plain_name(text))
      refuse(fmt::format("'{}' is said to lie in '{}', which is no file beside it", shown(entries.back().tensor),
                         shown(text)));
    if (files_.insert(text).second && files_.size() > kMaxShards) refuse(fmt::format("more than {} files", kMaxShards));
    entries.back().file = text;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ == 1) {
      at_map_ = name == "weight_map";
      if (at_map_ && std::exchange(has_map, true)) refuse("weight_map stands twice");
    } else if (in_map_) {
      if (name.size() > kMaxName) refuse(fmt::format("a key has {} bytes, more than {}", name.size(), kMaxName));
      if (entries.size() == kMaxTensors) refuse(fmt::format("more than {} tensors", kMaxTensors));
      entries.push_back({name, ""});
    }
    return true;
  }

  // The map is an object directly in the index; what else is nested is passed over with its depth counted.
  bool start_object(std::size_t) override {
    if (in_map_) refuse("weight_map holds something else than names");
    if (++depth_ > kMaxDepth) refuse("nested too deep");
    in_map_ = depth_ == 2 && std::exchange(at_map_, false);
    return true;
  }
  bool end_object() override {
    --depth_;
    in_map_ = false;
    return true;
  }
  bool start_array(std::size_t) override {
    other();
    if (++depth_ > kMaxDepth) refuse("nested too deep");
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t place, const std::string&, const nlohmann::detail::exception&) override {
    refuse(fmt::format("is no JSON at its byte {}", place));
  }

 private:
  // A value that is no name.
  bool other() {
    if (in_map_ || at_map_ || depth_ == 0) refuse("weight_map isn't an object of names, or there is none");
    return true;
  }

  int depth_ = 0;
  bool at_map_ = false, in_map_ = false;
  std::set<std::string> files_;
};

}  // namespace

std::vector<ShardOfTensor> parse_weights_index(std::string_view json) {
  // nlohmann's parser takes a NUL for the end of its input, so what follows would be passed over unseen.
  if (json.find('\0') != std::string_view::npos) refuse("holds a NUL");
  IndexReader reader;
  Json::sax_parse(json.begin(), json.end(), &reader);
  if (!reader.has_map || reader.entries.empty()) refuse("has no weight_map, or an empty one");
  // Sorted, so that two equal names are neighbours.
  std::ranges::sort(reader.entries, {}, &ShardOfTensor::tensor);
  const auto twice = std::ranges::adjacent_find(reader.entries, {}, &ShardOfTensor::tensor);
  if (twice != reader.entries.end()) refuse(fmt::format("the tensor '{}' stands twice", shown(twice->tensor)));
  return std::move(reader.entries);
}

}  // namespace vise::networks
