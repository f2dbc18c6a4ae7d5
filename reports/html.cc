// The self-contained page: numbers as JSON, and a script that draws them. Nothing is loaded from anywhere.
#include <fmt/format.h>

#include <set>

#include "reports/gallery.h"
#include "reports/html/parts.h"
#include "reports/packed_json.h"
#include "reports/report.h"
#include "reports/won_images.h"
#include "reports/writers.h"

namespace vise::reports {
namespace {

// The way of the data: page_json() takes table.json's value and adds what charts, gallery and the switch of baselines
// need; to_html() puts it beside style, library and script into one file, packed where it is large.

// JSON inside <script>: no "<" may occur in it, so neither "</script>" nor "<!--" can end it.
std::string script_json(const Json& json) {
  std::string result;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<')
      result += "\\u003c";
    else
      result += c;
  }
  return result;
}

// Text between tags; attributes never hold it, so quotes may stay.
std::string html_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += c;
  }
  return result;
}

Json curve_json(const probes::Selection& selection) {
  Json curve = Json::array();
  for (const probes::Candidate& c : selection.curve)
    curve.push_back({{"parameters", *c.parameters}, {"score", c.score}});
  return curve;
}

// What a reader needs to find and repeat the computation of one result.
Json provenance_json(const experiments::Result& r) {
  return {{"key", r.key},
          {"seed", r.cell.seed},
          {"version", r.version},
          {"started_at", r.started_at},
          {"split_hash", r.split_hash},
          {"selected_on", r.selection.selected_on},
          {"refit_on_val", r.selection.refit_on_val},
          {"objective", r.convergence.objective_text},
          {"gradient_norm", r.convergence.gradient_norm},
          {"iterations", r.convergence.iterations},
          {"converged", r.convergence.converged},
          {"probe_settings", *r.probe_settings},
          {"features", *r.features}};
}

// What the charts of one row need beyond the table; sweeps and costs of a mean are shown with its folds.
void add_details(Json& row_json, const ComparisonTable& table, const TableRow& row, const RowEvidence& evidence) {
  static const experiments::Result kNothing;
  const experiments::Result& first = row.fold_rows.empty() ? table.results[row.results.front()] : kNothing;
  row_json["curve"] = curve_json(first.selection);
  row_json["curve_metric"] = first.selection.metric;
  row_json["picked"] = first.selection.chosen;
  row_json["confusion"] = evidence.confusion;
  Json bins = Json::array();
  for (const ReliabilityBin& bin : evidence.reliability) bins.push_back({bin.count, bin.confidence, bin.accuracy});
  row_json["reliability"] = std::move(bins);
  Json agreement = Json::array();
  for (const AgreementBin& bin : evidence.agreement)
    agreement.push_back({bin.low, bin.high, bin.count, bin.count > 0 ? Json(bin.accuracy) : Json()});
  row_json["agreement"] = std::move(agreement);
  row_json["seconds"] = first.seconds;
  row_json["images"] = first.images;
  Json provenance = Json::array();
  for (const std::size_t i : row.results) provenance.push_back(provenance_json(table.results[i]));
  row_json["provenance"] = std::move(provenance);
}

// Every backbone as the baseline, so that the page can switch without computing anything; in tables so large that this
// would make megabytes, the report's own alone.
std::vector<std::string> baselines(const ComparisonTable& table) {
  constexpr std::size_t kMostDifferences = 12'000;
  std::vector<std::string> backbones;
  std::set<std::string> seen;
  std::size_t rows = 0;
  for (const TableSection& section : table.sections) {
    rows += section.rows.size();
    for (const TableRow& row : section.rows)
      if (seen.insert(row.cell.backbone).second) backbones.push_back(row.cell.backbone);
  }
  if (rows * backbones.size() <= kMostDifferences) return backbones;
  std::set<std::string> own;
  for (const TableSection& section : table.sections) own.insert(section.baseline);
  return {own.begin(), own.end()};
}

Json map_json(const GalleryMap& m) { return {{"picture", m.picture}, {"most", m.strongest}, {"score", m.score}}; }

// Of the network of row `row`, for an image and the class that the gallery's row predicted; null where there is none.
Json map_of(const GalleryMaps* maps, std::size_t row, const GalleryItem& item) {
  if (!maps) return {};
  const auto found = maps->find({row, item.id, item.predicted});
  return found == maps->end() ? Json() : map_json(found->second);
}

Json gallery_json(const std::vector<GalleryItem>& items, const TableSection& section, std::size_t row,
                  const GalleryMaps* maps) {
  Json list = Json::array();
  const bool compared = section.rows[row].difference.has_value();
  for (const GalleryItem& item : items)
    list.push_back(
        {{"id", item.id},
         {"truth", item.truth},
         {"predicted", item.predicted},
         {"confidence", item.confidence},
         {"class_activation", map_of(maps, row, item)},
         {"baseline_class_activation", compared ? map_of(maps, section.rows[row].compared_with, item) : Json()}});
  return list;
}

