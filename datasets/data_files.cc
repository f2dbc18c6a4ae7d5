#include "datasets/data_files.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

bool is_there(const Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Longer lists are a slip of the keyboard, and would fill the memory before they are looked for.
constexpr std::size_t kMostFiles = 1'000'000;

[[noreturn]] void refuse_braces(const std::string& word, std::string_view why) {
  throw Error(ErrorKind::usage, fmt::format("'{}': {}", word, why),
              "shards are written name-{000000..000123}.tar, {train,test}-*.tar");
}

// "000..123" with its zeros, or "train,val".
std::vector<std::string> alternatives(const std::string& inside, const std::string& word) {
  const auto dots = inside.find("..");
  if (dots == std::string::npos) return split(inside, ',');
  const std::string first = inside.substr(0, dots), last = inside.substr(dots + 2);
  const auto is_number = [](const std::string& text) {
    return !text.empty() && text.size() < 16 && text.find_first_not_of("0123456789") == std::string::npos;
  };
  std::int64_t from = 0, to = 0;
  if (!is_number(first) || !is_number(last) || !parse_int(first, from) || !parse_int(last, to))
    refuse_braces(word, "the braces hold no two numbers");
  if (to < from) refuse_braces(word, "the range goes backwards");
  if (static_cast<std::size_t>(to - from) >= kMostFiles) refuse_braces(word, "stands for over a million files");
  std::vector<std::string> numbers;
  for (std::int64_t number = from; number <= to; ++number)
    numbers.push_back(fmt::format("{:0{}}", number, first.size()));
  return numbers;
}

// Braces with neither a range nor a list in them are part of a name.
bool has_braces(std::string_view word) {
  const auto open = word.find('{'), close = word.find('}', open);
  return open != std::string_view::npos && close != std::string_view::npos &&
         word.substr(open, close - open).find_first_of(".,") != std::string_view::npos;
}

// The words that one with braces stands for; the first braces change slowest.
// Every word has the same braces left, since all come from one, so that the first speaks for all.
std::vector<std::string> expanded(const std::string& word) {
  std::vector<std::string> words{word};
  while (has_braces(words.front())) {
    std::vector<std::string> more;
    for (const std::string& one : words) {
      const auto open = one.find('{'), close = one.find('}', open);
      for (const std::string& inside : alternatives(one.substr(open + 1, close - open - 1), word))
        more.push_back(one.substr(0, open) + inside + one.substr(close + 1));
      // Asked in the loop: several pairs of braces multiply.
      if (more.size() > kMostFiles) refuse_braces(word, "stands for over a million files");
    }
    words = std::move(more);
  }
  return words;
}

std::vector<Path> files_that_fit(const Path& word) {
  const Path folder = word.has_parent_path() ? word.parent_path() : Path(".");
  const std::string pattern = word.filename().string();
  std::vector<Path> files;
  // A folder that can't be read has no files that fit, which is the error below.
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    // FNM_PERIOD: '*' takes no hidden file, as in a shell.
    if (!is_junk_name(name) && ::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0)
      files.push_back(word.has_parent_path() ? entry.path() : Path(name));
  }
  std::sort(files.begin(), files.end());
  if (files.empty())
    throw Error(ErrorKind::missing, fmt::format("{}: no file is called so", word.string()),
                "--data takes {000..123}, * and ? in a file's name");
  return files;
}

// In the last name only: folders with wildcards aren't expanded.
bool has_wildcard(const Path& word) { return word.filename().string().find_first_of("*?") != std::string::npos; }

}  // namespace

// A file that is there under the very name comes first: names may contain braces, stars and question marks.
bool is_file_pattern(const Path& word) { return !is_there(word) && (has_braces(word.string()) || has_wildcard(word)); }

std::vector<Path> data_files(const Path& word) {
  if (!is_file_pattern(word)) return {word};
  std::vector<Path> files;
  for (const std::string& name : expanded(word.string())) {
    // A shard that is missing is an error: reading the rest in silence would give results
    // of another data set.
    if (!is_there(name) && !has_wildcard(name))
      throw Error(ErrorKind::missing, fmt::format("{}: there is no such file, of '{}'", name, word.string()),
                  "copy what is missing, or name the shards that are there");
    if (is_there(name)) {
      files.emplace_back(name);
    } else {
      const std::vector<Path> found = files_that_fit(name);
      files.insert(files.end(), found.begin(), found.end());
    }
  }
  return files;
}

bool ends_in(std::string_view name, std::span<const std::string_view> endings) {
  const std::string low = lower(name);
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return low.ends_with(ending); });
}

std::vector<Path> files_ending_in(const Path& folder, std::span<const std::string_view> endings) {
  std::vector<Path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (!is_junk_name(name) && ends_in(name, endings) && entry.is_regular_file(ignored)) files.push_back(entry.path());
  }
  if (error) throw Error(ErrorKind::missing, fmt::format("cannot list {}: {}", folder.string(), error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace vise::datasets
