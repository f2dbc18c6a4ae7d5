#include "experiments/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"

namespace vise::experiments {
namespace {

// A JSON value as a person reads it: texts without quotes, nothing for null.
std::string text_of(const Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Collects what differs; equal values leave no trace.
class Comparison {
 public:
  void add(const std::string& what, const std::string& a, const std::string& b, const std::string& effect) {
    if (a != b) causes_.push_back({what, a, b, effect});
  }

  // A member of both objects.
  void add(const std::string& what, const Json& a, const Json& b, const std::string& key, const std::string& effect) {
    add(what, text_of(a.is_object() ? a.value(key, Json()) : Json()),
        text_of(b.is_object() ? b.value(key, Json()) : Json()), effect);
  }

  // Every member that either object has, nested ones by "outer.inner".
  void add_all(const std::string& what, const Json& a, const Json& b, const std::string& effect) {
    // Two versions may write different members; what one of them lacks differs from any value.
    std::map<std::string, std::string> left = flat(a), right = flat(b);
    std::set<std::string> keys;
    for (const auto& [key, value] : left) keys.insert(key);
    for (const auto& [key, value] : right) keys.insert(key);
    for (const std::string& key : keys) add(fmt::format("{}: {}", what, key), left[key], right[key], effect);
  }

  std::vector<Cause> take() { return std::move(causes_); }

 private:
  static std::map<std::string, std::string> flat(const Json& json) {
    std::map<std::string, std::string> parts;
    if (!json.is_object()) return parts;
    for (const auto& [key, value] : json.items()) {
      if (!value.is_object()) parts[key] = text_of(value);
      for (const auto& [inner, text] : flat(value)) parts[fmt::format("{}.{}", key, inner)] = text;
    }
    return parts;
  }

  std::vector<Cause> causes_;
};

std::string sample_text(const Cell& cell) {
  if (cell.shots > 0) return fmt::format("{} images a class", cell.shots);
  return cell.fraction < 1 ? fmt::format("{} % of train", number(100 * cell.fraction)) : "all of train";
}

// Nothing for a result that failed before it had a split.
std::string split_text(const Result& r) {
  if (r.split_hash.empty()) return {};
  return fmt::format("{} ({}...), test {} images", r.split_origin, r.split_hash.substr(0, 8), r.sizes.test);
}

std::string chosen_text(const probes::Selection& selection) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : selection.chosen) parts.push_back(fmt::format("{} = {}", name, number(value)));
  return join(parts, ", ");
}

Json member(const Json& json, const std::string& key) { return json.is_object() ? json.value(key, Json()) : Json(); }

// Causes in features, from the network to its input. The words on effects are orders of magnitude: they say where to
// look, not how much.
void compare_features(const Result& a, const Result& b, Comparison& out) {
  const Json &x = *a.features, &y = *b.features;
  // Two files may hold one network (a state dict with and without its head); the parameters'
  // hash tells that apart from another network.
  const bool known = !a.parameters.empty() && !b.parameters.empty(), same = known && a.parameters == b.parameters;
  out.add("weights (SHA-256)", x, y, "weights",
          same    ? "the same network in another file: its parameters are equal, and so are its features"
          : known ? "another network: the largest effect there is"
                  : "another file; whether of another network isn't known, since a result lacks the parameters' hash");
  if (known)
    out.add("parameters (SHA-256)", a.parameters, b.parameters, "another network: the largest effect there is");
  out.add("features given (SHA-256)", x, y, "given", "other features: the largest effect there is");
  out.add("branch of the checkpoint", x, y, "branch", "another network of the same file");
  out.add("architecture", x, y, "architecture", "another network");
  out.add("floor", x, y, "floor", "features without a network");
  out.add("layer", x, y, "layer", "earlier layers transfer otherwise; several points");
  out.add("pool", x, y, "pool", "another summary of the map; about a point");
  out.add("views", x, y, "views", "means over several crops: a fraction of a point");
  out.add_all("transform", member(x, "transform"), member(y, "transform"),
              "other pixels: size, crop, filter and normalisation are worth a fraction of a point to several");
}

void compare_task(const Result& a, const Result& b, Comparison& out) {
  out.add("task", a.cell.task, b.cell.task, "other data: the numbers can't be compared");
  out.add("target", a.cell.target, b.cell.target, "other labels: the numbers can't be compared");
  out.add("condition (--where)", a.cell.where, b.cell.where, "other test images");
  out.add("split", split_text(a), split_text(b), "other test images, or the same with other training images");
  out.add("trained on", sample_text(a.cell), sample_text(b.cell), "fewer labels: often many points");
  out.add("the sample of train", a.sample_hash, b.sample_hash, "other training images: the spread over seeds");
}

void compare_probe(const Result& a, const Result& b, Comparison& out) {
  out.add("probe", a.cell.probe, b.cell.probe, "another classifier or other options of it");
  out.add_all("probe", *a.probe_settings, *b.probe_settings, "another objective, grid or treatment");
  out.add("chosen on", a.selection.selected_on, b.selection.selected_on, "another selection");
  out.add("chosen", chosen_text(a.selection), chosen_text(b.selection), "follows from the above, or from val's noise");
  out.add("refitted on train + val", a.selection.refit_on_val ? "yes" : "no", b.selection.refit_on_val ? "yes" : "no",
          "more training images");
  out.add("converged", a.convergence.converged ? "yes" : "no", b.convergence.converged ? "yes" : "no",
          "an unfinished fit is another model");
  out.add("seed", std::to_string(a.cell.seed), std::to_string(b.cell.seed), "the spread over seeds");
}

// Last, as these usually move numbers least.
void compare_machine(const Result& a, const Result& b, Comparison& out) {
  out.add("precision", *a.features, *b.features, "precision",
          "bf16 moves features by 1 %; accuracies by tenths of a point");
  out.add("device", *a.features, *b.features, "device",
          "CUDA sums in another order: at most a few images change sides");
  out.add("storage", *a.features, *b.features, "storage", "float16 keeps 11 bits: at most a few images change sides");
  out.add("engine", *a.features, *b.features, "engine", "features agree to 1e-6: at most a few images change sides");
  out.add("numerics", *a.features, *b.features, "numerics", "a change of the engine's arithmetic, in the last digits");
  out.add("version of vise-eval", a.version, b.version, "see its list of changes");
}

std::string status_text(const Result& result) {
  const std::string_view name = status_name(result.status);
  return result.error.empty() ? std::string(name) : fmt::format("{}: {}", name, result.error);
}

}  // namespace

