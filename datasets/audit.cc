#include "datasets/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/threads.h"

namespace vise {
namespace {

constexpr std::size_t kTinyBytes = 1024;

std::string_view format_of_extension(const std::string& id) {
  static const std::map<std::string, std::string_view> known{
      {"jpg", "jpeg"}, {"jpeg", "jpeg"}, {"jpe", "jpeg"}, {"jfif", "jpeg"}, {"png", "png"},
      {"gif", "gif"},  {"webp", "webp"}, {"bmp", "bmp"},  {"tif", "tiff"},  {"tiff", "tiff"},
      {"pnm", "pnm"},  {"ppm", "pnm"},   {"pgm", "pnm"},  {"pbm", "pnm"}};
  const auto dot = id.rfind('.');
  const auto found = known.find(dot == std::string::npos ? std::string() : lower(id.substr(dot + 1)));
  return found == known.end() ? std::string_view() : found->second;
}

struct FileFacts {
  ContentHash hash;
  std::uint64_t bytes = 0;
  std::string_view format;
  std::string error;
};

FileFacts facts_of(const Path& path) {
  FileFacts facts;
  try {
    const std::vector<std::byte> bytes = read_file(path);
    facts.bytes = bytes.size();
    facts.hash = content_hash(bytes);
    facts.format = sniff_image(bytes);
  } catch (const Error& error) {
    facts.error = error.message();
  }
  return facts;
}

std::vector<FileFacts> read_all(const Dataset& dataset, const Context& context) {
  std::vector<FileFacts> facts(dataset.size());
  std::atomic<std::size_t> done = 0;
  parallel_for(context.threads, dataset.size(), [&](std::size_t i) {
    context.throw_if_stopped();
    facts[i] = facts_of(dataset.path(i));
    context.log.progress("reading: files", ++done, dataset.size());
  });
  return facts;
}

void judge_files(const Dataset& dataset, const std::vector<FileFacts>& facts, Audit& audit) {
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const auto item = static_cast<std::uint32_t>(i);
    audit.hashes.push_back(facts[i].hash);
    if (!facts[i].error.empty()) {
      audit.unreadable.push_back({item, facts[i].error});
      continue;
    }
    const std::string_view by_name = format_of_extension(dataset.ids[i]);
    if (facts[i].format != by_name)
      audit.wrong_extension.push_back(
          {item, fmt::format("is {} by content, {} by name", facts[i].format.empty() ? "no image" : facts[i].format,
                             by_name.empty() ? "no image" : by_name)});
    if (facts[i].bytes < kTinyBytes) audit.tiny.push_back({item, fmt::format("{} bytes", facts[i].bytes)});
  }
}

const Targets* labels_of(const Dataset& dataset) {
  const auto label = dataset.targets.find("label");
  return label != dataset.targets.end() && label->second.kind() == TargetKind::classes ? &label->second : nullptr;
}

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
    if (count.total > 0) smallest = std::min(smallest, count.total);
  }
  if (largest > 0) audit.imbalance = static_cast<double>(largest) / static_cast<double>(smallest);
}

// Numbered classes ("class 1", "class 2") differ by a letter on purpose.
bool looks_like_typo(std::string_view a, std::string_view b) {
  const auto has_digit = [](std::string_view text) {
    return text.find_first_of("0123456789") != std::string_view::npos;
  };
  if (has_digit(a) || has_digit(b)) return false;
  const std::string one = lower(trim(a)), other = lower(trim(b));
  return edit_distance(one, other) <= std::min<std::size_t>(2, std::min(one.size(), other.size()) / 3);
}

void find_typos(Audit& audit) {
  constexpr std::size_t kMostClasses = 2000;  // pairs are compared
  for (std::size_t a = 0; a < std::min(kMostClasses, audit.classes.size()); ++a) {
    for (std::size_t b = a + 1; b < std::min(kMostClasses, audit.classes.size()); ++b) {
      if (!looks_like_typo(audit.classes[a].name, audit.classes[b].name)) continue;
      const bool a_is_rare = audit.classes[a].total <= audit.classes[b].total;
      const ClassCount &rare = audit.classes[a_is_rare ? a : b], &common = audit.classes[a_is_rare ? b : a];
      audit.typos.push_back({rare.name, common.name, rare.total, common.total});
    }
  }
}

void find_duplicates(const std::vector<FileFacts>& facts, const Targets* labels, const Split& split, Audit& audit) {
  std::vector<std::pair<ContentHash, std::uint32_t>> sorted;
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (facts[i].error.empty()) sorted.emplace_back(facts[i].hash, static_cast<std::uint32_t>(i));
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t first = 0; first < sorted.size();) {
    std::size_t end = first;
    DuplicateGroup group;
    std::set<Part> parts;
    std::set<int> classes;
    for (; end < sorted.size() && sorted[end].first == sorted[first].first; ++end) {
      const std::uint32_t item = sorted[end].second;
      group.items.push_back(item);
      if (split.part(item) != Part::unused) parts.insert(split.part(item));
      if (labels && labels->known(item)) classes.insert(labels->classes()[item]);
    }
    group.across_parts = parts.size() > 1;
    group.conflicting = classes.size() > 1;
    if (group.items.size() > 1) audit.duplicates.push_back(std::move(group));
    first = end;
  }
  std::sort(audit.duplicates.begin(), audit.duplicates.end(), [](const DuplicateGroup& a, const DuplicateGroup& b) {
    return std::pair(!a.across_parts, a.items.front()) < std::pair(!b.across_parts, b.items.front());
  });
}

}  // namespace

std::string_view sniff_image(ByteView first_bytes) {
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

Audit audit_files(const Dataset& dataset, const Split& split, const Context& context) {
  Audit audit;
  const std::vector<FileFacts> facts = read_all(dataset, context);
  judge_files(dataset, facts, audit);
  const Targets* labels = labels_of(dataset);
  if (labels) count_classes(*labels, split, audit);
  find_typos(audit);
  find_duplicates(facts, labels, split, audit);
  return audit;
}

}  // namespace vise
