#include "cli/gallery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "experiments/study.h"
#include "experiments/task_run.h"
#include "extract/features/attention_maps.h"
#include "extract/features/maps.h"
#include "extract/images/transform/transform.h"
#include "probes/parse_probe.h"
#include "probes/probe.h"
#include "reports/activation.h"
#include "reports/gallery.h"
#include "reports/overlay.h"
#include "reports/thumbnail.h"

// The gallery of a report: planned_tasks() opens the images of the runs again by their plans, thumbnails_of() reads
// those that the page shows, and for each section maps_of() draws class activation maps and attention_maps_of()
// attention, one network after the other. Whatever can't be shown is a warning, since the numbers don't depend on
// pictures; only an interruption ends it.

namespace vise::cli {
namespace {

// A task as a run planned it, with its images.
struct PlannedTask {
  experiments::RunRequest request;
  experiments::Task task;
  datasets::Dataset data;
  std::unordered_map<std::string, std::uint32_t> item_of_id;
};

// The request of the run's plan, with this machine's folders in front: pictures and weights may be elsewhere than when
// it ran.
experiments::RunRequest planned_request(const Path& plan, const Session& session) {
  experiments::RunRequest request = experiments::read_study(plan);
  const std::vector<Path> roots = session.places.data_roots(), weights = request.extract.weights.folders;
  request.data_roots.insert(request.data_roots.begin(), roots.begin(), roots.end());
  request.extract = session.places.extract_options();
  request.extract.on_bad_image = features::BadImagePolicy::skip;
  // A page must not start a download; a backbone whose weights are gone has no maps.
  request.extract.weights.offline = true;
  request.extract.weights.folders.insert(request.extract.weights.folders.end(), weights.begin(), weights.end());
  return experiments::resolved(request);
}

// By name; of two runs of one task the later counts.
std::map<std::string, PlannedTask> planned_tasks(const std::vector<Path>& runs, Session& session) {
  std::map<std::string, PlannedTask> tasks;
  for (const Path& folder : runs) {
    if (!std::filesystem::exists(folder / "plan.yaml")) continue;
    const experiments::RunRequest request = planned_request(folder / "plan.yaml", session);
    // A task whose data aren't here costs its pictures, not the others'.
    for (const experiments::Task& task : request.tasks) {
      try {
        PlannedTask planned{request, task, experiments::open_dataset(task, request, session.console), {}};
        for (std::uint32_t item = 0; item < planned.data.size(); ++item)
          planned.item_of_id.emplace(planned.data.ids[item], item);
        tasks.insert_or_assign(task.name, std::move(planned));
      } catch (const Error& e) {
        session.console.warn(fmt::format("{} has no gallery: {}", task.name, e.message()));
      }
    }
  }
  return tasks;
}

using Thumbnails = std::map<std::string, images::Image>;  // by id

// An image that is gone has no thumbnail, and the page says so.
Thumbnails thumbnails_of(const std::vector<std::string>& ids, const PlannedTask& planned, Session& session) {
  constexpr unsigned kSide = 96;
  std::vector<std::uint32_t> items;
  for (const std::string& id : ids) {
    if (const auto item = planned.item_of_id.find(id); item != planned.item_of_id.end())
      items.push_back(item->second);
    else
      session.console.warn(fmt::format("{}: is no longer in {}", id, planned.data.root.string()));
  }
  // Thumbnails of an archive's images are read in the archive's order.
  planned.data.sort_for_reading(items);
  Thumbnails thumbnails;
  for (const std::uint32_t item : items) {
    const std::string& id = planned.data.ids[item];
    try {
      thumbnails[id] = reports::thumbnail(planned.data.read(item), id, kSide);
    } catch (const Error& e) {
      session.console.warn(e.message());
    }
  }
  return thumbnails;
}

// The share of the middle square's edge that the network doesn't see on either side; nothing for transforms that change
// an image's proportions, whose maps could not be laid over a thumbnail.
std::optional<double> inset_of(const features::Backbone& backbone) {
  if (backbone.kind == features::BackboneKind::image_function) return std::nullopt;
  const images::TransformSpec spec = images::Transform::parse(backbone.transform).spec();
  // The map covers the crop, a middle square of the picture whose shorter side was resized;
  // only then is its place on a thumbnail known.
  if (!spec.resize || spec.squash || !spec.crop || *spec.crop > *spec.resize) return std::nullopt;
  return (1 - static_cast<double>(*spec.crop) / *spec.resize) / 2;
}

// One row of a section whose maps can be drawn, with the scores that they must add up to.
struct MappedRow {
  std::size_t row = 0;
  experiments::LinearWeights weights;
  experiments::SavedScores scores;
  std::unordered_map<std::string, std::size_t> place_of_id;
};

// Nothing for probes that aren't linear in averaged features; the gallery shows each row's first seed.
std::optional<MappedRow> mapped_row(const reports::Report& report, const reports::TableSection& section,
                                    std::size_t row) {
  // The first result of the row that was measured decides.
  for (const std::size_t i : section.rows[row].results) {
    const experiments::Result& result = report.table.results[i];
    if (!result.ok()) continue;
    // A class activation map (Zhou et al., CVPR 2016) splits a linear score of averaged features
    // into a sum over places, which needs exactly this.
    if (result.cell.pool != "avg" || result.target_kind != datasets::TargetKind::classes || result.scores_file.empty())
      return std::nullopt;
    auto weights = experiments::read_weights(report.runs(i), result);
    if (!weights) return std::nullopt;
    MappedRow mapped{row, std::move(*weights), experiments::read_scores(report.runs(i), result), {}};
    for (std::size_t at = 0; at < mapped.scores.ids.size(); ++at) mapped.place_of_id.emplace(mapped.scores.ids[at], at);
    return mapped;
  }
  return std::nullopt;
}

// Whether the map's mean is the score that the run saved: else the weights file or the image is another by now.
bool adds_up(const reports::ClassMap& map, const MappedRow& row, const std::string& id, int k) {
  // Maps are computed anew in float32 and in another order of sums than the run's scores.
  constexpr double kRounding = 1e-3;
  const probes::Scores& scores = row.scores.scores;
  const std::span<const double> saved =
      std::span(scores.values).subspan(row.place_of_id.at(id) * scores.columns, scores.columns);
  // Both are centred over classes, since what all classes share decides nothing.
  const double expected = reports::centred_score(saved, static_cast<std::size_t>(k));
  return std::fabs(map.score - expected) <= kRounding * std::max(1.0, std::fabs(expected));
}

// The rows of one network of a section, in one pass over the images.
class NetworkMaps {
 public:
  NetworkMaps(const PlannedTask& planned, const Thumbnails& thumbnails, const features::Backbone& backbone,
              const std::string& layer, Session& session)
      : planned_(planned), thumbnails_(thumbnails), context_(session.context()), inset_(inset_of(backbone)) {
    request_ = {backbone, planned.request.engine, planned.request.precision, {{layer, "avg"}}};
    request_.device = planned.request.device;
  }

