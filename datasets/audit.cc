#include "datasets/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/threads.h"

namespace vise::datasets {
namespace {

// Smaller files and pictures are listed for people to look at, and are no finding (has_findings()).
constexpr std::size_t kTinyBytes = 256;
constexpr std::uint32_t kTinyEdge = 32;

// The format that a file's name claims, "" for a name that claims none.
std::string_view format_of_extension(const std::string& id) {
  static const std::map<std::string, std::string_view> known{
      {"jpg", "jpeg"}, {"jpeg", "jpeg"}, {"jpe", "jpeg"}, {"jfif", "jpeg"}, {"png", "png"},
      {"gif", "gif"},  {"webp", "webp"}, {"bmp", "bmp"},  {"tif", "tiff"},  {"tiff", "tiff"},
      {"pnm", "pnm"},  {"ppm", "pnm"},   {"pgm", "pnm"},  {"pbm", "pnm"}};
  const auto dot = id.rfind('.');
  const auto found = known.find(dot == std::string::npos ? std::string() : lower(id.substr(dot + 1)));
  return found == known.end() ? std::string_view() : found->second;
}

// What one reading of a file gives; `error` is set, and the rest empty, where it can't be read.
struct FileFacts {
  ContentHash hash;
  std::uint64_t bytes = 0;
  std::string_view format;
  std::string error;
};

FileFacts facts_of(const Dataset& dataset, std::uint32_t item, const LookAtFile& look) {
  FileFacts facts;
  try {
    const std::vector<std::byte> bytes = dataset.read(item);
    facts.bytes = bytes.size();
    facts.hash = content_hash(bytes);
    facts.format = format_by_content(bytes);
    // Pixels are made from the bytes at hand: reading a large set twice would take twice as long.
    if (look) look(item, bytes);
  } catch (const Error& error) {
    // A file that can't be read is what an audit is for, so it is kept and the others are read.
    facts.error = error.message();
  }
  return facts;
}

// The facts of all items in the data set's order, read in the order in which they are stored.
std::vector<FileFacts> read_all(const Dataset& dataset, const Context& context, const LookAtFile& look) {
  std::vector<FileFacts> facts(dataset.size());
  std::vector<std::uint32_t> items(dataset.size());
  std::iota(items.begin(), items.end(), 0U);
  dataset.sort_for_reading(items);
  std::atomic<std::size_t> done = 0;
  parallel_for(context.threads, dataset.size(), [&](std::size_t i) {
    context.throw_if_stopped();
    facts[items[i]] = facts_of(dataset, items[i], look);
    context.log.progress("reading: files", ++done, dataset.size());
  });
  return facts;
}

// What a file says without being decoded: whether it can be read, its format, its size.
void judge_files(const Dataset& dataset, const std::vector<FileFacts>& facts, Audit& audit) {
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const auto item = static_cast<std::uint32_t>(i);
    audit.hashes.push_back(facts[i].hash);
    if (!facts[i].error.empty()) {
      audit.unreadable.push_back({item, facts[i].error});
      continue;
    }
    const std::string_view by_name = format_of_extension(dataset.ids[i]);
    const bool is_named = !by_name.empty() || !dataset.container;  // a row of a table has no name
    if (facts[i].format != by_name && (is_named || facts[i].format.empty()))
      audit.wrong_extension.push_back(
          {item, fmt::format("is {} by content, {} by name", facts[i].format.empty() ? "no image" : facts[i].format,
                             by_name.empty() ? "no image" : by_name)});
    if (facts[i].bytes < kTinyBytes) audit.tiny.push_back({item, fmt::format("{} bytes", facts[i].bytes)});
  }
}

// The target's classes, or null where it has none: then nothing is said of classes and conflicts.
const Targets* labels_of(const Dataset& dataset, const std::string& target) {
  const auto label = dataset.targets.find(target);
  return label != dataset.targets.end() && label->second.kind() == TargetKind::classes ? &label->second : nullptr;
}

// Unused items count for their class: they are there to be looked at, though no number comes from them.
void count_classes(const Targets& labels, const Split& split, Audit& audit) {
  for (const std::string& name : labels.names()) audit.classes.push_back({name, {}, 0});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!labels.known(i)) {
      ++audit.unlabelled;
      continue;
    }
    ClassCount& count = audit.classes[static_cast<std::size_t>(labels.classes()[i])];
    ++count.items[split.part(i)];
    ++count.total;
  }
  std::size_t largest = 0, smallest = SIZE_MAX;
  for (const ClassCount& count : audit.classes) {
    largest = std::max(largest, count.total);
    // Classes without any item come from a table's list of names and would make the imbalance infinite.
    if (count.total > 0) smallest = std::min(smallest, count.total);
  }
  if (largest > 0) audit.imbalance = static_cast<double>(largest) / static_cast<double>(smallest);
}

