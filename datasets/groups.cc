#include "datasets/groups.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

namespace vise::datasets {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return c == '_' || c == '-' || c == '.' || c == ' '; }

// "subject12" of "calm/subject12_03.jpg"; empty where the name has no running number behind a name with a number or
// letters of its own.
std::string_view group_in_name(std::string_view id) {
  std::string_view stem = id.substr(id.rfind('/') + 1);  // npos + 1 is 0
  if (const auto dot = stem.rfind('.'); dot != std::string_view::npos && dot > 0) stem = stem.substr(0, dot);
  // Back over the running number, "03", and the '_' before it.
  std::size_t end = stem.size();
  while (end > 0 && is_digit(stem[end - 1])) --end;
  if (end == stem.size() || end < 2 || !is_separator(stem[end - 1])) return {};
  const std::string_view group = stem.substr(0, end - 1);
  // "img_0001": a name without a number of its own names no one.
  return std::ranges::any_of(group, is_digit) ? group : std::string_view();
}

}  // namespace

// Empty groups are items of which nothing is known; unused ones are in no part.
GroupCount straddling_groups(std::span<const std::string> groups, const Split& split) {
  struct Seen {
    std::set<Part> parts;
    std::size_t items = 0;
  };
  std::map<std::string_view, Seen> seen;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Part part = split.part(i);
    if (groups[i].empty() || part == Part::unused) continue;
    Seen& group = seen[groups[i]];
    group.parts.insert(part);
    ++group.items;
  }
  std::vector<std::pair<std::size_t, std::string_view>> straddling;
  for (const auto& [name, group] : seen)
    if (group.parts.size() > 1) straddling.emplace_back(group.items, name);
  // The largest first: they move a score the most.
  std::ranges::stable_sort(straddling, std::greater{}, &std::pair<std::size_t, std::string_view>::first);
  GroupCount count{seen.size(), straddling.size(), {}};
  constexpr std::size_t kExamples = 5;
  for (const auto& [items, name] : std::span(straddling).first(std::min(kExamples, straddling.size())))
    count.examples.emplace_back(name);
  return count;
}

std::vector<std::string> groups_by_name(std::span<const std::string> ids) {
  std::unordered_map<std::string_view, std::size_t> sizes;
  for (const std::string& id : ids)
    if (const std::string_view group = group_in_name(id); !group.empty()) ++sizes[group];
  std::size_t grouped = 0, groups = 0;
  for (const auto& [name, size] : sizes)
    if (size > 1) grouped += size, ++groups;
  constexpr std::size_t kFewestGroups = 3;
  // Names with a number occur by chance. Only where half of the images are in such groups
  // is the pattern taken to be meant.
  if (2 * grouped < ids.size() || groups < kFewestGroups) return {};
  std::vector<std::string> result;
  for (const std::string& id : ids) {
    const std::string_view group = group_in_name(id);
    result.emplace_back(!group.empty() && sizes.at(group) > 1 ? group : std::string_view());
  }
  return result;
}

}  // namespace vise::datasets