  // Maps are computed for some images at a time, since those of all would not fit into memory.
  void add(const std::vector<MappedRow>& rows, const std::set<reports::MapKey>& wanted, reports::GalleryMaps& maps) {
    if (!inset_) throw Error(ErrorKind::input, "its transform changes an image's proportions");
    constexpr std::size_t kAtOnce = 32;  // 400 kB each with a ResNet-50
    std::set<std::uint32_t> distinct;
    for (const reports::MapKey& key : wanted)
      if (const auto item = planned_.item_of_id.find(std::get<1>(key)); item != planned_.item_of_id.end())
        distinct.insert(item->second);
    const std::vector<std::uint32_t> items(distinct.begin(), distinct.end());
    features::MapSource source(request_, planned_.request.extract, context_);
    for (std::size_t first = 0; first < items.size(); first += kAtOnce) {
      const auto some = std::span(items).subspan(first, std::min(kAtOnce, items.size() - first));
      for (const features::ImageMap& image : source(planned_.data, some)) add_image(image, rows, wanted, maps);
    }
  }

 private:
  void add_image(const features::ImageMap& image, const std::vector<MappedRow>& rows,
                 const std::set<reports::MapKey>& wanted, reports::GalleryMaps& maps) {
    const std::string& id = planned_.data.ids[image.item];
    const auto thumbnail = thumbnails_.find(id);
    if (thumbnail == thumbnails_.end()) return;
    // Every image serves all rows that share the network: it is the forward pass that costs.
    for (const MappedRow& row : rows)
      for (int k = 0; k < static_cast<int>(row.weights.classes); ++k) {
        const reports::MapKey key{row.row, id, k};
        // A map of one place (a layer behind global pooling) has nothing to show.
        if (!wanted.contains(key) || image.values.empty() || image.height * image.width == 1) continue;
        if (static_cast<std::size_t>(image.channels) != row.weights.dim)
          throw Error(ErrorKind::input, "the run's probe is of other features");
        const reports::ClassMap map =
            reports::class_map(image.values, image.height, image.width, row.weights, static_cast<std::size_t>(k));
        // Nobody should look at a map of a score that the table doesn't have.
        if (!adds_up(map, row, id, k))
          throw Error(
              ErrorKind::input,
              fmt::format("the map of {} does not add up to its saved score: the weights or the image changed", id));
        maps[key] = {reports::picture_uri(reports::overlay(thumbnail->second, map, *inset_)), map.score,
                     reports::strongest_place(map)};
      }
  }

