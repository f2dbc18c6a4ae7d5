#include "datasets/audit_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

// Raised when a field of the JSON changes its meaning or goes away.
constexpr int kSchemaVersion = 1;
constexpr Part kParts[] = {Part::train, Part::val, Part::test, Part::unused};

// The class of the item's label, "?" where it isn't known, "" where the data set has no classes.
std::string label_of(const Dataset& dataset, std::uint32_t item) {
  const auto found = dataset.targets.find("label");
  if (found == dataset.targets.end() || found->second.kind() != TargetKind::classes) return {};
  const int k = found->second.classes()[item];
  return k < 0 ? std::string("?") : found->second.names()[static_cast<std::size_t>(k)];
}

// "images/1.jpg (test, joy)".
std::string item_text(const Dataset& dataset, const Split& split, std::uint32_t item) {
  const std::string label = label_of(dataset, item);
  return fmt::format("{} ({}{}{})", dataset.ids[item], part_name(split.part(item)), label.empty() ? "" : ", ", label);
}

// Why a pair or a group matters, in words; "" where it doesn't.
template <typename Found>
std::string remark(const Found& found) {
  if (found.across_parts && found.conflicting) return "across splits, conflicting labels";
  return found.across_parts ? "across splits" : found.conflicting ? "conflicting labels" : "";
}

// Four at most, joined by " = ": a file that was copied a hundred times would fill the page.
std::string items_text(const Dataset& dataset, const Split& split, std::span<const std::uint32_t> items) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t k = 0; k < std::min(kShown, items.size()); ++k)
    text += (k ? " = " : "") + item_text(dataset, split, items[k]);
  if (items.size() > kShown) text += fmt::format(" and {} more", items.size() - kShown);
  return text;
}

// The findings of one kind: how many, and the first few.
class Lines {
 public:
  explicit Lines(std::size_t most) : most_(most) {}

  template <typename List, typename Line>
  void add(const std::string& title, const List& list, Line line) {
    if (list.empty()) return;
    text += fmt::format("\n{}: {}\n", title, list.size());
    for (std::size_t i = 0; i < std::min(most_, list.size()); ++i) text += fmt::format("  {}\n", line(list[i]));
    if (list.size() > most_) text += fmt::format("  ... and {} more\n", list.size() - most_);
  }

  std::string text;

 private:
  std::size_t most_;
};

std::string class_table(const Audit& audit) {
  if (audit.classes.empty()) return {};
  // As wide as the longest name, so that the counts line up in a terminal.
  std::size_t width = 5;
  for (const ClassCount& count : audit.classes) width = std::max(width, count.name.size());
  std::string text =
      fmt::format("\n{:<{}}  {:>8} {:>8} {:>8} {:>8} {:>8}\n", "class", width, "train", "val", "test", "unused", "all");
  for (const ClassCount& count : audit.classes) {
    text += fmt::format("{:<{}} ", count.name, width);
    for (const Part part : kParts) {
      const auto found = count.items.find(part);
      text += fmt::format(" {:>8}", found == count.items.end() ? 0 : found->second);
    }
    text += fmt::format(" {:>8}\n", count.total);
  }
  text += fmt::format("the largest class is {:.1f} times the smallest", audit.imbalance);
  if (audit.unlabelled > 0) text += fmt::format("; {} without a label", audit.unlabelled);
  return text + "\n";
}

// How many of the pairs or groups reach from one part into another.
template <typename List>
std::size_t count_across(const List& list) {
  return static_cast<std::size_t>(
      std::count_if(list.begin(), list.end(), [](const auto& f) { return f.across_parts; }));
}

Json bad_files_json(const std::vector<BadFile>& files, const Dataset& dataset) {
  Json list = Json::array();
  for (const BadFile& file : files) list.push_back({{"id", dataset.ids[file.item]}, {"reason", file.reason}});
  return list;
}

// Ids rather than numbers: an item's number means nothing outside of this reading of the data set.
Json ids_json(const Dataset& dataset, std::span<const std::uint32_t> items) {
  Json list = Json::array();
  for (const std::uint32_t item : items) list.push_back(dataset.ids[item]);
  return list;
}

Json neighbours_json(const Audit& audit, const Dataset& dataset) {
  Json list = Json::array();
  for (const FeatureNeighbour& near : audit.neighbours)
    list.push_back({{"ids", {dataset.ids[near.pair.first], dataset.ids[near.pair.second]}},
                    {"cosine", near.pair.cosine},
                    {"across_splits", near.across_parts},
                    {"conflicting", near.conflicting}});
  return list;
}

