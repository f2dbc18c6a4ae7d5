#include "extract/networks/key_matcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

namespace vise {
namespace {

constexpr std::size_t kShown = 5;

// Components that wrap a network and say nothing about what it is.
constexpr std::array<std::string_view, 22> kWrappers{
    "state_dict", "model",          "model_state_dict", "model_state", "module",  "net",
    "network",    "teacher",        "student",          "backbone",    "encoder", "encoder_q",
    "encoder_k",  "base_encoder",   "momentum_encoder", "visual",      "trunk",   "resnet",
    "features",   "online_encoder", "target_encoder",   "_orig_mod"};

// What may stand beside a trunk, by the first component after the wrappers. docs/formats/checkpoints.md has the list.
constexpr std::pair<std::string_view, std::string_view> kRules[] = {{"fc", "classifier"},
                                                                    {"head", "classifier"},
                                                                    {"heads", "classifier"},
                                                                    {"classifier", "classifier"},
                                                                    {"linear", "classifier"},
                                                                    {"last_linear", "classifier"},
                                                                    {"projection_head", "projection head"},
                                                                    {"projector", "projection head"},
                                                                    {"projection", "projection head"},
                                                                    {"momentum_projector", "projection head"},
                                                                    {"mlp", "projection head"},
                                                                    {"predictor", "projection head"},
                                                                    {"prediction_head", "projection head"},
                                                                    {"bn", "projection head"},
                                                                    {"prototypes", "prototypes"},
                                                                    {"queue", "MoCo's queue"},
                                                                    {"queue_ptr", "MoCo's queue"},
                                                                    {"center", "DINO's centre"},
                                                                    {"dino_loss", "DINO's centre"},
                                                                    {"optimizer", "training state"},
                                                                    {"optimizer_state_dict", "training state"},
                                                                    {"optim", "training state"},
                                                                    {"scheduler", "training state"},
                                                                    {"lr_scheduler", "training state"},
                                                                    {"scaler", "training state"},
                                                                    {"fp16_scaler", "training state"},
                                                                    {"amp", "training state"},
                                                                    {"rng_state", "training state"},
                                                                    {"epoch", "training state"},
                                                                    {"iteration", "training state"},
                                                                    {"loss", "training state"},
                                                                    {"best_acc1", "training state"},
                                                                    {"best_acc", "training state"},
                                                                    {"best_prec1", "training state"}};

bool is_wrapper(std::string_view component) {
  return std::find(kWrappers.begin(), kWrappers.end(), component) != kWrappers.end();
}

// Without an early exit, so that the loop is vectorised.
bool all_finite(const std::vector<float>& values) {
  bool finite = true;
  for (const float value : values) finite &= (std::bit_cast<std::uint32_t>(value) & 0x7F800000) != 0x7F800000;
  return finite;
}

std::string first_few(const std::vector<std::string>& items) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i) shown.push_back(printable(items[i].substr(0, 200)));
  return join(shown, ", ") + (items.size() > kShown ? ", ..." : "");
}

}  // namespace

KeyMatcher::KeyMatcher(const KeyIndex& keys, const Place& place, std::vector<Place> others)
    : index_(keys), prefix_(place.prefix), others_(std::move(others)) {
  std::set<std::string_view> seen;
  for (const NamedTensor& named : keys.checkpoint().tensors)
    if (named.name.starts_with(prefix_) && !seen.insert(named.name).second)
      throw Error(ErrorKind::input, fmt::format("{}: two tensors are called '{}'", keys.checkpoint().path.string(),
                                                printable(named.name.substr(0, 200))));
}

void KeyMatcher::skip(const std::string& key) {
  if (!find(key)) {
    absent_.push_back(key);
    return;
  }
  used_.insert(prefix_ + key);
  ++matched_;
}

void KeyMatcher::drop(const std::string& key, const std::string& rule) {
  if (find(key) && used_.insert(prefix_ + key).second) dropped_[rule].push_back(prefix_ + key);
}

Parameter KeyMatcher::take(const std::string& key, std::vector<std::int64_t> shape, Init init) {
  const std::vector<std::int64_t> file_shape = shape;
  return take(key, std::move(shape), init, file_shape);
}

Parameter KeyMatcher::take(const std::string& key, std::vector<std::int64_t> shape, Init init,
                           const std::vector<std::int64_t>& file_shape) {
  const Tensor* const tensor = find(key);
  if (!tensor) {
    missing_.push_back(prefix_ + key);
    return Parameter(std::move(shape));
  }
  used_.insert(prefix_ + key);
  ++matched_;
  // torch counts a batch norm's batches beside its variance; old files don't.
  if (init == Init::variance) skip(key.substr(0, key.rfind('.') + 1) + "num_batches_tracked");
  const auto wrong = [&](const std::string& why) {
    wrong_.push_back(fmt::format("{}{} {}", prefix_, key, why));
    return Parameter(shape);
  };
  if (tensor->shape != file_shape)
    return wrong(fmt::format("is {}, not {}", shape_text(tensor->shape), shape_text(file_shape)));
  if (!is_floating(tensor->dtype)) return wrong(fmt::format("holds {}", dtype_name(tensor->dtype)));
  std::vector<float> values = tensor->to_floats();
  if (!all_finite(values)) return wrong("holds NaN or infinity");
  if (init == Init::variance && std::any_of(values.begin(), values.end(), [](float v) { return v < 0; }))
    return wrong("is a variance and holds negative values");
  return {std::move(shape), std::move(values)};
}

std::string KeyMatcher::rule_for(const std::string& name, const std::map<std::string, std::string>& more) const {
  std::vector<std::string> parts;
  if (name.starts_with(prefix_)) {
    parts = split(name.substr(prefix_.size()), '.');
  } else {
    for (const Place& other : others_)
      if (name.starts_with(other.prefix)) return "other branch";
    parts = split(name, '.');
    const auto first = std::find_if_not(parts.begin(), parts.end(), is_wrapper);
    parts.erase(parts.begin(), first);
  }
  if (parts.empty()) return "";
  if (const auto found = more.find(parts[0]); found != more.end()) return found->second;
  for (const auto& [component, rule] : kRules)
    if (parts[0] == component) return std::string(rule);
  return "";
}

void KeyMatcher::sort_rest(const std::map<std::string, std::string>& more) {
  for (const NamedTensor& named : index_.checkpoint().tensors) {
    if (used_.contains(named.name)) continue;
    const std::string rule = rule_for(named.name, more);
    if (rule.empty())
      unexpected_.push_back(named.name);
    else
      dropped_[rule].push_back(named.name);
  }
}

std::vector<DroppedKeys> KeyMatcher::finish(const std::string& what, const std::map<std::string, std::string>& more) {
  sort_rest(more);
  std::vector<std::string> problems;
  if (!missing_.empty()) problems.push_back(fmt::format("{} missing ({})", missing_.size(), first_few(missing_)));
  if (!unexpected_.empty())
    problems.push_back(fmt::format("{} unexpected ({})", unexpected_.size(), first_few(unexpected_)));
  if (!wrong_.empty()) problems.push_back(fmt::format("{} wrong ({})", wrong_.size(), first_few(wrong_)));
  if (!problems.empty())
    throw Error(ErrorKind::input,
                fmt::format("{}: not a whole {}: of its keys {}", index_.checkpoint().path.string(), what,
                            join(problems, ", ")),
                "weights are loaded strictly: backbone inspect shows what the file holds");
  std::vector<DroppedKeys> result;
  for (auto& [rule, keys] : dropped_) result.push_back({rule, std::move(keys)});
  return result;
}

}  // namespace vise