  const PlannedTask& planned_;
  const Thumbnails& thumbnails_;
  const Context context_;
  std::optional<double> inset_;
  features::FeatureRequest request_;
};

// A network of the section's rows up to a layer, and the images whose attention is shown: those of its own rows, and
// those of the rows that are compared with them.
using WantedAttention = std::map<std::pair<std::string, std::string>, std::set<std::string>>;

WantedAttention wanted_attention(const reports::Report& report, std::size_t s) {
  const reports::TableSection& section = report.table.sections[s];
  WantedAttention wanted;
  for (const auto& [row, id, k] : reports::wanted_maps(section, report.evidence[s], reports::kGalleryImages)) {
    const experiments::Cell& cell = section.rows[row].cell;
    // Fine-tuning, the one probe that needs images, changed the network.
    if (!probes::parse_probe(cell.probe).info().needs_images) wanted[{cell.backbone, cell.layer}].insert(id);
  }
  return wanted;
}

// `shares`: how much attention each place gets, row-major. The least and the most give the legend; the sum says how
// much goes to the picture rather than to class and register tokens.
reports::AttentionPicture attention_picture(const images::Image& thumbnail, const features::AttentionMap& map,
                                            double inset, const std::vector<float>& shares) {
  const auto [least, most] = std::ranges::minmax(shares);
  return {reports::picture_uri(reports::overlay(thumbnail, shares, map.height, map.width, inset)), least, most,
          std::accumulate(shares.begin(), shares.end(), 0.0)};
}

reports::NetworkAttention attention_of(const PlannedTask& planned, const Thumbnails& thumbnails,
                                       const features::Backbone& backbone, const std::string& layer,
                                       const std::set<std::string>& ids, Session& session) {
  reports::NetworkAttention attention;
  const std::optional<double> inset = inset_of(backbone);
  if (!inset) {
    attention.none = fmt::format("The transform of {} changes an image's proportions: its attention is not laid over",
                                 backbone.name);
    return attention;
  }
  // The pool doesn't matter: attention is read before any.
  features::FeatureRequest request{backbone, planned.request.engine, planned.request.precision, {{layer, "default"}}};
  request.device = planned.request.device;
  std::optional<features::AttentionSource> source;
  try {
    source.emplace(request, planned.request.extract, session.context());
  } catch (const Error& e) {
    // A network without attention (usage) is no fault: the page says so where the picture would be.
    if (e.kind() != ErrorKind::usage) throw;
    attention.none = fmt::format("{}: {}", backbone.name, e.message());
    return attention;
  }
  std::vector<std::uint32_t> items;
  for (const std::string& id : ids)
    if (thumbnails.contains(id)) items.push_back(planned.item_of_id.at(id));
  for (const features::AttentionMap& map : (*source)(planned.data, items)) {
    // Images that couldn't be read have no map.
    if (map.rollout.empty()) continue;
    const std::string& id = planned.data.ids[map.item];
    const images::Image& under = thumbnails.at(id);
    attention.images[id] = {attention_picture(under, map, *inset, map.class_token),
                            attention_picture(under, map, *inset, map.rollout)};
  }
  return attention;
}

reports::GalleryAttention attention_maps_of(const reports::Report& report, std::size_t s, const PlannedTask& planned,
                                            const Thumbnails& thumbnails, Session& session) {
  reports::GalleryAttention all;
  const WantedAttention wanted = wanted_attention(report, s);
  for (const features::Backbone& backbone : planned.task.rows) {
    if (backbone.kind == features::BackboneKind::image_function) continue;
    for (const auto& [network, ids] : wanted) {
      if (network.first != backbone.name) continue;
      try {
        all[network] = attention_of(planned, thumbnails, backbone, network.second, ids, session);
      } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted) throw;
        session.console.warn(
            fmt::format("{}: no attention maps of {}: {}", report.table.sections[s].task, backbone.name, e.message()));
      }
    }
  }
  return all;
}

