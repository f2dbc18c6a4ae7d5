// The split, as files and their folders are called: "train-00000-of-00005.parquet", "default/train/0000.parquet".
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "datasets/parquet_data.h"

namespace vise::datasets {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// Without "-00000-of-00005" and what older converters put behind it, and without the ending.
std::string stem_of(const std::string& id) {
  std::string stem = Path(id).stem().string();
  for (auto of = stem.find("-of-"); of != std::string::npos; of = stem.find("-of-", of + 1)) {
    std::size_t begin = of;
    while (begin > 0 && is_digit(stem[begin - 1])) --begin;
    const bool is_shard = begin < of && of + 4 < stem.size() && is_digit(stem[of + 4]);
    if (is_shard && begin > 0 && (stem[begin - 1] == '-' || stem[begin - 1] == '_')) return stem.substr(0, begin - 1);
  }
  return stem;
}

// The hub converts the beginning of a large set into folders called so.
std::string_view without_partial(std::string_view name) { return name.starts_with("partial-") ? name.substr(8) : name; }

// The part in a file's name, else in the name of the folder that is nearest to it.
std::optional<Part> part_of(const std::string& id) {
  if (const auto part = part_named(stem_of(id))) return part;
  for (Path folder = Path(id).parent_path(); !folder.empty(); folder = folder.parent_path())
    if (const auto part = part_named(without_partial(folder.filename().string()))) return part;
  return std::nullopt;
}

// "cifar10-train" and "cifar10-test": one word is a part, the others are the same in all names.
struct Words {
  std::optional<Part> part;
  std::string others;
};

// The stem in its words; a part only where exactly one of them is called so.
Words words_of(const std::string& stem) {
  Words words;
  std::string word;
  int parts = 0;
  const auto end_word = [&] {
    if (const auto part = part_named(word)) {
      words.part = part;
      ++parts;
    } else if (!word.empty()) {
      words.others += word + ' ';
    }
    word.clear();
  };
  for (const char c : stem) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += c;
    } else {
      end_word();
    }
  }
  end_word();
  if (parts != 1) words.part.reset();
  return words;
}

// For names like "cifar10-train", in which the part is one of several words.
std::vector<std::optional<Part>> parts_by_words(const std::vector<std::string>& ids) {
  std::vector<std::optional<Part>> parts;
  std::set<std::string> others;
  for (const std::string& id : ids) {
    Words words = words_of(stem_of(id));
    parts.push_back(words.part);
    if (words.part) others.insert(std::move(words.others));
  }
  // If the names differ in more than the part, they are names of several data sets.
  if (others.size() != 1) std::fill(parts.begin(), parts.end(), std::nullopt);
  return parts;
}

std::set<Part> distinct(const std::vector<std::optional<Part>>& parts) {
  std::set<Part> found;
  for (const auto& part : parts)
    if (part && *part != Part::unused) found.insert(*part);
  return found;
}

}  // namespace

std::vector<std::optional<Part>> parts_of_files(const std::vector<std::string>& ids,
                                                std::vector<std::string>& remarks) {
  std::vector<std::optional<Part>> parts;
  for (const std::string& id : ids) parts.push_back(part_of(id));
  if (distinct(parts).empty()) parts = parts_by_words(ids);
  // Files without a part beside others that have one: between two parts they are left out, beside one alone nobody can
  // tell.
  const auto count = std::count(parts.begin(), parts.end(), std::nullopt);
  const auto first = std::find(parts.begin(), parts.end(), std::nullopt) - parts.begin();
  const std::set<Part> found = distinct(parts);
  if (found.empty()) {
    if (ids.size() > 1)
      remarks.push_back(
          fmt::format("no name of its {} files says a part of the split: all rows are taken together", ids.size()));
    return std::vector<std::optional<Part>>(ids.size());
  }
  const std::string other = count > 0 ? ids[static_cast<std::size_t>(first)] : "";
  if (found.size() == 1 && count > 0)
    throw Error(ErrorKind::input,
                fmt::format("'{}' lies beside files of {}: which part of the split it is isn't said", other,
                            part_name(*found.begin())),
                "call it train, val or test too, or name the files that are meant: --data 'DIR/train-*.parquet'");
  if (found.size() == 1) {
    remarks.push_back(fmt::format("{} called {}: the split is drawn",
                                  ids.size() == 1 ? "its file is" : "all of its files are", part_name(*found.begin())));
    return std::vector<std::optional<Part>>(ids.size());
  }
  if (count > 0)
    remarks.push_back(
        fmt::format("{} of {} files are in no part of the split and unused, such as {}", count, ids.size(), other));
  std::replace(parts.begin(), parts.end(), std::optional<Part>(), std::optional(Part::unused));
  return parts;
}

}  // namespace vise::datasets
