// `vise-eval extract`: features of a data set as .npy files.
#include "extract/export.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/session.h"
#include "experiments/task.h"

namespace vise::cli {
namespace {

struct ExtractVerbOptions {
  std::string data, task, backbone, out, engine = "onednn", precision = "fp32";
  std::vector<std::string> layers{"final"}, pools{"avg"}, include_paths;
};

Dataset open_dataset(const ExtractVerbOptions& options, Session& session) {
  if (options.data.empty() == options.task.empty())
    throw Error(ErrorKind::usage, "extract: one of --data PATH and --task NAME is needed");
  if (!options.data.empty()) return open_data_path(options.data, session.console);
  const TaskLibrary library({options.include_paths.begin(), options.include_paths.end()});
  return DatasetRegistry::instance().open(library.find(options.task).dataset, session.places.data_roots(),
                                          session.places.cache_dir(), session.console);
}

void extract_verb(const ExtractVerbOptions& options, Session& session) {
  FeatureRequest request{
      parse_backbone(options.backbone), parse_engine(options.engine), parse_precision(options.precision), {}};
  for (const std::string& layer : options.layers)
    for (const std::string& pool : options.pools) request.taps.push_back({layer, pool});
  const Dataset dataset = open_dataset(options, session);
  const std::vector<Features> all =
      extract_features(dataset, {request}, session.places.extract_options(), session.context());
  session.console.end_progress();
  for (const Features& features : all) {
    const Path folder =
        all.size() == 1 ? Path(options.out) : Path(options.out) / (features.tap.layer + "-" + features.tap.pool);
    export_features(dataset, features, folder);
    if (session.json)
      fmt::print("{}\n", Json({{"folder", folder.string()},
                               {"rows", dataset.size() - features.unreadable.size()},
                               {"dim", features.dim},
                               {"computed", features.computed},
                               {"key", features.key.str()},
                               {"seconds", features.seconds}})
                             .dump());
    else
      fmt::print("{}: {} rows of {} ({} computed, the rest known)\n", folder.string(),
                 dataset.size() - features.unreadable.size(), features.dim, features.computed);
  }
}

}  // namespace

void add_extract(Verbs& verbs) {
  auto options = std::make_shared<ExtractVerbOptions>();
  Session& session = verbs.session;
  CLI::App* verb =
      verbs.add("extract", "write pooled features as features.npy, manifest.csv and features.json",
                "  vise-eval extract --data photos/ --backbone imagenet-v1 --out features/\n"
                "  vise-eval extract --task emotion --backbone mine=run7.pth --layer layer3,layer4 --out features/",
                [options, &session] { extract_verb(*options, session); });
  verb->add_option("--data", options->data, "a folder or a manifest")->type_name("PATH");
  verb->add_option("--task", options->task, "or a task's data set")->type_name("T");
  verb->add_option("--backbone", options->backbone, "a registry name or NAME=FILE[,arch=A][,transform=T]")
      ->type_name("B")
      ->required();
  verb->add_option("--out", options->out, "the folder to write")->type_name("DIR")->required();
  verb->add_option("--layer", options->layers, "layer1 to layer4; final: the network's last [final]")
      ->type_name("L")
      ->delimiter(',');
  verb->add_option("--pool", options->pools, "avg, max, gem:P [avg]")->type_name("P")->delimiter(',');
  verb->add_option("--engine", options->engine, "onednn or torch [onednn]")->type_name("E");
  verb->add_option("--precision", options->precision, "fp32, or bf16 where the CPU has it [fp32]")->type_name("P");
  verb->add_option("--include-path", options->include_paths, "a folder of task files of your own")->type_name("DIR");
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace vise::cli