// For HTML, in attributes as well: ids are the names of files, which may hold any letter.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

// Style and pictures are inside of the page: it opens offline and can be sent as one file.
constexpr std::string_view kHead =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Audit</title>\n<style>\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1d1d1f}\n"
    "pre{background:#f5f5f7;padding:1rem;overflow-x:auto}\n"
    "section{display:flex;flex-wrap:wrap;gap:1rem;border-top:1px solid #ddd;padding:.8rem 0}\n"
    "section p{flex-basis:100%;margin:0;color:#555}section p.bad{color:#a12}\n"
    "figure{margin:0;max-width:14rem}figcaption{font-size:.8rem;overflow-wrap:anywhere}\n"
    "img{max-width:14rem;max-height:14rem;image-rendering:auto}\n</style></head><body>\n";

using PngOf = std::function<std::string(std::uint32_t item)>;

// One finding as a section: its heading, and thumbnails with ids below them.
std::string figures(const Dataset& dataset, const Split& split, std::span<const std::uint32_t> items,
                    const std::string& heading, bool is_bad, const PngOf& png_of) {
  constexpr std::size_t kShown = 4;
  std::string html = fmt::format("<section><p{}>{}</p>\n", is_bad ? " class=\"bad\"" : "", escaped(heading));
  for (std::size_t k = 0; k < std::min(kShown, items.size()); ++k) {
    const std::string caption = escaped(item_text(dataset, split, items[k])), png = png_of(items[k]);
    html += "<figure>";
    if (!png.empty())
      // Images are part of the file, so that the page can be sent to a colleague without the data set.
      html += fmt::format("<img alt=\"{}\" src=\"data:image/png;base64,{}\">", caption, base64(as_byte_view(png)));
    html += fmt::format("<figcaption>{}</figcaption></figure>\n", caption);
  }
  return html + "</section>\n";
}

}  // namespace

std::string audit_text(const Audit& audit, const Dataset& dataset, const Split& split, std::size_t most) {
  const auto bad_file = [&](const BadFile& file) { return fmt::format("{}: {}", dataset.ids[file.item], file.reason); };
  Lines lines(most);
  lines.text = fmt::format("{}: {} images; split: {}\n", dataset.name, dataset.size(), split.origin());
  lines.text += class_table(audit);
  if (!audit.label_doubt.empty()) lines.text += fmt::format("\nare these the labels? They {}\n", audit.label_doubt);
  lines.add("class names that may be typos", audit.typos, typo_text);
  lines.add("groups across parts", audit.groups, [](const GroupFinding& found) {
    return fmt::format("{} of {} groups by {} stand in several parts, for example {}", found.count.straddling,
                       found.count.groups, found.by, join(found.count.examples, ", "));
  });
  lines.add("unreadable images", audit.unreadable, bad_file);
  lines.add("wrong extensions", audit.wrong_extension, bad_file);
  lines.add("tiny files", audit.tiny, bad_file);
  lines.add("blank pictures", audit.blank, bad_file);
  lines.add(fmt::format("groups of equal images ({} across splits)", count_across(audit.duplicates)), audit.duplicates,
            [&](const DuplicateGroup& group) {
              return fmt::format("{}{}{}: {}", group.same_bytes ? "bytes" : "pixels", remark(group).empty() ? "" : ", ",
                                 remark(group), items_text(dataset, split, group.items));
            });
  lines.add(fmt::format("pairs that look alike ({} across splits)", count_across(audit.similar)), audit.similar,
            [&](const NearDuplicate& near) {
              return fmt::format("{} ~ {}{}{}", item_text(dataset, split, near.pair.first),
                                 item_text(dataset, split, near.pair.second), remark(near).empty() ? "" : ": ",
                                 remark(near));
            });
  lines.add(fmt::format("pairs of near features under {} ({} across splits)", audit.neighbours_by,
                        count_across(audit.neighbours)),
            audit.neighbours, [&](const FeatureNeighbour& near) {
              return fmt::format("{} ~ {}: cosine {:.3f}{}{}", item_text(dataset, split, near.pair.first),
                                 item_text(dataset, split, near.pair.second), near.pair.cosine,
                                 remark(near).empty() ? "" : ", ", remark(near));
            });
  // What `run --clean` leaves out of test.
  lines.add("test images to doubt", flagged_test_items(audit, dataset, split), bad_file);
  // Tiny files, blank pictures and near features may be listed above: they are no findings.
  if (!has_findings(audit)) lines.text += "\nnothing found that puts numbers on this split in doubt\n";
  return lines.text;
}

