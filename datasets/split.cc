#include "datasets/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

constexpr double kRounding = 1e-9;  // 0.1 * 30 and the like must not be a hair below a whole number

// Items without a label have a negative stratum and are in no part.
std::map<int, std::vector<std::uint32_t>> items_by_stratum(std::span<const int> strata) {
  std::map<int, std::vector<std::uint32_t>> items;
  for (std::size_t i = 0; i < strata.size(); ++i)
    if (strata[i] >= 0) items[strata[i]].push_back(static_cast<std::uint32_t>(i));
  return items;
}

void check_shares(std::span<const double> shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  // Written so that NaN is refused too.
  const bool negative = std::any_of(shares.begin(), shares.end(), [](double share) { return !(share >= 0); });
  if (negative || std::abs(sum - 1) > 1e-6)
    throw Error(ErrorKind::usage,
                fmt::format("the shares {} of a split are not positive numbers that sum to 1", fmt::join(shares, "/")),
                "for example 0.8/0.1/0.1");
}

// Whole counts that sum to n. A remainder's tie goes to the part that earlier strata have left furthest behind
// (`owed`).
std::vector<std::size_t> apportion(std::size_t n, std::span<const double> shares, std::vector<double>& owed) {
  std::vector<std::size_t> counts(shares.size()), order(shares.size());
  std::vector<double> remainders(shares.size());
  std::size_t given = 0;
  for (std::size_t p = 0; p < shares.size(); ++p) {
    const double exact = shares[p] * static_cast<double>(n);
    // Hamilton's method: whole parts first, then one more to the largest remainders.
    counts[p] = static_cast<std::size_t>(exact + kRounding);
    remainders[p] = exact - static_cast<double>(counts[p]);
    given += counts[p];
  }
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    // Remainders that differ by a rounding are equal: else the machine's arithmetic would decide.
    if (std::abs(remainders[a] - remainders[b]) > kRounding) return remainders[a] > remainders[b];
    return owed[a] > owed[b] + kRounding;
  });
  for (std::size_t r = 0; given < n; ++r, ++given) ++counts[order[r]];
  for (std::size_t p = 0; p < shares.size(); ++p)
    // Without it the ties of all small classes would go to the same part.
    owed[p] += shares[p] * static_cast<double>(n) - static_cast<double>(counts[p]);
  return counts;
}

// A part number an item, -1 where the stratum is negative.
std::vector<int> deal_stratified(std::span<const int> strata, std::span<const double> shares, RandomStream random) {
  std::vector<int> parts(strata.size(), -1);
  std::vector<double> owed(shares.size(), 0);
  for (auto& [stratum, items] : items_by_stratum(strata)) {
    random.shuffle(std::span(items));
    const auto counts = apportion(items.size(), shares, owed);
    auto item = items.begin();
    for (std::size_t p = 0; p < counts.size(); ++p)
      for (std::size_t c = 0; c < counts[p]; ++c) parts[*item++] = static_cast<int>(p);
  }
  return parts;
}

// Items that must stay in one part. `part`: the one that it was dealt to.
struct Group {
  std::vector<std::uint32_t> items;
  std::map<int, double> strata;  // items of each stratum
  int part = -1;
};

// Sorted by name before they are shuffled, so that the order of items doesn't matter; then the largest first, because a
// large group that comes last fits nowhere.
std::vector<Group> drawn_groups(std::span<const std::string> names, std::span<const int> strata, RandomStream random) {
  std::map<std::string_view, Group> by_name;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (strata[i] < 0) continue;
    // An item without a group is a group of its own.
    Group& group = names[i].empty() ? groups.emplace_back() : by_name[names[i]];
    group.items.push_back(static_cast<std::uint32_t>(i));
    ++group.strata[strata[i]];
  }
  for (auto& [name, group] : by_name) groups.push_back(std::move(group));
  random.shuffle(std::span(groups));
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.items.size() > b.items.size(); });
  return groups;
}

// How much nearer to its share of every stratum (chi-squared) each part would come with one group more.
class GroupBalance {
 public:
  GroupBalance(std::span<const int> strata, std::span<const double> shares) : shares_(shares), have_(shares.size()) {
    for (const int stratum : strata)
      if (stratum >= 0) ++total_[stratum];
  }