// Rows by their network and layer: what shares both is drawn in one pass.
reports::GalleryMaps maps_of(const reports::Report& report, std::size_t s, const PlannedTask& planned,
                             const Thumbnails& thumbnails, Session& session) {
  const reports::TableSection& section = report.table.sections[s];
  const std::set<reports::MapKey> wanted = reports::wanted_maps(section, report.evidence[s], reports::kGalleryImages);
  std::map<std::pair<std::string, std::string>, std::vector<MappedRow>> networks;
  for (std::size_t row = 0; row < section.rows.size(); ++row)
    if (auto mapped = mapped_row(report, section, row))
      networks[{section.rows[row].cell.backbone, section.rows[row].cell.layer}].push_back(std::move(*mapped));
  reports::GalleryMaps maps;
  for (const features::Backbone& backbone : planned.task.rows) {
    for (const auto& [network, rows] : networks) {
      if (network.first != backbone.name) continue;
      reports::GalleryMaps own;
      std::set<reports::MapKey> of_rows;
      for (const reports::MapKey& key : wanted)
        // Only what these rows want: another row's images would be passed through the network for nothing.
        if (std::ranges::find(rows, std::get<0>(key), &MappedRow::row) != rows.end()) of_rows.insert(key);
      try {
        NetworkMaps(planned, thumbnails, backbone, network.second, session).add(rows, of_rows, own);
        // Merged when all went well: a network has all of its maps or none.
        maps.merge(own);
      } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted) throw;
        session.console.warn(fmt::format("{}: no activation maps of {}: {}", section.task, backbone.name, e.message()));
      }
    }
  }
  return maps;
}

}  // namespace

void add_gallery(reports::Report& report, const std::vector<Path>& runs, Session& session) {
  const std::map<std::string, PlannedTask> tasks = planned_tasks(runs, session);
  // In the order of the report's sections, as thumbnails, maps and attention are.
  const std::vector<std::vector<std::string>> ids = reports::gallery_ids(report);
  report.thumbnails.resize(ids.size());
  report.maps.resize(ids.size());
  report.attention.resize(ids.size());
  for (std::size_t s = 0; s < ids.size(); ++s) {
    const auto planned = tasks.find(report.table.sections[s].task);
    if (planned == tasks.end()) continue;
    const Thumbnails thumbnails = thumbnails_of(ids[s], planned->second, session);
    for (const auto& [id, picture] : thumbnails) report.thumbnails[s][id] = reports::picture_uri(picture);
    report.maps[s] = maps_of(report, s, planned->second, thumbnails, session);
    report.attention[s] = attention_maps_of(report, s, planned->second, thumbnails, session);
  }
}

}  // namespace vise::cli