Json audit_json(const Audit& audit, const Dataset& dataset, const Split& split) {
  Json json{
      {"schema", kSchemaVersion},        {"dataset", dataset.name},
      {"images", dataset.size()},        {"split", {{"origin", split.origin()}, {"hash", split.hash(dataset.ids)}}},
      {"imbalance", audit.imbalance},    {"unlabelled", audit.unlabelled},
      {"findings", has_findings(audit)}, {"label_doubt", audit.label_doubt}};
  Json &classes = json["classes"] = Json::array(), &typos = json["typos"] = Json::array(),
       &duplicates = json["duplicates"] = Json::array(), &similar = json["similar"] = Json::array();
  for (const ClassCount& count : audit.classes) {
    Json row{{"name", count.name}, {"all", count.total}};
    for (const auto& [part, items] : count.items) row[std::string(part_name(part))] = items;
    classes.push_back(std::move(row));
  }
  for (const LabelTypo& typo : audit.typos) typos.push_back({{"rare", typo.rare}, {"common", typo.common}});
  Json& groups = json["groups"] = Json::array();
  for (const GroupFinding& found : audit.groups)
    groups.push_back({{"by", found.by},
                      {"groups", found.count.groups},
                      {"straddling", found.count.straddling},
                      {"examples", found.count.examples}});
  json["unreadable"] = bad_files_json(audit.unreadable, dataset);
  json["wrong_extension"] = bad_files_json(audit.wrong_extension, dataset);
  json["tiny"] = bad_files_json(audit.tiny, dataset);
  json["blank"] = bad_files_json(audit.blank, dataset);
  for (const DuplicateGroup& group : audit.duplicates)
    duplicates.push_back({{"ids", ids_json(dataset, group.items)},
                          {"same", group.same_bytes ? "bytes" : "pixels"},
                          {"across_splits", group.across_parts},
                          {"conflicting", group.conflicting}});
  for (const NearDuplicate& near : audit.similar)
    similar.push_back({{"ids", {dataset.ids[near.pair.first], dataset.ids[near.pair.second]}},
                       {"bits", near.pair.bits},
                       {"correlation", near.pair.correlation},
                       {"across_splits", near.across_parts},
                       {"conflicting", near.conflicting}});
  // The key is there only where features were looked at: no pairs and not looked are not the same.
  if (!audit.neighbours_by.empty())
    json["neighbours"] = {{"backbone", audit.neighbours_by}, {"pairs", neighbours_json(audit, dataset)}};
  json["flagged_test"] = bad_files_json(flagged_test_items(audit, dataset, split), dataset);
  return json;
}

std::string audit_html(const Audit& audit, const Dataset& dataset, const Split& split, const PngOf& png_of,
                       std::size_t most) {
  std::string html(kHead);
  // The same text as in a terminal comes first, then what has pictures.
  html += fmt::format("<h1>Audit of {}</h1>\n<pre>{}</pre>\n", escaped(dataset.name),
                      escaped(audit_text(audit, dataset, split, 20)));
  // One count for all three lists bounds the page: each picture in it takes some kilobytes.
  std::size_t shown = 0;
  if (!audit.duplicates.empty()) html += "<h2>Equal images</h2>\n";
  for (const DuplicateGroup& group : audit.duplicates)
    if (shown++ < most)
      html += figures(dataset, split, group.items,
                      fmt::format("the same {} {}", group.same_bytes ? "bytes" : "pixels", remark(group)),
                      group.across_parts || group.conflicting, png_of);
  if (!audit.similar.empty()) html += "<h2>Pairs that look alike</h2>\n";
  for (const NearDuplicate& near : audit.similar)
    if (shown++ < most)
      html += figures(dataset, split, std::array{near.pair.first, near.pair.second},
                      fmt::format("{} of 63 bits differ, thumbnails correlate at {:.4f} {}", near.pair.bits,
                                  near.pair.correlation, remark(near)),
                      near.across_parts || near.conflicting, png_of);
  if (!audit.neighbours.empty()) html += fmt::format("<h2>Near features under {}</h2>\n", escaped(audit.neighbours_by));
  for (const FeatureNeighbour& near : audit.neighbours)
    if (shown++ < most)
      html += figures(dataset, split, std::array{near.pair.first, near.pair.second},
                      // Near features alone are no fault; only labels that conflict mark the pair.
                      fmt::format("cosine {:.3f} {}", near.pair.cosine, remark(near)), near.conflicting, png_of);
  if (shown > most) html += fmt::format("<p>{} more are in the JSON report</p>\n", shown - most);
  return html + "</body></html>\n";
}

}  // namespace vise::datasets