// Messages name their file; a list of files does already.
std::string without_name(const std::string& message, const std::string& id) {
  const std::string name = id + ": ";
  return message.starts_with(name) ? message.substr(name.size()) : message;
}

void find_typos(Audit& audit) {
  std::vector<std::string> names;
  std::vector<std::size_t> items;
  for (const ClassCount& count : audit.classes) {
    names.push_back(count.name);
    items.push_back(count.total);
  }
  audit.typos = likely_typos(names, items);
}

// What the parts and labels of items that belong together say.
struct Company {
  bool across_parts = false, conflicting = false;
};

// An unused item is in no part, and an item without a label contradicts no other.
Company company_of(std::span<const std::uint32_t> items, const Targets* labels, const Split& split) {
  std::set<Part> parts;
  std::set<int> classes;
  for (const std::uint32_t item : items) {
    if (split.part(item) != Part::unused) parts.insert(split.part(item));
    if (labels && labels->known(item)) classes.insert(labels->classes()[item]);
  }
  return {parts.size() > 1, classes.size() > 1};
}

using HashedItems = std::vector<std::pair<ContentHash, std::uint32_t>>;

// Groups of two and more with the same hash; `hashed` is sorted here.
std::vector<DuplicateGroup> groups_of(HashedItems hashed, const Targets* labels, const Split& split, bool same_bytes) {
  std::vector<DuplicateGroup> groups;
  std::sort(hashed.begin(), hashed.end());
  for (std::size_t first = 0; first < hashed.size();) {
    DuplicateGroup group;
    std::size_t end = first;
    for (; end < hashed.size() && hashed[end].first == hashed[first].first; ++end)
      group.items.push_back(hashed[end].second);
    // Duplicates within one part cost little; across parts they are leaks, and with other
    // labels one of the two is wrong.
    const Company company = company_of(group.items, labels, split);
    group.across_parts = company.across_parts;
    group.conflicting = company.conflicting;
    group.same_bytes = same_bytes;
    if (group.items.size() > 1) groups.push_back(std::move(group));
    first = end;
  }
  return groups;
}

// Leaks between parts come first, then in the data set's order.
void sort_groups(std::vector<DuplicateGroup>& groups) {
  std::sort(groups.begin(), groups.end(), [](const DuplicateGroup& a, const DuplicateGroup& b) {
    return std::tuple(!a.across_parts, a.items.front(), a.same_bytes) <
           std::tuple(!b.across_parts, b.items.front(), b.same_bytes);
  });
}

// By the hashes of the bytes: nothing is decoded for this.
void find_duplicates(const std::vector<FileFacts>& facts, const Targets* labels, const Split& split, Audit& audit) {
  HashedItems hashed;
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (facts[i].error.empty()) hashed.emplace_back(facts[i].hash, static_cast<std::uint32_t>(i));
  audit.duplicates = groups_of(std::move(hashed), labels, split, true);
  sort_groups(audit.duplicates);
}

// Items by the one that stands for them: the first of the largest group each is in, or itself.
using Twins = std::map<std::uint32_t, std::vector<std::uint32_t>>;

Twins twins_of(const Audit& audit, std::size_t items) {
  std::vector<const DuplicateGroup*> group_of(items, nullptr);
  for (const DuplicateGroup& group : audit.duplicates)
    for (const std::uint32_t item : group.items)
      // Groups by pixels contain those by bytes, so the largest is the whole set of equal pictures.
      if (!group_of[item] || group_of[item]->items.size() < group.items.size()) group_of[item] = &group;
  Twins twins;
  for (std::uint32_t item = 0; item < items; ++item)
    twins[group_of[item] ? group_of[item]->items.front() : item].push_back(item);
  return twins;
}

void find_same_pixels(std::span<const PictureFacts> pictures, const Targets* labels, const Split& split, Audit& audit) {
  HashedItems hashed;
  for (std::uint32_t i = 0; i < pictures.size(); ++i)
    if (pictures[i].error.empty() && pictures[i].width > 0) {
      // Two pictures of other shapes may have the same bytes.
      ContentHash hash = pictures[i].pixels;
      hash.high ^= std::uint64_t{pictures[i].width} << 32 | pictures[i].height;
      hashed.emplace_back(hash, i);
    }
  for (DuplicateGroup& group : groups_of(std::move(hashed), labels, split, false)) {
    // Equal bytes decode to equal pixels: a group that shares its bytes is in the list already.
    const auto is_first = [&](std::uint32_t item) { return audit.hashes[item] == audit.hashes[group.items.front()]; };
    const bool known = std::all_of(group.items.begin(), group.items.end(), is_first);  // by their bytes
    if (!known) audit.duplicates.push_back(std::move(group));
  }
  sort_groups(audit.duplicates);
}

