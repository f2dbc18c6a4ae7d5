#include "extract/features/backbone_rows.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"

namespace vise::features {
namespace {

const std::vector<std::string> kFields{"name",   "title",     "architecture", "files",    "urls",   "sha256",
                                       "md5",    "transform", "layer",        "pool",     "probed", "facts",
                                       "branch", "drop",      "licence",      "citation", "notes",  "unverified"};

// Reads the fields of one map of the file, strictly; those that it doesn't give keep what the row had before.
class RowReader {
 public:
  RowReader(const YamlFile& file, std::string pointer, const Json& row)
      : file_(file), pointer_(std::move(pointer)), row_(row) {
    file_.expect_keys(pointer_, kFields);
  }

  void apply_to(Backbone& b) const {
    text("name", b.name);
    text("title", b.title);
    text("architecture", b.architecture);
    // Who said the transform is kept: a weights file whose transform nobody stated is refused later on.
    if (text("transform", b.transform)) b.transform_source = kRowSource;
    text("layer", b.layer);
    text("pool", b.pool);
    text("probed", b.probed);
    text("branch", b.branch);
    text("sha256", b.sha256);
    text("md5", b.md5);
    text("licence", b.licence);
    text("citation", b.citation);
    texts("files", b.files);
    texts("urls", b.urls);
    texts("drop", b.drop);
    texts("notes", b.notes);
    texts("unverified", b.unverified);
    facts(b.facts);
  }

 private:
  const Json* find(const char* field) const {
    const auto found = row_.find(field);
    return found == row_.end() ? nullptr : &*found;
  }

  // Whether the field is there; of another type it is an error with its line.
  bool text(const char* field, std::string& value) const {
    const Json* const given = find(field);
    if (!given) return false;
    if (!given->is_string()) file_.fail(pointer_ + "/" + field, fmt::format("'{}' must be text", field));
    value = given->get<std::string>();
    return true;
  }

  void texts(const char* field, std::vector<std::string>& values) const {
    const Json* const given = find(field);
    if (!given) return;
    const auto is_text = [](const Json& each) { return each.is_string(); };
    if (!given->is_array() || !std::all_of(given->begin(), given->end(), is_text))
      file_.fail(pointer_ + "/" + field, fmt::format("'{}' must be a list of texts", field));
    values = given->get<std::vector<std::string>>();
  }

  void facts(std::vector<networks::Fact>& values) const {
    const Json* const given = find("facts");
    if (!given) return;
    if (!given->is_object()) file_.fail(pointer_ + "/facts", "'facts' must be names with values");
    // A row's facts replace those of the file's defaults as a whole, so that a row can also state fewer.
    values.clear();
    for (const auto& [name, value] : given->items()) {
      std::string text;
      if (value.is_number()) text = number(value.get<double>());
      if (value.is_string()) text = value.get<std::string>();
      try {
        networks::Facts().say(name, text, kRowSource);
      } catch (const Error& e) {
        file_.fail(pointer_ + "/facts", e.message(), e.hint());
      }
      values.push_back({name, text, std::string(kRowSource)});
    }
  }

  const YamlFile& file_;
  std::string pointer_;
  const Json& row_;
};

// What every row needs. Everything else may be left out and is then learnt from the weights or the user.
void check(const YamlFile& file, const std::string& pointer, const Backbone& row) {
  for (const auto& [field, value] :
       {std::pair<const char*, const std::string&>{"name", row.name}, {"title", row.title}, {"licence", row.licence}})
    if (value.empty()) file.fail(pointer, fmt::format("a backbone without '{}'", field));
  // The i-th url is saved as the i-th file.
  if (row.urls.size() > row.files.size()) file.fail(pointer + "/urls", "more urls than files");
}

}  // namespace

std::vector<Backbone> read_backbone_rows(std::string_view yaml, const std::string& name) {
  const YamlFile file = YamlFile::parse(yaml, name);
  static const std::vector<std::string> top{"defaults", "backbones"};
  file.expect_keys("", top);
  const auto list = file.root().find("backbones");
  if (list == file.root().end() || !list->is_array()) file.fail("", "no list of 'backbones'");
  Backbone defaults;
  if (const auto given = file.root().find("defaults"); given != file.root().end())
    RowReader(file, "/defaults", *given).apply_to(defaults);
  std::vector<Backbone> rows;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = fmt::format("/backbones/{}", i);
    // The defaults of a file are read by the same reader as a row, and each row starts as a copy of them.
    Backbone row = defaults;
    RowReader(file, pointer, (*list)[i]).apply_to(row);
    check(file, pointer, row);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Backbone> published_backbones() {
  std::vector<Backbone> rows;
  for (const auto& [name, text] : builtin_backbone_files())
    for (Backbone& row : read_backbone_rows(text, name + ".yaml")) rows.push_back(std::move(row));
  return rows;
}

}  // namespace vise::features