std::vector<Cause> explain(const Result& a, const Result& b) {
  Comparison out;
  out.add("status", status_text(a), status_text(b), "one of the two has no number");
  // In the order of what moves numbers most, which is the order in which a person should look.
  compare_features(a, b, out);
  compare_task(a, b, out);
  compare_probe(a, b, out);
  compare_machine(a, b, out);
  out.add("metric", a.primary_metric, b.primary_metric, "tables rank by another number");
  return out.take();
}

std::string cell_words(const Cell& cell) {
  std::string words =
      fmt::format("{}{}: {} {}", cell.task, cell.target == "label" ? "" : "/" + cell.target, cell.backbone, cell.probe);
  // A tap that a person would assume is left out of the words.
  static constexpr std::array<std::string_view, 3> kUsualLayers{"layer4", "attnpool", "output"};
  const bool usual_tap = (std::ranges::find(kUsualLayers, cell.layer) != kUsualLayers.end() && cell.pool == "avg") ||
                         cell.layer == "image";
  if (!usual_tap) words += fmt::format(", {}/{}", cell.layer, cell.pool);
  if (cell.shots > 0 || cell.fraction < 1) words += fmt::format(", {}", sample_text(cell));
  if (!cell.where.empty()) words += fmt::format(", where {}", cell.where);
  return words + fmt::format(", seed {}", cell.seed);
}

}  // namespace vise::experiments