void find_similar(std::span<const PictureFacts> pictures, const Targets* labels, const Split& split,
                  const Context& context, Audit& audit) {
  const Twins twins = twins_of(audit, pictures.size());
  std::vector<Fingerprint> prints(pictures.size());
  for (const auto& [first, same] : twins)
    // Equal pictures would all be pairs with each other; one of them is searched with,
    // and the pairs found count for all.
    if (pictures[first].error.empty()) prints[first] = pictures[first].print;
  for (const SimilarPair& pair : similar_pairs(prints, SimilarOptions{}, context)) {
    std::vector<std::uint32_t> both = twins.at(pair.first);
    both.insert(both.end(), twins.at(pair.second).begin(), twins.at(pair.second).end());
    const Company company = company_of(both, labels, split);
    audit.similar.push_back({pair, company.across_parts, company.conflicting});
  }
  std::stable_sort(audit.similar.begin(), audit.similar.end(),
                   [](const NearDuplicate& a, const NearDuplicate& b) { return a.across_parts > b.across_parts; });
}

// The parts, other than test, that the others of these items are in: "train", "train and val", "".
std::string seen_in(std::span<const std::uint32_t> items, const Split& split) {
  std::set<Part> parts;
  for (const std::uint32_t item : items) parts.insert(split.part(item));
  const bool train = parts.contains(Part::train), val = parts.contains(Part::val);
  return train && val ? "train and val" : train ? "train" : val ? "val" : "";
}

}  // namespace

std::string_view format_by_content(ByteView first_bytes) {
  const std::string_view text(reinterpret_cast<const char*>(first_bytes.data()),
                              std::min<std::size_t>(first_bytes.size(), 16));
  if (text.starts_with("\xFF\xD8\xFF")) return "jpeg";
  if (text.starts_with("\x89PNG\r\n\x1A\n")) return "png";
  if (text.starts_with("GIF87a") || text.starts_with("GIF89a")) return "gif";
  if (text.starts_with("RIFF") && text.size() >= 12 && text.substr(8, 4) == "WEBP") return "webp";
  if (text.starts_with("BM")) return "bmp";
  if (text.starts_with(std::string_view("II*\0", 4)) || text.starts_with(std::string_view("MM\0*", 4))) return "tiff";
  if (text.size() > 2 && text[0] == 'P' && text[1] >= '1' && text[1] <= '6') return "pnm";
  return {};
}

// A column of groups is the author's word; names are guessed from only where there is none.
std::vector<GroupFinding> audit_groups(const Dataset& dataset, const Split& split) {
  std::vector<GroupFinding> findings;
  const auto look = [&](std::string by, std::span<const std::string> groups) {
    GroupCount count = straddling_groups(groups, split);
    if (count.straddling > 0) findings.push_back({std::move(by), std::move(count)});
  };
  if (const auto group = dataset.attributes.find("group"); group != dataset.attributes.end())
    look("column 'group'", group->second);
  else if (const std::vector<std::string> named = groups_by_name(dataset.ids); !named.empty())
    look("names of files", named);
  return findings;
}

Audit audit_files(const Dataset& dataset, const Split& split, const Context& context, const LookAtFile& look,
                  const std::string& target) {
  Audit audit;
  const std::vector<FileFacts> facts = read_all(dataset, context, look);
  judge_files(dataset, facts, audit);
  const Targets* labels = labels_of(dataset, target);
  if (labels) {
    count_classes(*labels, split, audit);
    audit.label_doubt = doubt_about(*labels).value_or("");
  }
  find_typos(audit);
  find_duplicates(facts, labels, split, audit);
  audit.groups = audit_groups(dataset, split);
  return audit;
}

