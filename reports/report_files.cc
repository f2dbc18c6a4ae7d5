#include "reports/report_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "reports/compare.h"
#include "reports/report_registry.h"
#include "reports/writers.h"

namespace vise::reports {
namespace {

constexpr const char *kPage = "report.html", *kPublished = "published.yaml";

// What has to be known to render the tables again; recipe_of() reads it back. The file of published numbers is a copy
// in the folder, so that a flag is enough.
Json recipe_json(const ReportRecipe& recipe, const std::vector<std::string>& files) {
  return {{"baseline", recipe.baseline},
          {"baselines", recipe.baselines},
          {"kinds", recipe.kinds},
          {"clean", recipe.clean},
          {"gallery", recipe.gallery},
          {"merged", recipe.merged},
          {"keys", recipe.keys},
          {"published", !recipe.published.empty()},
          {"files", files}};
}

// A key that is missing has its default: seals of earlier versions lack some.
ReportRecipe recipe_of(const Json& json, const Path& folder) {
  ReportRecipe recipe;
  recipe.baseline = json.value("baseline", "");
  recipe.baselines = json.value("baselines", recipe.baselines);
  recipe.kinds = json.value("kinds", recipe.kinds);
  recipe.clean = json.value("clean", false);
  recipe.gallery = json.value("gallery", false);
  recipe.merged = json.value("merged", false);
  if (json.value("published", false)) recipe.published = folder / kPublished;
  recipe.keys = json.value("keys", recipe.keys);
  return recipe;
}

void copy_published(const Path& from, const Path& folder) {
  std::error_code error;
  // A copy is kept: the file that was given may change, and verifying needs what the tables were made with.
  const Path to = folder / kPublished;
  if (from.empty())
    std::filesystem::remove(to, error);
  else if (!std::filesystem::equivalent(from, to, error))
    write_file_atomically(to, read_text_file(from));
}

// In the order of `keys`; all, in the file's, where there are none.
std::vector<experiments::Result> picked(std::vector<experiments::Result> results,
                                        const std::vector<std::string>& keys) {
  if (keys.empty()) return results;
  std::map<std::string, experiments::Result> by_key;
  for (experiments::Result& result : results) by_key.insert_or_assign(result.key, std::move(result));
  std::vector<experiments::Result> chosen;
  for (const std::string& key : keys) {
    const auto found = by_key.find(key);
    if (found == by_key.end())
      throw Error(ErrorKind::input, fmt::format("its tables are of a result {} that isn't there", key));
    chosen.push_back(found->second);
  }
  return chosen;
}

// The report that the recipe describes, from the folder as it is now.
Report made_again(const Path& folder, const ReportRecipe& recipe, const Context& context) {
  CompareOptions options;
  options.baseline = recipe.baseline;
  options.baselines = recipe.baselines;
  options.kinds = recipe.kinds;
  options.published = published_records(recipe.published);
  std::vector<RunFolder> runs{{folder, picked(read_run(folder).results, recipe.keys)}};
  if (recipe.clean) runs.push_back(read_run(folder / "clean"));
  return make_report(std::move(runs), options, context);
}

// The tables, without the page: those are sealed before the page is rendered.
std::vector<std::pair<std::string, std::string>> table_files(const Report& report) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const ReportForm& form : ReportRegistry::instance().all()) files.emplace_back(form.file, form.write(report));
  if (!report.table.verdict.comparisons.empty()) files.emplace_back("verdict.csv", verdict_csv(report.table.verdict));
  return files;
}

// A superset of what a number may be written with; from_chars() decides.
bool is_number_character(char c) { return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == '-' || c == '+'; }

// The number that the character at `at` is part of, and where it ends.
std::pair<double, std::size_t> number_around(std::string_view text, std::size_t at) {
  std::size_t begin = std::min(at, text.size()), end = begin;
  while (begin > 0 && is_number_character(text[begin - 1])) --begin;
  while (end < text.size() && is_number_character(text[end])) ++end;
  double value = std::nan("");
  const auto parsed =
      std::from_chars(text.data() + begin + (begin < end && text[begin] == '+'), text.data() + end, value);
  return {parsed.ptr == text.data() + end ? value : std::nan(""), end};
}

}  // namespace

// Another processor's libm may move a last digit; where two texts part, the numbers around
// that place are compared instead of the characters.
bool same_but_rounding(std::string_view a, std::string_view b) {
  constexpr double kRounding = 1e-9;
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
      continue;
    }
    const auto [x, x_end] = number_around(a, i);
    const auto [y, y_end] = number_around(b, j);
    // Written so that NaN, which stands for "no number here", counts as different.
    if (!(std::fabs(x - y) <= kRounding * std::max(std::fabs(x), std::fabs(y)))) return false;
    // Neither text is at a number here, so nothing was passed over and the loop would not end.
    if (x_end == i && y_end == j) return false;
    i = x_end, j = y_end;
  }
  return true;
}

std::vector<std::pair<std::string, std::string>> report_files(const Report& report) {
  std::vector<std::pair<std::string, std::string>> files = table_files(report);
  files.emplace_back(kPage, to_html(report));
  return files;
}

std::vector<std::string> write_report_files(Report report, const ReportRecipe& recipe, const Path& folder) {
  std::vector<std::string> names;
  for (const auto& [name, text] : table_files(report)) {
    names.push_back(name);
    write_file_atomically(folder / name, text);
  }
  names.emplace_back(kPage);
  std::error_code error;
  std::optional<experiments::Seal> seal;
  if (std::filesystem::exists(folder / "results.jsonl", error)) {
    copy_published(recipe.published, folder);
    seal = experiments::seal_of(folder, recipe_json(recipe, names));
    report.seal = seal->digest;
  }
  // The seal is made of the tables before the page is written, because the page shows its digest.
  write_file_atomically(folder / kPage, to_html(report));
  if (seal) experiments::write_seal(folder, std::move(*seal));
  return names;
}

std::vector<std::string> rendering_differences(const Path& folder, const Context& context,
                                               std::vector<std::string>& notes) {
  std::vector<std::string> differences;
  const std::optional<experiments::Seal> seal = experiments::read_seal(folder);
  if (!seal || !seal->tables.is_object()) return differences;
  const ReportRecipe recipe = recipe_of(seal->tables, folder);
  if (recipe.merged) notes.push_back("tables and page weren't rendered again: they are of other folders too");
  if (seal->version != kVersion)
    notes.push_back(
        fmt::format("tables and page weren't rendered again: they are those of vise-eval {}", seal->version));
  // Another version may print other columns by right: only tables of this very version must be equal.
  if (recipe.merged || seal->version != kVersion) return differences;
  Report report = made_again(folder, recipe, context);
  report.seal = experiments::seal_of(folder, seal->tables).digest;
  for (const auto& [name, text] : report_files(report)) {
    std::error_code error;
    if (name == kPage && recipe.gallery) {
      notes.push_back("report.html has pictures, which aren't here, and wasn't rendered again");
    } else if (!std::filesystem::exists(folder / name, error)) {
      differences.push_back(fmt::format("{} is gone", name));
    } else if (!same_but_rounding(read_text_file(folder / name, std::uint64_t{4} << 30), text)) {
      differences.push_back(fmt::format("{} isn't what these results give: render it again (vise-eval report)", name));
    }
  }
  return differences;
}

}  // namespace vise::reports
