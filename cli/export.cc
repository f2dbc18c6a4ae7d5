// `vise-eval export`: a task's items, labels and split, and features if asked for, for use elsewhere.
#include "datasets/export.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/data.h"
#include "extract/features/features.h"

namespace vise::cli {
namespace {

struct ExportVerbOptions {
  DataChoice data;
  std::string format = "csv", backbone, out;
  bool absolute = false;
};

constexpr const char* kExamples =
    "  vise-eval export --task emotion --format csv --out emotion.csv\n"
    "  vise-eval export --data faces/happy.csv --format libsvm --backbone imagenet-v1 --out happy-libsvm/\n"
    "csv and jsonl: a manifest that --data reads back. libsvm: train.libsvm, val.libsvm, test.libsvm. npy: "
    "X_<part>.npy,\n"
    "y_<part>.npy and ids_<part>.csv.";

// The table to stdout or into a file; what is written reads back by --data.
void export_table_verb(const ExportVerbOptions& options, const OpenedData& opened, Session& session) {
  const std::string text = datasets::export_table(opened.dataset, opened.split ? &*opened.split : nullptr,
                                                  datasets::parse_export_format(options.format), options.absolute);
  session.console.end_progress();
  if (options.out.empty()) {
    fmt::print("{}", text);
    return;
  }
  write_file_atomically(options.out, text);
  session.console.info(fmt::format("{} rows in {}", opened.dataset.size(), options.out));
}

// Features and labels, a file a part: test stays apart from what is fitted on.
void export_matrix_verb(const ExportVerbOptions& options, const OpenedData& opened, Session& session) {
  if (options.backbone.empty() || options.out.empty())
    throw Error(ErrorKind::usage,
                fmt::format("export: --format {} holds features: --backbone and --out are needed", options.format),
                "--backbone imagenet-v1 --out FOLDER; --format csv needs neither");
  // The files are written by part, so there must be parts.
  if (!opened.split) throw Error(ErrorKind::usage, "export: without labels there is nothing to learn from");
  const datasets::Dataset& dataset = opened.dataset;
  const features::FeatureRequest request{features::parse_backbone(options.backbone)};
  const std::vector<features::Features> all =
      features::extract_features(dataset, {request}, session.places.extract_options(), session.context());
  session.console.end_progress();
  const features::Features& features = all.front();
  // Images without features are left out by the writers.
  const datasets::FeaturesOfItem row = [&](std::uint32_t item) {
    return features.rows[item] == features::kNoRow ? std::span<const float>{} : features.values(item);
  };
  const datasets::Targets& targets = dataset.target(opened.task.target);
  for (const datasets::Part part : {datasets::Part::train, datasets::Part::val, datasets::Part::test}) {
    const std::vector<std::uint32_t> items = opened.split->items(part);
    const std::size_t written =
        options.format == "npy" ? datasets::export_npy(options.out, dataset, targets, part, items, features.dim, row)
                                : datasets::export_libsvm(options.out, targets, part, items, row);
    session.console.info(fmt::format("{}: {} rows of {}", datasets::part_name(part), written, features.dim));
  }
}

// The format is checked before the data set is opened, which may take long.
void export_verb(const ExportVerbOptions& options, Session& session) {
  const std::vector<std::string> formats{"csv", "jsonl", "libsvm", "npy"};
  if (std::find(formats.begin(), formats.end(), options.format) == formats.end())
    throw Error(ErrorKind::usage, fmt::format("export: unknown format '{}'", options.format),
                suggest(options.format, formats));
  const OpenedData opened = open_data(options.data, session);
  if (options.format == "csv" || options.format == "jsonl")
    export_table_verb(options, opened, session);
  else
    export_matrix_verb(options, opened, session);
}

}  // namespace

void add_export(Verbs& verbs) {
  auto options = std::make_shared<ExportVerbOptions>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("export", "write a data set's labels and split, or its features, for use elsewhere",
                             kExamples, [options, &session] { export_verb(*options, session); });
  add_data_options(verb, options->data);
  verb->add_option("--format", options->format, "csv, jsonl, libsvm or npy [csv]")->type_name("{csv,jsonl,libsvm,npy}");
  verb->add_option("--backbone", options->backbone, "whose features libsvm and npy hold")->type_name("B");
  verb->add_option("--out", options->out, "the table's file [stdout], or the folder of libsvm and npy")
      ->type_name("PATH");
  verb->add_flag("--absolute", options->absolute, "absolute paths in the table; else relative to the data's root");
  verbs.add_place_options(verb);
}

}  // namespace vise::cli