Json attention_json(const AttentionPicture& attention) {
  return {{"picture", attention.picture}, {"least", attention.least}, {"most", attention.most}, {"sum", attention.sum}};
}

Json attention_json(const NetworkAttention& attention) {
  Json images = Json::object();
  for (const auto& [id, image] : attention.images)
    images[id] = {{"class_token_attention", attention_json(image.class_token)},
                  {"attention_rollout", attention_json(image.rollout)}};
  return {{"none", attention.none}, {"images", std::move(images)}};
}

// Under the row's backbone and layer: several probes of one network share it.
std::string network_name(const TableRow& row) { return fmt::format("{} {}", row.cell.backbone, row.cell.layer); }

void add_gallery(Json& json, const Report& report, std::size_t s) {
  const SectionEvidence& evidence = report.evidence[s];
  const TableSection& section = report.table.sections[s];
  const GalleryMaps* const maps = s < report.maps.size() ? &report.maps[s] : nullptr;
  json["thumbnails"] = report.thumbnails[s];
  json["attention"] = Json::object();
  if (s < report.attention.size())
    for (const TableRow& row : section.rows)
      if (const auto found = report.attention[s].find({row.cell.backbone, row.cell.layer});
          found != report.attention[s].end())
        json["attention"][network_name(row)] = attention_json(found->second);
  for (std::size_t r = 0; r < evidence.rows().size(); ++r) {
    const RowGallery gallery = row_gallery(evidence, r, kGalleryImages);
    json["rows"][r]["gallery"] = {{"right", gallery_json(gallery.right, section, r, maps)},
                                  {"wrong", gallery_json(gallery.wrong, section, r, maps)},
                                  {"compared_with", section.rows[r].compared_with},
                                  {"is_compared", section.rows[r].difference.has_value()},
                                  {"network", network_name(section.rows[r])}};
  }
}

// The report comes by value, as its baseline is switched for each backbone in turn; nothing is resampled for that.
void add_differences(Json& page, Report report) {
  const std::vector<std::string> backbones = baselines(report.table);
  for (const std::string& backbone : backbones) {
    switch_baseline(report, backbone);
    for (std::size_t s = 0; s < report.table.sections.size(); ++s) {
      Json list = Json::array();
      for (const TableRow& row : report.table.sections[s].rows)
        list.push_back(row.difference ? difference_json(*row.difference, row.compared_with) : Json());
      page["sections"][s]["differences"][backbone] = std::move(list);
    }
  }
  page["backbones"] = backbones;
}

// Of what every row says of every test image, the most bytes: a page stays below 3 MB with 3000 rows.
constexpr std::size_t kMostAnswers = 600'000;

// Where the numbers of a page would be more than this many bytes they are packed.
constexpr std::size_t kLargePage = 1'000'000;

// Without the metrics that its tables don't show; table.json has them all.
Json lean(Json page) {
  for (Json& section : page["sections"])
    for (Json& row : section["rows"]) {
      Json shown = Json::object();
      for (const Json& key : section["shown"])
        if (row["metrics"].contains(key)) shown[key.get<std::string>()] = row["metrics"][key.get<std::string>()];
      row["metrics"] = std::move(shown);
    }
  return page;
}

// For browsers without scripts.
std::string plain_text(const Report& report) {
  return to_markdown(report.table) + (report.seal.empty() ? "" : fmt::format("\nSeal: {}\n", report.seal));
}

}  // namespace

Json page_json(const Report& report) {
  Json page = table_json(report.table);
  page["seed"] = report.seed;
  page["seal"] = report.seal;
  std::vector<Json> answers = answers_json(report.table, report.evidence, kMostAnswers);
  for (std::size_t s = 0; s < answers.size(); ++s) page["sections"][s]["answers"] = std::move(answers[s]);
  for (std::size_t s = 0; s < report.table.sections.size(); ++s)
    for (std::size_t r = 0; r < report.table.sections[s].rows.size(); ++r)
      add_details(page["sections"][s]["rows"][r], report.table, report.table.sections[s].rows[r],
                  report.evidence[s].rows()[r]);
  for (std::size_t s = 0; s < report.thumbnails.size(); ++s) add_gallery(page["sections"][s], report, s);
  add_differences(page, report);
  return page;
}

std::string to_html(const Report& report) {
  const Json page = page_json(report);
  std::string numbers = script_json(page);
  const bool is_large = numbers.size() > kLargePage;
  if (is_large) numbers = script_json(packed(lean(page)));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // The policy forbids every request: a page that somebody mails can't load or report anything
      // (docs/architecture.md).
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>vise-eval report</title>\n<style>\n{}</style>\n</head>\n<body>\n<main id=\"page\"></main>\n"
      "<noscript><pre>{}</pre></noscript>\n<script type=\"application/json\" "
      "id=\"data\">{}</script>\n<script>\n{}{}</script>\n"
      "</body>\n</html>\n",
      page::kStyle,
      is_large ? "This page needs JavaScript; table.md beside it has the same numbers." : html_text(plain_text(report)),
      numbers, page::kLibrary, page::kScript);
}

}  // namespace vise::reports