  double change(const Group& group, std::size_t part) const {
    // A part that is to have nothing never wins.
    if (shares_[part] <= 0) return HUGE_VAL;
    double sum = 0;
    for (const auto& [stratum, count] : group.strata) {
      const double target = shares_[part] * total_.at(stratum);
      const auto found = have_[part].find(stratum);
      const double have = found == have_[part].end() ? 0 : found->second;
      // (have + count - target)^2 / target less (have - target)^2 / target.
      sum += count * (2 * (have - target) + count) / target;
    }
    return sum;
  }

  void add(const Group& group, std::size_t part) {
    for (const auto& [stratum, count] : group.strata) have_[part][stratum] += count;
  }

 private:
  std::span<const double> shares_;
  std::unordered_map<int, double> total_;
  std::vector<std::unordered_map<int, double>> have_;
};

// Every part with a share must have a group: an empty one takes the smallest of the part with the most groups.
void fill_empty_parts(std::vector<Group>& groups, std::span<const double> shares) {
  std::vector<int> count(shares.size(), 0);
  for (const Group& group : groups) ++count[static_cast<std::size_t>(group.part)];
  for (std::size_t p = 0; p < shares.size(); ++p) {
    if (shares[p] <= 0 || count[p] > 0) continue;
    const auto rich = std::max_element(count.begin(), count.end());
    const int donor = static_cast<int>(rich - count.begin());
    // Groups are sorted by size, so the last one of the donor is its smallest.
    const auto smallest = std::find_if(groups.rbegin(), groups.rend(), [&](const Group& g) { return g.part == donor; });
    smallest->part = static_cast<int>(p);
    --*rich;
    ++count[p];
  }
}

// Greedy, group by group into the part that gains most: the best assignment of all would be a hard problem of
// partition.
std::vector<int> deal_groups(std::span<const std::string> names, std::span<const int> strata,
                             std::span<const double> shares, RandomStream random) {
  std::vector<Group> groups = drawn_groups(names, strata, random);
  const auto wanted =
      static_cast<std::size_t>(std::count_if(shares.begin(), shares.end(), [](double s) { return s > 0; }));
  if (groups.size() < wanted)
    throw Error(ErrorKind::input, fmt::format("{} groups cannot make {} parts", groups.size(), wanted),
                "group by something finer, or use a stratified split");
  GroupBalance balance(strata, shares);
  for (Group& group : groups) {
    std::size_t best = 0;
    for (std::size_t p = 1; p < shares.size(); ++p)
      // The first of equally good parts is kept, so the result doesn't depend on anything but the draw.
      if (balance.change(group, p) < balance.change(group, best)) best = p;
    group.part = static_cast<int>(best);
    balance.add(group, best);
  }
  fill_empty_parts(groups, shares);
  std::vector<int> parts(strata.size(), -1);
  for (const Group& group : groups)
    for (const std::uint32_t item : group.items) parts[item] = group.part;
  return parts;
}

// A number is a place among train, val and test; -1 is no part.
std::vector<Part> as_parts(std::span<const int> numbers) {
  std::vector<Part> parts;
  parts.reserve(numbers.size());
  for (const int number : numbers) parts.push_back(number < 0 ? Part::unused : static_cast<Part>(number));
  return parts;
}

std::string shares_text(std::array<double, 3> shares) {
  const auto percent = [](double share) { return number(std::round(share * 1e4) / 100); };
  return fmt::format("{}/{}/{}", percent(shares[0]), percent(shares[1]), percent(shares[2]));
}

}  // namespace

std::string_view part_name(Part part) {
  constexpr std::array<std::string_view, 4> names{"train", "val", "test", "unused"};
  return names[static_cast<std::size_t>(part)];
}

Part parse_part(std::string_view text) {
  const auto part = trim(text).empty() ? Part::unused : part_named(text);
  if (!part)
    throw Error(ErrorKind::input, fmt::format("'{}' is not a part of a split", text),
                "known: train, val, test, unused (also training, training_set, validation, valid, dev, testing)");
  return *part;
}

