// `vise-eval audit`: what is wrong with a data set, before anyone believes a number measured on it.
#include "datasets/audit.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/data.h"
#include "datasets/audit_report.h"
#include "extract/features/features.h"
#include "extract/images/fingerprint.h"

namespace vise::cli {
namespace {

struct AuditOptions {
  DataChoice data;
  std::string html, backbone;
  bool files_only = false;
};

constexpr const char* kExamples =
    "  vise-eval audit --data photos/ --html audit.html\n"
    "  vise-eval audit --task emotion --data-root D --json\n"
    "  vise-eval audit --data photos/ --backbone imagenet-v1     # also pairs whose features are near\n"
    "Exit codes: 0 nothing puts numbers in doubt; 1 unreadable images, equal or similar images across splits or with\n"
    "conflicting labels, groups across splits, class names that look like typos, or labels that look like no classes "
    "(a\n"
    "split's names, file names, dates, numbers, as many values as images).";

// A picture of at most 224 pixels a side as a PNG's bytes, for the page; "" where it can't be read. Made from the file
// again, since keeping all pictures of an audit would fill the memory.
std::string item_thumbnail(const datasets::Dataset& dataset, std::uint32_t item, std::uint64_t max_pixels) {
  constexpr std::uint32_t kSide = 224;
  try {
    return images::png_thumbnail(images::decode_image(dataset.read(item), dataset.ids[item], {max_pixels}), kSide);
  } catch (const Error&) {
    return {};
  }
}

// Pairs of items, by the features of one backbone: known ones, or computed now.
void compare_features(const std::string& backbone, const OpenedData& opened, const datasets::Split& split,
                      Session& session, datasets::Audit& audit) {
  features::ExtractOptions extract = session.places.extract_options();
  extract.on_bad_image = features::BadImagePolicy::skip;  // the audit lists them itself
  const features::Features features =
      features::extract_features(opened.dataset, {features::FeatureRequest{features::parse_backbone(backbone)}},
                                 extract, session.context())
          .front();
  // Rows are images that could be read; the audit counts in items.
  std::vector<std::span<const float>> rows;
  std::vector<std::uint32_t> item_of_row;
  for (std::uint32_t item = 0; item < opened.dataset.size(); ++item)
    if (features.rows[item] != features::kNoRow) {
      rows.push_back(features.values(item));
      item_of_row.push_back(item);
    }
  std::vector<datasets::NeighbourPair> pairs =
      datasets::neighbour_pairs(rows, datasets::NeighbourOptions{}, session.context());
  for (datasets::NeighbourPair& pair : pairs) pair = {item_of_row[pair.first], item_of_row[pair.second], pair.cosine};
  datasets::audit_features(opened.dataset, split, pairs, features.backbone, audit, opened.task.target);
}

void audit_verb(const AuditOptions& options, Session& session) {
  const OpenedData opened = open_data(options.data, session);
  const datasets::Dataset& dataset = opened.dataset;
  // An audit must also work on images that nobody has labelled yet; without a split nothing is across parts.
  const datasets::Split split =
      opened.split
          ? *opened.split
          : datasets::Split(std::vector<datasets::Part>(dataset.size(), datasets::Part::unused),
                            opened.dataset.targets.empty() ? "none (no labels)" : "none (labels to be asked about)");
  const Context context = session.context();
  const images::DecodeOptions decode{session.places.max_pixels};
  std::vector<datasets::PictureFacts> pictures(dataset.size());
  // Each file is read once: what its pixels say is worked out while its bytes are in memory.
  const datasets::LookAtFile look = [&](std::uint32_t item, ByteView bytes) {
    pictures[item] = images::picture_facts(bytes, dataset.ids[item], decode);
  };
  datasets::Audit audit = datasets::audit_files(dataset, split, context,
                                                options.files_only ? datasets::LookAtFile{} : look, opened.task.target);
  // After the files: what has equal bytes isn't reported again as equal pixels.
  datasets::audit_pictures(dataset, split, pictures, context, audit, opened.task.target);
  if (!options.backbone.empty()) compare_features(options.backbone, opened, split, session, audit);
  session.console.end_progress();
  if (!options.html.empty()) {
    const auto png_of = [&](std::uint32_t item) { return item_thumbnail(dataset, item, decode.max_pixels); };
    write_file_atomically(options.html, datasets::audit_html(audit, dataset, split, png_of));
    session.console.info(fmt::format("pairs with thumbnails: {}", options.html));
  }
  if (session.json)
    // Names of files may be no UTF-8, over which dump() would throw without the last argument.
    fmt::print("{}\n",
               datasets::audit_json(audit, dataset, split).dump(-1, ' ', false, Json::error_handler_t::replace));
  else
    fmt::print("{}", datasets::audit_text(audit, dataset, split));
  // 1, so that a script can refuse a data set; the codes from 2 on are errors of the command itself.
  session.exit_code = datasets::has_findings(audit) ? 1 : 0;
}

}  // namespace

void add_audit(Verbs& verbs) {
  auto options = std::make_shared<AuditOptions>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("audit", "find duplicates across splits, bad images and bad labels in a data set",
                             kExamples, [options, &session] { audit_verb(*options, session); });
  add_data_options(verb, options->data);
  verb->add_option("--html", options->html, "write a page with the pictures of every pair")->type_name("FILE");
  verb->add_option("--backbone", options->backbone, "also compare the features of every two images under B")
      ->type_name("B");
  verb->add_flag("--files-only", options->files_only, "decode nothing: labels and bytes alone");
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace vise::cli