// Runs after audit_files(): equal bytes must be known before equal pixels and similar pictures are looked for.
void audit_pictures(const Dataset& dataset, const Split& split, std::span<const PictureFacts> pictures,
                    const Context& context, Audit& audit, const std::string& target) {
  for (std::uint32_t i = 0; i < pictures.size(); ++i) {
    const PictureFacts& picture = pictures[i];
    if (!picture.error.empty())
      audit.unreadable.push_back({i, without_name(picture.error, dataset.ids[i])});
    else if (picture.width > 0 && std::min(picture.width, picture.height) < kTinyEdge)
      audit.tiny.push_back({i, fmt::format("{} x {} pixels", picture.width, picture.height)});
    else if (picture.width > 0 && !picture.print.usable)
      audit.blank.push_back({i, "one grey value all over"});
  }
  std::sort(audit.unreadable.begin(), audit.unreadable.end(),
            [](const BadFile& a, const BadFile& b) { return a.item < b.item; });
  const Targets* labels = labels_of(dataset, target);
  find_same_pixels(pictures, labels, split, audit);
  find_similar(pictures, labels, split, context, audit);
}

void audit_features(const Dataset& dataset, const Split& split, std::span<const NeighbourPair> pairs,
                    const std::string& backbone, Audit& audit, const std::string& target) {
  // similar_pairs() saw one item of each group of equal pictures, so a pair of features is compared with its pairs by
  // the items that stand for the two.
  std::set<std::pair<std::uint32_t, std::uint32_t>> known;  // of those that stand for their twins
  for (const NearDuplicate& near : audit.similar) known.emplace(near.pair.first, near.pair.second);
  std::vector<std::uint32_t> stands_for(dataset.size());
  for (const auto& [first, same] : twins_of(audit, dataset.size()))
    for (const std::uint32_t item : same) stands_for[item] = first;
  const Targets* labels = labels_of(dataset, target);
  for (const NeighbourPair& pair : pairs) {
    const auto [a, b] = std::minmax(stands_for[pair.first], stands_for[pair.second]);
    // What was reported as equal or similar isn't reported again as a near feature.
    if (a == b || known.contains({a, b})) continue;
    const Company company = company_of(std::array{pair.first, pair.second}, labels, split);
    audit.neighbours.push_back({pair, company.across_parts, company.conflicting});
  }
  // Across parts first, then from the nearest pair on.
  std::ranges::stable_sort(audit.neighbours, [](const FeatureNeighbour& a, const FeatureNeighbour& b) {
    return std::pair(!a.across_parts, -a.pair.cosine) < std::pair(!b.across_parts, -b.pair.cosine);
  });
  audit.neighbours_by = backbone;
}

std::vector<BadFile> flagged_test_items(const Audit& audit, const Dataset& dataset, const Split& split) {
  std::map<std::uint32_t, std::string> reasons;
  const auto flag = [&](std::uint32_t item, std::string reason) {
    // The first reason stays, and the checks run from the surest to the least sure.
    if (split.part(item) == Part::test) reasons.try_emplace(item, std::move(reason));
  };
  for (const BadFile& bad : audit.unreadable) flag(bad.item, "unreadable");
  // Only what train and val hold decides, since a probe learns nothing from other test images.
  for (const DuplicateGroup& group : audit.duplicates) {
    const std::string parts = seen_in(group.items, split), what = group.same_bytes ? "bytes" : "pixels";
    for (const std::uint32_t item : group.items) {
      if (!parts.empty()) flag(item, fmt::format("the same {} in {}", what, parts));
      if (group.conflicting) flag(item, fmt::format("the same {} under another label", what));
    }
  }
  const Twins twins = twins_of(audit, dataset.size());
  for (const NearDuplicate& near : audit.similar) {
    for (const auto& [here, there] :
         {std::pair(near.pair.first, near.pair.second), std::pair(near.pair.second, near.pair.first)}) {
      const std::string parts = seen_in(twins.at(there), split);
      // Only a twin that a probe saw in train or val makes a test image doubtful.
      if (parts.empty()) continue;
      for (const std::uint32_t item : twins.at(here))
        flag(item, fmt::format("looks like {} in {}", dataset.ids[there], parts));
    }
  }
  std::vector<BadFile> flagged;
  for (auto& [item, reason] : reasons) flagged.push_back({item, std::move(reason)});
  return flagged;
}

// What puts a number in doubt. Duplicates within one part, under one label, don't; nor do near features, which are a
// backbone's opinion.
bool has_findings(const Audit& audit) {
  const auto matters = [](const auto& found) { return found.across_parts || found.conflicting; };
  return !audit.unreadable.empty() || !audit.typos.empty() || !audit.label_doubt.empty() || !audit.groups.empty() ||
         std::any_of(audit.duplicates.begin(), audit.duplicates.end(), matters) ||
         std::any_of(audit.similar.begin(), audit.similar.end(), matters);
}

}  // namespace vise::datasets
