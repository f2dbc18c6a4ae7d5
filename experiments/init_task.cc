#include "experiments/init_task.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "datasets/data_columns.h"
#include "datasets/label_check.h"
#include "probes/evaluate.h"

namespace vise::experiments {
namespace {

// Double-quoted YAML scalars are JSON strings.
std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

// What a person needs to recognise a column: its kind, and the first of its classes.
std::string describe(const datasets::Targets& targets) {
  constexpr std::size_t kShown = 8;
  const auto& names = targets.names();
  if (targets.kind() == datasets::TargetKind::values)
    return names.size() == 1 ? "a number" : fmt::format("{} numbers", names.size());
  std::vector<std::string> shown(names.begin(),
                                 names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size())));
  if (names.size() > kShown) shown.push_back("...");
  return fmt::format("{}, {} of: {}", datasets::target_kind_name(targets.kind()), names.size(), join(shown, ", "));
}

// The target a person most likely means.
std::string first_target(const datasets::Dataset& dataset) {
  for (const std::string name : {"label", "labels", "votes"})
    if (dataset.targets.contains(name)) return name;
  if (dataset.targets.empty())
    throw Error(ErrorKind::input, fmt::format("{}: no labels were found", dataset.name),
                "name its column (--label-column), put images into a folder for each class, or write a table: "
                "docs/formats/manifest.md");
  return dataset.targets.begin()->first;
}

// The path that is written into the file.
Path data_as_seen_from(const Path& data, const Path& file) {
  const Path target = std::filesystem::absolute(data).lexically_normal();
  const Path folder = std::filesystem::absolute(file).lexically_normal().parent_path();
  const Path relative = target.lexically_relative(folder);
  // Relative only where the data is below the file's folder, so that both can be moved together.
  return relative.empty() || *relative.begin() == ".." ? target : relative;
}

// The line `split` for what the data have: their own split, groups, or neither, with the alternative as a comment.
std::string split_text(const datasets::Dataset& dataset) {
  std::vector<std::string> columns;
  for (const auto& [name, texts] : dataset.attributes) columns.push_back(name);
  std::string text;
  if (dataset.official) {
    text +=
        "# The data has its own split; where it lacks val, a share of train is taken.\n"
        "split: {kind: official, val_from_train: 0.2}\n";
  } else if (dataset.attributes.contains("group")) {
    text +=
        "# No group is in two parts, so that recognising a group doesn't help.\n"
        "split: {kind: grouped, group: group, shares: [0.6, 0.2, 0.2]}\n";
  } else {
    text +=
        "# Drawn from ids, labels and seed: the same on every machine. Also {kind: folds, folds: 5}.\n"
        "split: {kind: stratified, shares: [0.6, 0.2, 0.2]}\n";
  }
  if (!columns.empty())
    text += fmt::format("# Columns to group by, or for 'where: column=value': {}.\n", join(columns, ", "));
  return text;
}

// Which columns were asked for; where labels look like something else, what is to be decided.
std::string columns_text(const datasets::DataColumns& columns, const datasets::Dataset& dataset) {
  std::vector<std::string> parts;
  for (const auto& [key, name] : {std::pair("path", columns.path), std::pair("label", columns.label),
                                  std::pair("split", columns.split), std::pair("kind", columns.kind)})
    if (!name.empty()) parts.push_back(fmt::format("{}: {}", key, quoted(name)));
  std::string text;
  const auto label = dataset.targets.find("label");
  if (label != dataset.targets.end() && columns.kind.empty())
    if (const auto doubt = datasets::doubt_about(label->second))
      text += fmt::format("# The labels {}. If that is meant, say so: columns: {{kind: classes}}, or kind: values.\n",
                          *doubt);
  return parts.empty() ? text : text + fmt::format("columns: {{{}}}\n", join(parts, ", "));
}

// Floors stand beside whatever is compared; alone they show that the task runs.
std::string backbones_text(const std::vector<std::string>& weights) {
  std::vector<std::string> names = weights;
  if (names.empty()) names.emplace_back("random-resnet18");
  names.emplace_back("colour-histogram");
  return fmt::format(
      "# {}. Others: vise-eval list backbones (vise-250m, imagenet-v1 ...),\n"
      "# or vise-eval backbone fetch NAME; yours is added on the command line: --backbone mine=run7.pth\n"
      "backbones: [{}]\nbaseline: {}\n",
      weights.empty() ? "No weights were found here, so these need none" : "Weights that were found here, and a floor",
      join(names, ", "), weights.empty() ? names.back() : weights.back());
}

}  // namespace

// Comments and alternatives are part of the text: the file is meant to be read and changed by a person.
std::string task_yaml(const datasets::Dataset& dataset, const Path& data, const Path& file,
                      const std::vector<std::string>& weights, const datasets::DataColumns& columns) {
  const std::string target = first_target(dataset);
  const datasets::Targets& targets = dataset.target(target);
  const bool values = targets.kind() == datasets::TargetKind::values;
  std::string text = "# A task of vise-eval: docs/formats/task.md has every key.\n";
  text += fmt::format("title: {}\n", quoted(dataset.name));
  text += fmt::format("# {} images.\ndata: {}\n", dataset.size(), quoted(data_as_seen_from(data, file).string()));
  text += columns_text(columns, dataset);
  text += "# What is predicted:\n";
  for (const auto& [name, column] : dataset.targets) text += fmt::format("#   {}: {}\n", name, describe(column));
  text += fmt::format("target: {}\n", quoted(target));
  text += fmt::format("# Also: {}.\nmetric: {}\n", join(probes::metric_names(targets.kind(), targets.width()), ", "),
                      probes::primary_metric(targets.kind()));
  text += split_text(dataset);
  text += fmt::format("# Also clip_logreg, dinov2_logreg, knn, vissl_svm_voc, vpt_linear, ridge.\nprotocol: {}\n",
                      values ? "ridge" : "logreg");
  text += backbones_text(weights);
  text +=
      "# Printed below the table.\ncitation: \"\"\nlicence: \"\"\nnotes: []\n"
      "# Tasks of a group run together: vise-eval run --include-path FOLDER --task mine\ngroups: [mine]\n";
  return text;
}

}  // namespace vise::experiments