Split Split::val_as_test() const {
  std::vector<Part> parts = parts_;
  std::replace(parts.begin(), parts.end(), Part::val, Part::test);
  return {std::move(parts), fmt::format("{}, without a test: its val is the test", origin_)};
}

Split Split::stratified(std::span<const int> strata, std::array<double, 3> shares, std::string_view name,
                        std::uint64_t seed) {
  check_shares(shares);
  return {as_parts(deal_stratified(strata, shares, RandomStream(name, seed))),
          fmt::format("stratified {} (seed {})", shares_text(shares), seed)};
}

Split Split::grouped(std::span<const std::string> groups, std::span<const int> strata, std::array<double, 3> shares,
                     std::string_view name, std::uint64_t seed) {
  check_shares(shares);
  return {as_parts(deal_groups(groups, strata, shares, RandomStream(name, seed))),
          fmt::format("grouped {} (seed {})", shares_text(shares), seed)};
}

Split Split::with_val_from_train(std::span<const int> strata, double share, std::string_view name,
                                 std::uint64_t seed) const {
  const std::array<double, 2> shares{1 - share, share};
  check_shares(shares);
  // Only train is dealt; other items have no stratum here and keep their part.
  std::vector<int> of_train(strata.begin(), strata.end());
  for (std::size_t i = 0; i < of_train.size(); ++i)
    if (parts_[i] != Part::train) of_train[i] = -1;
  const std::vector<int> dealt = deal_stratified(of_train, shares, RandomStream(name, seed));
  std::vector<Part> parts = parts_;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (dealt[i] == 1) parts[i] = Part::val;
  return {std::move(parts), fmt::format("{}, val = {} % of train (stratified, seed {})", origin_,
                                        number(std::round(share * 1e4) / 100), seed)};
}

std::vector<std::uint32_t> Split::items(Part part) const {
  std::vector<std::uint32_t> items;
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (parts_[i] == part) items.push_back(static_cast<std::uint32_t>(i));
  return items;
}

std::size_t Split::count(Part part) const {
  return static_cast<std::size_t>(std::count(parts_.begin(), parts_.end(), part));
}

std::string Split::hash(std::span<const std::string> ids) const {
  Sha256 hash;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    // The ids are part of it: two data sets with the same sequence of parts have different splits.
    // Zero bytes and newlines separate, so that no two lists have the same text.
    hash.update(ids[i]);
    hash.update(std::string_view("\0", 1));
    hash.update(part_name(parts_[i]));
    hash.update("\n");
  }
  return hash.hex();
}

// In the items' order, so that two splits can be compared line by line.
void Split::write(const Path& path, std::span<const std::string> ids) const {
  std::string text = "id,part\n";
  for (std::size_t i = 0; i < parts_.size(); ++i)
    text += fmt::format("{},{}\n", csv_cell(ids[i]), part_name(parts_[i]));
  write_file_atomically(path, text);
}

std::vector<int> make_folds(std::span<const int> strata, std::span<const std::string> groups, int folds,
                            std::string_view name, std::uint64_t seed) {
  if (folds < 2) throw Error(ErrorKind::usage, fmt::format("{} folds: at least 2 are needed", folds));
  RandomStream random(name, seed);
  if (!groups.empty()) {
    const std::vector<double> shares(static_cast<std::size_t>(folds), 1.0 / folds);
    return deal_groups(groups, strata, shares, random);
  }
  std::vector<int> numbers(strata.size(), -1);
  std::size_t dealt = 0;  // counts on from stratum to stratum, so that the first folds don't get every remainder
  for (auto& [stratum, items] : items_by_stratum(strata)) {
    random.shuffle(std::span(items));
    for (const std::uint32_t item : items) numbers[item] = static_cast<int>(dealt++ % static_cast<std::size_t>(folds));
  }
  if (dealt < static_cast<std::size_t>(folds))
    throw Error(ErrorKind::input, fmt::format("{} items cannot make {} folds", dealt, folds));
  return numbers;
}

}  // namespace vise::datasets
