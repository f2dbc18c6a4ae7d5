#include "extract/networks/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "extract/networks/beside.h"
#include "extract/networks/family_registry.h"

namespace vise::networks {
namespace {

constexpr std::size_t kMaxPlaces = 64;

// A prefix's components, with the branch's replaced by one name for both of a pair.
std::string without_branch(const std::string& prefix, std::string_view first, std::string_view second) {
  std::vector<std::string> parts = split(prefix, '.');
  for (std::string& part : parts)
    // Two prefixes that are equal after this differ in the branch alone and are two copies of one model.
    if (part == first || part == second) part.assign(1, '*');
  return join(parts, ".");
}

// Whole components: "encoder" is not in "encoder_q".
bool has_component(const std::string& prefix, std::string_view component) {
  const std::vector<std::string> parts = split(prefix, '.');
  return std::find(parts.begin(), parts.end(), component) != parts.end();
}

// Drops every place whose pair's preferred sibling is there too.
void prefer(std::vector<Place>& places, std::string_view preferred, std::string_view other) {
  const auto beaten = [&](const Place& place) {
    return has_component(place.prefix, other) && std::any_of(places.begin(), places.end(), [&](const Place& rival) {
             return has_component(rival.prefix, preferred) &&
                    without_branch(rival.prefix, preferred, other) == without_branch(place.prefix, preferred, other);
           });
  };
  std::vector<Place> kept;
  std::copy_if(places.begin(), places.end(), std::back_inserter(kept), [&](const auto& p) { return !beaten(p); });
  places = std::move(kept);
}

// Places that drop= names, as in drop=teacher, are no candidates.
std::vector<Place> without_dropped(std::vector<Place> places, const std::vector<std::string>& drop) {
  std::erase_if(places, [&](const Place& place) {
    return std::ranges::any_of(drop, [&](const std::string& part) { return has_components(place.prefix, part); });
  });
  return places;
}

// Below a place, without what is below a place inside it.
std::map<std::string_view, const Tensor*> tensors_of(const Place& place, const std::vector<Place>& places,
                                                     const Checkpoint& checkpoint) {
  std::map<std::string_view, const Tensor*> tensors;
  for (const NamedTensor& named : checkpoint.tensors) {
    const auto is_inner = [&](const Place& inner) {
      return inner.prefix.size() > place.prefix.size() && named.name.starts_with(inner.prefix);
    };
    if (named.name.starts_with(place.prefix) && std::ranges::none_of(places, is_inner))
      tensors.emplace(std::string_view(named.name).substr(place.prefix.size()), &named.tensor);
  }
  return tensors;
}

// A classifier that one copy has and the other lacks makes them no different networks.
bool may_be_alone(std::string_view key) { return !rule_beside(split(std::string(key), '.'), true).empty(); }

// Whether two places hold the same network: each tensor that one of them has, the other has with the same values, but
// for what is left out anyway (a classifier that only one has).
bool are_copies(const std::map<std::string_view, const Tensor*>& one,
                const std::map<std::string_view, const Tensor*>& other) {
  const auto agrees = [](const auto& mine, const auto& theirs) {
    return std::ranges::all_of(mine, [&](const auto& named) {
      const auto found = theirs.find(named.first);
      if (found == theirs.end()) return may_be_alone(named.first);
      return named.second->shape == found->second->shape && named.second->dtype == found->second->dtype &&
             // Compared only for files that hold several candidates, so nearly no file pays for the hashing.
             content_sha256(*named.second) == content_sha256(*found->second);
    });
  };
  const auto in_one_only = [&](const auto& named) { return !one.contains(named.first); };
  return agrees(one, other) && std::ranges::all_of(other, [&](const auto& named) {
           return !in_one_only(named) || may_be_alone(named.first);
         });
}

// robustness and lucidrains' BYOL keep the same network under two names. Of equal ones the first in the file.
void drop_copies(std::vector<Place>& places, const KeyIndex& keys) {
  if (places.size() < 2) return;
  const auto first = tensors_of(places.front(), places, keys.checkpoint());
  const std::vector<Place> all = places;
  const auto is_copy = [&](const Place& place) {
    return place.prefix != all.front().prefix && place.family == all.front().family &&
           place.layout == all.front().layout && are_copies(first, tensors_of(place, all, keys.checkpoint()));
  };
  std::erase_if(places, is_copy);
}

std::string known_families() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.push_back(family.name);
  return join(names, ", ");
}

std::string listed(const std::vector<Place>& places) {
  std::vector<std::string> names;
  for (const Place& place : places)
    names.push_back(place.prefix.empty() ? "(the top)" : printable(place.prefix.substr(0, 200)));
  return join(names, ", ");
}

}  // namespace

// In the families' order, each place with the family that found it.
std::vector<Place> find_places(const KeyIndex& keys) {
  std::vector<Place> places;
  for (const Family& family : families())
    for (Place& place : family.find(keys)) {
      place.family = &family;
      places.push_back(std::move(place));
    }
  return places;
}

// From the user's word to the documented rules, each step on what the one before has left.
Place choose_place(const KeyIndex& keys, const std::vector<Place>& places, std::string_view branch,
                   const std::vector<std::string>& drop) {
  const Checkpoint& checkpoint = keys.checkpoint();
  const std::string path = checkpoint.path.string();
  if (places.empty())
    throw Error(ErrorKind::input,
                fmt::format("{}: holds {} tensors, but no network that is known ({})", path, checkpoint.tensors.size(),
                            known_families()),
                "backbone inspect lists what the file holds; docs/formats/checkpoints.md lists the key layouts");
  if (places.size() > kMaxPlaces)
    throw Error(ErrorKind::input,
                fmt::format("{}: holds {} networks, too many to be a backbone's weights", path, places.size()));
  std::vector<Place> left = places;
  if (!branch.empty()) {
    std::erase_if(left, [&](const Place& place) { return !has_component(place.prefix, branch); });
    if (left.empty())
      throw Error(ErrorKind::usage, fmt::format("{}: holds no branch '{}'", path, branch),
                  fmt::format("its networks stand under {}", listed(places)));
  }
  // drop= names heads too; where it would leave no place at all it was not meant for places.
  if (const std::vector<Place> kept = without_dropped(left, drop); !kept.empty()) left = kept;
  for (const BranchRule& rule : branch_rules()) prefer(left, rule.preferred, rule.other);
  drop_copies(left, keys);
  if (left.size() > 1)
    throw Error(ErrorKind::input, fmt::format("{}: holds {} networks: {}", path, left.size(), listed(left)),
                "say which one by branch=NAME, or which ones not by drop=NAME, a component of the prefix");
  return left.front();
}

}  // namespace vise::networks
