#include "reports/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"

namespace vise::reports {
namespace {

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys{"task",   "backbone", "protocol", "metric",   "value",       "std",
                                             "source", "seen_in",  "note",     "our_task", "our_backbone"};
  return keys;
}

// Names under which literature speaks of what our registries call otherwise; normalised.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kAliases{{
    {"emotion", "unbiasedemotion"},
    {"vise250m", "vise250mr50"},
    {"vise12m", "vise12mr50"},
    {"imagenetv1", "insupr50"},
    {"imagenetv1", "r50supervised"},
    {"cub", "cub2002011"},
    {"auc", "auroc"},
    {"auc", "rocauc"},
    {"accuracy", "top1"},
    {"f1macro", "macrof1"},
    {"f1micro", "microf1"},
    {"f1samples", "samplesf1"},
    {"map", "meanaverageprecision"},
    {"balancedaccuracy", "meanclassaccuracy"},
    {"top5", "top5accuracy"},
    {"averageprecision", "ap"},
}};

// Parts of a data set that papers append to a task's name.
constexpr std::array<std::string_view, 6> kPartWords{"val", "test", "dev", "testseen", "testunseen", "validation"};

// Lower-case letters and digits; everything else is how people write, not what they mean.
std::string normalised(std::string_view text) {
  std::string result;
  for (const char c : lower(text))
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) result += c;
  return result;
}

// Ours first: an alias maps what the literature calls a thing to what the registry calls it, not back.
bool same_name(std::string_view ours, std::string_view theirs) {
  const std::string a = normalised(ours), b = normalised(theirs);
  const auto is_alias = [&](const auto& alias) { return alias.first == a && alias.second == b; };
  return !a.empty() && (a == b || std::ranges::any_of(kAliases, is_alias));
}

// A task with the part it was measured on ("HatefulMemes val") is that task.
bool same_task(std::string_view ours, std::string_view theirs) {
  if (same_name(ours, theirs)) return true;
  const auto blank = theirs.rfind(' ');
  if (blank == std::string_view::npos) return false;
  const std::string last = normalised(theirs.substr(blank));
  return std::ranges::find(kPartWords, last) != kPartWords.end() && same_name(ours, theirs.substr(0, blank));
}

// Reads the file strictly: an unknown key is an error with its line, since a misspelt `value` would drop the number
// in silence.
class Reader {
 public:
  explicit Reader(YamlFile file) : file_(std::move(file)) {}

  std::vector<PublishedRecord> read() {
    const Json& root = file_.root();
    if (root.is_array()) {
      read_list(root, "");
    } else if (root.is_object()) {
      for (const auto& [heading, list] : root.items()) read_list(list, fmt::format("/{}", escaped(heading)));
    } else if (!root.is_null()) {
      file_.fail("", "holds no list of records", kHint);
    }
    return std::move(records_);
  }

 private:
  static constexpr const char* kHint = "docs/formats/published.md describes the file";

  static std::string escaped(const std::string& key) {
    std::string result;
    // JSON pointers write ~ as ~0 and / as ~1 (RFC 6901).
    for (const char c : key) result += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return result;
  }

  // A heading without a list below it is allowed and holds no record.
  void read_list(const Json& list, const std::string& pointer) {
    if (list.is_null()) return;
    if (!list.is_array()) file_.fail(pointer, "is no list of records", kHint);
    for (std::size_t i = 0; i < list.size(); ++i) read_record(list[i], fmt::format("{}/{}", pointer, i));
  }

  void read_record(const Json& json, const std::string& pointer) {
    if (!json.is_object()) file_.fail(pointer, "a record must be a map", kHint);
    file_.expect_keys(pointer, known_keys());
    PublishedRecord record;
    // A record may say what our registry calls its task; the name as published stays beside it.
    record.task = text(json, pointer, json.contains("our_task") ? "our_task" : "task", true);
    record.backbone = text(json, pointer, json.contains("our_backbone") ? "our_backbone" : "backbone", true);
    record.metric = text(json, pointer, "metric", true);
    record.protocol = text(json, pointer, "protocol", false);
    record.value = value(json, pointer, "value");
    record.deviation = value(json, pointer, "std");
    record.source = text(json, pointer, "source", false);
    record.seen_in = text(json, pointer, "seen_in", false);
    record.note = text(json, pointer, "note", false);
    records_.push_back(std::move(record));
  }

  // A missing text is empty unless the record makes no sense without it.
  std::string text(const Json& json, const std::string& pointer, const char* key, bool required) const {
    const auto found = json.find(key);
    if (found != json.end() && found->is_string()) return found->get<std::string>();
    if (found != json.end() && found->is_number()) return found->dump();  // task: 2021
    if (required) file_.fail(pointer, fmt::format("a record needs '{}'", key), kHint);
    return {};
  }

  std::optional<double> value(const Json& json, const std::string& pointer, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return std::nullopt;
    if (!found->is_number()) file_.fail(pointer + "/" + key, fmt::format("'{}' must be a number or null", key), kHint);
    return found->get<double>();
  }

  YamlFile file_;
  std::vector<PublishedRecord> records_;
};

}  // namespace

std::vector<PublishedRecord> read_published(const Path& yaml) { return Reader(YamlFile::read(yaml)).read(); }

const std::vector<PublishedRecord>& builtin_published() {
  static const std::vector<PublishedRecord> records =
      Reader(YamlFile::parse(builtin_published_file().at("published"), "published.yaml")).read();
  return records;
}

std::vector<PublishedRecord> published_for(const std::vector<PublishedRecord>& records, std::string_view task,
                                           std::string_view backbone, std::string_view metric) {
  std::vector<PublishedRecord> found;
  for (const PublishedRecord& record : records)
    // Records without a value are kept in the file as notes of what was not found.
    if (record.value && same_name(metric, record.metric) && same_task(task, record.task) &&
        same_name(backbone, record.backbone))
      found.push_back(record);
  return found;
}

std::vector<PublishedRecord> published_records(const Path& file) {
  std::vector<PublishedRecord> records = builtin_published();
  if (file.empty()) return records;
  for (const PublishedRecord& record : read_published(file))
    // A file may repeat what the program knows; the number is printed once.
    if (std::ranges::find(records, record) == records.end()) records.push_back(record);
  return records;
}

}  // namespace vise::reports
