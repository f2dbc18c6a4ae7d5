#include "datasets/label_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "datasets/cells.h"
#include "datasets/split.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

using Names = std::vector<std::string>;

// "0001.jpg", "a/b.png".
bool is_file_name(const std::string& name) { return has_image_extension(name); }

// Three numbers with '-', '/' or '.' between, of which one may be a year: "2019-01-31", "31.1.19"; a time may follow.
bool is_date(const std::string& name) {
  const std::string day = name.substr(0, name.find_first_of("T "));
  for (const char mark : {'-', '/', '.'}) {
    const std::vector<std::string> parts = split(day, mark);
    if (parts.size() != 3) continue;
    const auto digits = [](const std::string& part, std::size_t most) {
      return !part.empty() && part.size() <= most &&
             std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    };
    // Years have four digits, or two at the end; days and months at most two.
    const bool year_first = digits(parts[0], 4) && parts[0].size() == 4 && digits(parts[2], 2);
    const bool year_last = digits(parts[0], 2) && digits(parts[2], 4) && parts[2].size() % 2 == 0;
    if (digits(parts[1], 2) && (year_first || year_last)) return true;
  }
  return false;
}

// "fold1", "cv-2", "part_03".
bool is_numbered_part(const std::string& name) {
  const auto last = name.find_last_not_of("0123456789");
  if (last == std::string::npos || last + 1 == name.size()) return false;
  const std::string word = lower(name.substr(0, name.find_last_not_of("-_ .", last) + 1));
  constexpr std::array<std::string_view, 8> kWords{"fold", "cv", "part", "split", "set", "subset", "batch", "shard"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

bool is_number(const std::string& name) { return parse_cell_number(name, true).has_value(); }

// Nearly all are nine of ten: a stray cell doesn't make a column of dates one of moods. One name alone is no pattern.
template <typename Is>
bool nearly_all(const Names& names, Is is) {
  const auto count = std::count_if(names.begin(), names.end(), is);
  return names.size() >= 2 && static_cast<double>(count) >= 0.9 * static_cast<double>(names.size());
}

std::string examples(const Names& names) {
  std::string text;
  for (std::size_t k = 0; k < std::min<std::size_t>(3, names.size()); ++k) text += (k ? ", " : "") + names[k];
  return names.size() > 3 ? text + " ..." : text;
}

// Those that some item has.
Names used_names(const Targets& targets, std::size_t& known) {
  std::vector<bool> used(targets.width(), false);
  known = 0;
  for (const int k : targets.classes())
    if (k >= 0) {
      used[static_cast<std::size_t>(k)] = true;
      ++known;
    }
  Names names;
  for (std::size_t k = 0; k < used.size(); ++k)
    if (used[k]) names.push_back(targets.names()[k]);
  return names;
}

// How many items have each class, or each label.
std::vector<std::size_t> items_of_names(const Targets& targets) {
  std::vector<std::size_t> items(targets.width(), 0);
  if (targets.kind() == TargetKind::classes) {
    for (const int k : targets.classes())
      if (k >= 0) ++items[static_cast<std::size_t>(k)];
  } else {
    const auto bits = targets.multi_label();
    for (std::size_t i = 0; i < bits.size(); ++i) items[i % items.size()] += bits[i] == 1 ? 1 : 0;
  }
  return items;
}

// Whether these are class numbers rather than quantities: one or two whole numbers, or up to ten that count from 0 or
// 1.
bool are_codes(const Names& names) {
  std::vector<double> codes;
  for (const std::string& name : names) {
    double value = 0;
    if (!parse_double(name, value) || value != std::floor(value)) return false;
    codes.push_back(value);
  }
  if (codes.size() <= 2) return !codes.empty();
  std::sort(codes.begin(), codes.end());
  // Classes are often coded 0, 1, 2 or 1, 2, 3. Other whole numbers, such as ages and years, are quantities.
  const bool counts = (codes.front() == 0 || codes.front() == 1) &&
                      codes.back() - codes.front() + 1 == static_cast<double>(codes.size());
  return counts && codes.size() <= 10;
}

}  // namespace

std::optional<std::string> doubt_about(const Targets& targets) {
  if (targets.kind() != TargetKind::classes) return std::nullopt;
  std::size_t known = 0;
  const Names names = used_names(targets, known);
  const auto part = [](const std::string& name) { return part_named(name).has_value(); };
  // From the surest sign to the least sure: a split's words are no classes anywhere, while many different names may be.
  if (names.size() >= 2 && std::all_of(names.begin(), names.end(), part))
    return fmt::format("are the names of a split: {}", examples(names));
  if (names.size() >= 2 && std::all_of(names.begin(), names.end(), is_numbered_part))
    return fmt::format("are the names of folds or pieces: {}", examples(names));
  if (nearly_all(names, is_file_name)) return fmt::format("are file names: {}", examples(names));
  if (nearly_all(names, is_date)) return fmt::format("are dates: {}", examples(names));
  if (nearly_all(names, is_number) && !are_codes(names))
    return fmt::format("are {} different numbers: {}", names.size(), examples(names));
  // Hardly two images share a class: this is a column of ids or captions.
  if (names.size() > 2 && names.size() * 2 > known)
    return fmt::format("are {} different ones for {} images: {}", names.size(), known, examples(names));
  return std::nullopt;
}

std::vector<LabelTypo> likely_typos(std::span<const std::string> names, std::span<const std::size_t> items,
                                    std::size_t times) {
  constexpr std::size_t kMostClasses = 2000;
  const auto has_digit = [](const std::string& name) { return name.find_first_of("0123456789") != std::string::npos; };
  Names spelt;  // "" for a name that isn't judged
  for (const std::string& name : names.first(std::min(kMostClasses, names.size())))
    spelt.push_back(has_digit(name) ? std::string() : lower(trim(name)));
  std::vector<LabelTypo> typos;
  for (std::size_t a = 0; a < spelt.size(); ++a)
    for (std::size_t b = a + 1; b < spelt.size(); ++b) {
      // The more frequent spelling is taken for the right one.
      const std::size_t rare = items[a] <= items[b] ? a : b, common = rare == a ? b : a;
      const std::size_t shorter = std::min(spelt[a].size(), spelt[b].size()),
                        longer = std::max(spelt[a].size(), spelt[b].size());
      // At most two letters, and at most a third of the shorter name: short names differ by a letter or two anyhow.
      const std::size_t most = std::min<std::size_t>(2, shorter / 3);
      if (shorter == 0 || longer - shorter > most || items[rare] * times > items[common]) continue;
      if (edit_distance(spelt[a], spelt[b]) <= most)
        typos.push_back({names[rare], names[common], items[rare], items[common]});
    }
  return typos;
}

std::string typo_text(const LabelTypo& typo) {
  return fmt::format("'{}' ({}) beside '{}' ({})", typo.rare, typo.rare_items, typo.common, typo.common_items);
}

std::optional<std::string> remark_on_typos(const Targets& targets) {
  constexpr std::size_t kMostClasses = 1000, kShown = 3, kTimes = 5;
  if (targets.kind() != TargetKind::classes && targets.kind() != TargetKind::multi_label) return std::nullopt;
  if (targets.width() > kMostClasses) return std::nullopt;
  Names texts;
  for (const LabelTypo& typo : likely_typos(targets.names(), items_of_names(targets), kTimes))
    // A name that nobody has comes from a list of names; case alone is remarked on (remark_on).
    if (typo.rare_items > 0 && lower(typo.rare) != lower(typo.common)) texts.push_back(typo_text(typo));
  if (texts.empty()) return std::nullopt;
  const std::size_t more = texts.size() > kShown ? texts.size() - kShown : 0;
  texts.resize(texts.size() - more);
  return fmt::format("class names that may be typos: {}{}", join(texts, ", "),
                     more > 0 ? fmt::format(" and {} more (vise-eval audit)", more) : "");
}

std::optional<std::string> remark_on(const Targets& targets) {
  if (targets.kind() == TargetKind::classes) {
    std::size_t known = 0;
    const Names names = used_names(targets, known);
    std::map<std::string, std::string> by_lower;
    for (const std::string& name : names)
      if (const auto [same, is_new] = by_lower.emplace(lower(name), name); !is_new)
        return fmt::format("'{}' and '{}' differ by case alone and are two classes", same->second, name);
  }
  if (targets.kind() == TargetKind::values && targets.width() == 1) {
    std::set<double> numbers;
    for (const double value : targets.rows())
      if (!std::isnan(value) && numbers.size() < 3) numbers.insert(value);
    if (numbers.size() == 2)
      return fmt::format(
          "has the numbers {} and {} alone, which are predicted as numbers: --label-column takes them "
          "for classes",
          number(*numbers.begin()), number(*numbers.rbegin()));
  }
  return std::nullopt;
}

bool class_codes(const Targets& targets) {
  if (targets.kind() != TargetKind::classes) return false;
  std::size_t known = 0;
  return are_codes(used_names(targets, known));
}

// What the user says of the labels counts, where it is possible: numbers as classes, or names that are numbers as
// values.
Targets labels_as(const Targets& targets, const std::string& kind) {
  const bool to_values = kind == "values";
  if (!to_values && kind != "classes")
    throw Error(ErrorKind::usage, fmt::format("labels of the kind '{}'", kind), "classes or values");
  if (kind == target_kind_name(targets.kind())) return targets;
  if (to_values && targets.kind() == TargetKind::classes) {
    std::vector<double> numbers;
    for (const std::string& name : targets.names()) {
      const auto value = parse_cell_number(name, true);
      if (!value) throw Error(ErrorKind::input, fmt::format("label '{}' is not a number", name), "say classes");
      numbers.push_back(*value);
    }
    std::vector<double> values;
    for (const int k : targets.classes()) values.push_back(k < 0 ? std::nan("") : numbers[static_cast<std::size_t>(k)]);
    return Targets::from_values(std::move(values), {"label"});
  }
  if (targets.kind() != TargetKind::values || targets.width() != 1)
    throw Error(ErrorKind::usage, fmt::format("{} can't be read as {}", target_kind_name(targets.kind()), kind));
  std::vector<std::string> labels;
  for (const double value : targets.rows()) labels.push_back(std::isnan(value) ? std::string() : number(value));
  return Targets::from_labels(labels);
}

}  // namespace vise::datasets
