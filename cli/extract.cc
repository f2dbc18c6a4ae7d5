// `vise-eval extract`: features of a data set as .npy files.
#include "extract/features/export.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/data.h"
#include "cli/session.h"
#include "datasets/data_columns.h"
#include "datasets/dataset_registry.h"
#include "datasets/open_data.h"
#include "datasets/sampling.h"
#include "experiments/launcher/shard_run.h"
#include "experiments/study.h"
#include "experiments/task.h"
#include "extract/features/maps.h"

namespace vise::cli {
namespace {

// As the options give them, with their defaults.
struct ExtractVerbOptions {
  std::string study, data, task, backbone, out, shard, into, engine, precision = "fp32", device = "cpu", views = "one",
                                                                     store = "fp32", save_maps;
  datasets::DataColumns columns;
  std::vector<std::string> layers{"default"}, pools{"default"}, include_paths;
  int side = 0;
};

// The data set alone: extraction needs neither labels nor a split, so open_data() isn't asked for them.
datasets::Dataset open_dataset(const ExtractVerbOptions& options, Session& session) {
  if (options.data.empty() == options.task.empty())
    throw Error(ErrorKind::usage, "extract: one of --data PATH and --task NAME is needed");
  check_columns(options.columns, !options.data.empty());
  if (!options.data.empty())
    return datasets::open_data_path(options.data, session.console, options.columns, session.places.cache_dir());
  const experiments::TaskLibrary library({options.include_paths.begin(), options.include_paths.end()});
  const experiments::Task task = one_task(library, options.task, session);
  if (task.dataset.empty())
    return datasets::open_data_path(task.data, session.console, task.columns, session.places.cache_dir());
  return datasets::DatasetRegistry::instance().open(task.dataset, session.places.data_roots(),
                                                    session.places.cache_dir(), session.console);
}

// A shard's items are a data set like any other: what follows doesn't know of shards.
datasets::Dataset shard_of(const datasets::Dataset& whole, const features::Shard& shard) {
  return datasets::subset(whole, shard.items(whole.size()));
}

// Rows of a shard, which has a cache of its own; reported on stdout and in its shard.json.
void print_shard(const features::ShardRecord& record, const std::string& into, Session& session) {
  std::size_t rows = 0;
  for (const auto& [key, of_key] : record.rows) rows += of_key;
  session.console.end_progress();
  if (session.json)
    fmt::print("{}\n", Json({{"folder", into}, {"shard", record.shard.str()}, {"rows", rows}}).dump());
  else
    fmt::print("{}: shard {} is done, {} rows\n", into, record.shard.str(), rows);
}

// Every row that a study needs of the shard's items.
void extract_study(const ExtractVerbOptions& options, Session& session) {
  if (options.shard.empty() || !options.out.empty() || !options.data.empty() || !options.task.empty() ||
      !options.backbone.empty())
    throw Error(ErrorKind::usage, "extract: of a study, --shard I/N and --into DIR are needed, and no --out",
                "vise-eval extract plan.yaml --shard 3/16 --into shards/3; the features of one backbone as files: "
                "extract --data PATH --backbone B --out DIR");
  const features::Shard shard = features::Shard::parse(options.shard);
  experiments::RunRequest request =
      experiments::read_study(options.study, {options.include_paths.begin(), options.include_paths.end()});
  session.places.add_to(request);
  if (options.into.empty())
    throw Error(ErrorKind::usage, "extract: a study's shard needs a store of its own", "--into shards/3");
  // Rows go to the shard's own store; --cache is only read, so many machines can share one.
  request.extract.into = options.into;
  const Context context = session.context();
  // The shard's record names the study's file by its SHA-256.
  print_shard(experiments::extract_shard(request, shard, sha256_hex(read_text_file(options.study)), context),
              options.into, session);
}

// Each layer with each pool is a tap; all of them come from one forward pass.
features::FeatureRequest request_of(const ExtractVerbOptions& options) {
  features::FeatureRequest request{
      .backbone = features::parse_backbone(options.side > 0 ? fmt::format("{},side={}", options.backbone, options.side)
                                                            : options.backbone),
      .precision = networks::parse_precision(options.precision),
      .taps = {},
      .views = images::parse_views(options.views),
      .storage = features::parse_storage(options.store),
      .device = networks::parse_device(options.device)};
  // The engine that suits the device unless one is named.
  if (!options.engine.empty()) request.engine = networks::parse_engine(options.engine);
  for (const std::string& layer : options.layers)
    for (const std::string& pool : options.pools) request.taps.push_back({layer, pool});
  return request;
}

// "all", or ids of the data set with commas between.
std::vector<std::uint32_t> items_of(const std::string& text, const datasets::Dataset& dataset) {
  if (text.empty()) return {};
  // Ids are looked up once: a list of a thousand ids in a set of a million images would take long otherwise.
  std::map<std::string, std::uint32_t> by_id;
  for (std::uint32_t item = 0; item < dataset.size(); ++item) by_id.emplace(dataset.ids[item], item);
  std::vector<std::uint32_t> items;
  if (text == "all")
    for (std::uint32_t item = 0; item < dataset.size(); ++item) items.push_back(item);
  else
    for (const std::string& id : split(text, ',')) {
      const auto found = by_id.find(id);
      if (found == by_id.end())
        throw Error(ErrorKind::usage, fmt::format("--save-maps: {} has no image '{}'", dataset.name, id),
                    suggest(id, dataset.ids) + "; or --save-maps all");
      items.push_back(found->second);
    }
  return items;
}

// Maps of the first tap, before pooling: one array N x C x H x W.
void save_all_maps(const ExtractVerbOptions& options, const features::FeatureRequest& request,
                   const datasets::Dataset& dataset, std::vector<std::uint32_t> items,
                   const features::Features& features, Session& session, const Context& context) {
  // Images without a row have no map either.
  std::erase_if(items, [&](std::uint32_t item) { return features.unreadable.contains(item); });
  const features::MapShape shape =
      features::save_maps(dataset, items, request, session.places.extract_options(), options.out, context);
  session.console.end_progress();
  session.console.info(fmt::format("{}: {} maps of {} x {} x {}", (Path(options.out) / "maps.npy").string(),
                                   items.size(), shape.channels, shape.height, shape.width));
}

// A study's shard, or the features of one backbone of a data set or of a shard of it.
void extract_verb(const ExtractVerbOptions& options, Session& session) {
  if (!options.study.empty()) return extract_study(options, session);
  if (options.backbone.empty()) throw Error(ErrorKind::usage, "extract: --backbone B is needed");
  if (!options.into.empty())
    throw Error(ErrorKind::usage, "extract: --into is for a study's shard",
                "of one backbone a shard's store is its --cache: extract --data PATH --backbone B --shard 3/16 --cache "
                "shards/3");
  // What can be refused without opening the data is refused first.
  const features::FeatureRequest request = request_of(options);
  if (options.out.empty() && options.shard.empty())
    throw Error(ErrorKind::usage, "extract: --out DIR is needed (only a --shard may stay in its cache)");
  if (options.out.empty() && !options.save_maps.empty())
    throw Error(ErrorKind::usage, "extract: --save-maps needs --out DIR, where the maps go");
  const datasets::Dataset whole = open_dataset(options, session);
  const datasets::Dataset dataset =
      options.shard.empty() ? whole : shard_of(whole, features::Shard::parse(options.shard));
  // Before hours of extraction: an unknown id is refused at once.
  const std::vector<std::uint32_t> of_maps = items_of(options.save_maps, dataset);
  const Context context = session.context();
  const std::vector<features::Features> all =
      features::extract_features(dataset, {request}, session.places.extract_options(), context);
  session.console.end_progress();
  for (const features::Features& features : all) {
    // Several layers or poolings are several arrays, each in a folder of its own.
    const Path tap = all.size() == 1 ? Path() : Path(features.tap.layer + "-" + features.tap.pool);
    // A shard without --out stays in its cache, from where `cache merge` takes it.
    const Path folder = options.out.empty() ? features.folder : Path(options.out) / tap;
    if (!options.out.empty()) features::export_features(dataset, features, folder);
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
  if (!options.save_maps.empty()) save_all_maps(options, request, dataset, of_maps, all.front(), session, context);
}

}  // namespace

void add_extract(Verbs& verbs) {
  auto options = std::make_shared<ExtractVerbOptions>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add(
      "extract", "write pooled features as features.npy, manifest.csv and features.json",
      "  vise-eval extract --data photos/ --backbone imagenet-v1 --out features/\n"
      "  vise-eval extract --task emotion --backbone mine=run7.pth --layer layer3,layer4 --out features/\n"
      "  vise-eval extract plan.yaml --shard 3/16 --into shards/3     # then: cache merge shards/*, run plan.yaml",
      [options, &session] { extract_verb(*options, session); });
  verb->add_option("study", options->study, "or a shard's share of what a study needs")->type_name("STUDY.yaml");
  verb->add_option("--data", options->data, "a folder or a manifest")->type_name("PATH");
  add_column_options(verb, options->columns);
  verb->add_option("--task", options->task, "or a task's data set")->type_name("T");
  verb->add_option("--backbone", options->backbone,
                   "a registry name or NAME=FILE[,transform=T][,act=A] ... (docs/your-backbone.md)")
      ->type_name("B");
  verb->add_option("--out", options->out, "the folder to write")->check(why_no_folder)->type_name("DIR");
  verb->add_option("--shard", options->shard, "only the I-th of N parts; joined by vise-eval cache merge")
      ->type_name("I/N");
  verb->add_option("--into", options->into, "of a study's shard: the cache for rows that --cache lacks")
      ->type_name("DIR");
  add_tap_options(verb, options->layers, options->pools);
  verb->add_option("--side", options->side, "another input size [the transform's own]")
      ->type_name("N")
      ->check(CLI::Range(16, 4096));
  add_compute_options(verb, options->engine, options->precision, options->device);
  verb->add_option("--views", options->views, "features averaged over views of a picture: one, hflip, tencrop [one]")
      ->type_name("{one,hflip,tencrop}");
  verb->add_option("--store", options->store, "how features are kept: fp32, or fp16 in half the room [fp32]")
      ->type_name("{fp32,fp16}");
  verb->add_option("--save-maps", options->save_maps,
                   "also maps.npy: the first --layer's map before pooling, of these images (ids, or all), as float16")
      ->type_name("ID,ID|all");
  verb->add_option("--include-path", options->include_paths, "a folder of task files of your own")->type_name("DIR");
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace vise::cli
