#include "extract/networks/beside.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vise::networks {
namespace {

// MoCo's key encoder and BYOL's target are running averages of what is published; DINO evaluates the teacher.
constexpr BranchRule kBranches[] = {{"encoder_q", "encoder_k"},
                                    {"base_encoder", "momentum_encoder"},
                                    {"encoder", "momentum_encoder"},
                                    {"encoder", "encoder_momentum"},
                                    {"backbone", "momentum_backbone"},
                                    {"backbone", "backbone_momentum"},
                                    {"online_encoder", "target_encoder"},
                                    {"online_backbone", "target_backbone"},
                                    {"online_network", "target_network"},
                                    {"online_net", "target_net"},
                                    {"online", "target"},
                                    {"teacher", "student"}};

// Names that codes put around a network and that say nothing about what it is.
constexpr std::string_view kWrappers[] = {
    "state_dict",     "model",          "model_state_dict",  "model_state",     "module",          "net",
    "network",        "teacher",        "student",           "backbone",        "encoder",         "encoder_q",
    "encoder_k",      "base_encoder",   "momentum_encoder",  "visual",          "trunk",           "resnet",
    "features",       "online_encoder", "target_encoder",    "_orig_mod",       "learner",         "attacker",
    "online_network", "target_network", "momentum_backbone", "online_backbone", "target_backbone", "backbone_momentum",
    "online_net",     "target_net",     "lightning_module",  "base_model",      "image_encoder",   "img_encoder"};

// A mark of which copy a part is.
constexpr std::string_view kBefore[] = {"momentum_", "online_", "target_", "teacher_", "student_", "ema_"};
constexpr std::string_view kAfter[] = {"_momentum", "_online", "_target", "_teacher", "_student", "_ema"};

using Rule = std::pair<std::string_view, std::string_view>;

// What such a key means decides whether leaving it out is safe: heads and training state never reach a
// feature. A component that is not listed here is an error, so the list is short of nothing by accident.
constexpr Rule kAnywhere[] = {{"fc", "classifier"},
                              {"head", "classifier"},
                              {"heads", "classifier"},
                              {"classifier", "classifier"},
                              {"linear", "classifier"},
                              {"last_linear", "classifier"},
                              {"aux_classifier", "classifier"},
                              {"projection_head", "projection head"},
                              {"projector", "projection head"},
                              {"projection", "projection head"},
                              {"mlp", "projection head"},
                              {"predictor", "projection head"},
                              {"prediction_head", "projection head"},
                              {"projection_mlp", "projection head"},
                              {"prediction_mlp", "projection head"},
                              {"bn", "projection head"},
                              {"neck", "projection head"},
                              {"prototypes", "prototypes"},
                              {"queue", "MoCo's queue"},
                              {"queue_ptr", "MoCo's queue"},
                              {"memory_bank", "memory bank"},
                              {"contrast", "memory bank"},
                              {"center", "DINO's centre"},
                              {"dino_loss", "DINO's centre"},
                              {"decode_head", "another task's head"},
                              {"auxiliary_head", "another task's head"},
                              {"rpn_head", "another task's head"},
                              {"roi_head", "another task's head"},
                              {"normalize", "input normaliser (transform= says mean and deviation here)"},
                              {"normalizer", "input normaliser (transform= says mean and deviation here)"},
                              {"data_preprocessor", "input normaliser (transform= says mean and deviation here)"},
                              {"optimizer", "training state"},
                              {"optimizers", "training state"},
                              {"optimizer_states", "training state"},
                              {"optimizer_state_dict", "training state"},
                              {"optim", "training state"},
                              {"scheduler", "training state"},
                              {"lr_scheduler", "training state"},
                              {"lr_schedulers", "training state"},
                              {"param_schedulers", "training state"},
                              {"callbacks", "training state"},
                              {"loops", "training state"},
                              {"hyper_parameters", "training state"},
                              {"datamodule_hyper_parameters", "training state"},
                              {"message_hub", "training state"},
                              {"meta", "training state"},
                              {"scaler", "training state"},
                              {"fp16_scaler", "training state"},
                              {"amp", "training state"},
                              {"native_amp_scaling_state", "training state"},
                              {"rng_state", "training state"},
                              {"epoch", "training state"},
                              {"iteration", "training state"},
                              {"global_step", "training state"},
                              {"loss", "training state"},
                              {"criterion", "training state"},
                              {"best_acc1", "training state"},
                              {"best_acc", "training state"},
                              {"best_prec1", "training state"}};

// The other half of an image-text model. Below a network's place such a name is something else.
constexpr Rule kElsewhere[] = {{"transformer", "text encoder"},
                               {"token_embedding", "text encoder"},
                               {"positional_embedding", "text encoder"},
                               {"ln_final", "text encoder"},
                               {"text_projection", "text encoder"},
                               {"logit_scale", "text encoder"},
                               {"logit_bias", "text encoder"},
                               {"text", "text encoder"},
                               {"text_model", "text encoder"},
                               {"text_encoder", "text encoder"},
                               {"textual", "text encoder"}};

// The rule for a component, or "" where the table has none.
template <typename Table>
std::string_view look_up(const Table& table, std::string_view component) {
  const auto found = std::ranges::find(table, component, &Rule::first);
  return found == std::end(table) ? std::string_view() : found->second;
}

// "momentum_encoder" is the encoder of a copy, so its rule is the encoder's. Only one mark is taken off.
std::string_view without_copy_mark(std::string_view component) {
  for (const std::string_view mark : kBefore)
    if (component.starts_with(mark)) return component.substr(mark.size());
  for (const std::string_view mark : kAfter)
    if (component.ends_with(mark)) return component.substr(0, component.size() - mark.size());
  return component;
}

}  // namespace

std::span<const BranchRule> branch_rules() { return kBranches; }

bool is_wrapper(std::string_view component) { return std::ranges::find(kWrappers, component) != std::end(kWrappers); }

std::string_view rule_beside(std::span<const std::string> components, bool below_the_network) {
  // Wrappers are passed over: model.module.fc is fc.
  const auto first =
      below_the_network ? components.begin() : std::find_if_not(components.begin(), components.end(), is_wrapper);
  if (first == components.end()) return {};
  // Below the network's own place "transformer" is a part of it; beside it the same word is the text tower.
  if (!below_the_network)
    if (const std::string_view rule = look_up(kElsewhere, *first); !rule.empty()) return rule;
  const std::string_view rule = look_up(kAnywhere, *first);
  return rule.empty() ? look_up(kAnywhere, without_copy_mark(*first)) : rule;
}

// Whole components: "bn" is not part of "abn.bn1".
bool has_components(std::string_view name, std::string_view part) {
  return fmt::format(".{}.", name).find(fmt::format(".{}.", part)) != std::string::npos;
}

}  // namespace vise::networks
