// What the shapes of a file's tensors say of a ViT.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "extract/networks/families/vit/layout_keys.h"

// Steps, in which later ones need earlier ones: patches give the width, the ends of the network say which tokens it
// must have, tokens say which rows of the table are the grid's, and blocks give depth, hidden width and kind of MLP.
// What several tensors show is taken from any that is there, so that a file that lacks one is reported as lacking it.

namespace vise::networks {
namespace {

// Bounds on a stranger's sizes; published ones are far below.
constexpr std::int64_t kWidest = 65536, kLargestPatch = 256, kMostTokens = 1 << 20;

[[noreturn]] void refuse(const LayoutNames& names, const std::string& why) {
  throw Error(ErrorKind::input,
              fmt::format("{}: not a whole vision transformer of {}: {}", names.keys().checkpoint().path.string(),
                          names.layout().code, why),
              "weights are loaded strictly: backbone inspect shows what the file holds");
}

// By the names of vit.cc.
bool has(const LayoutNames& names, const std::string& name) { return names.find(names.file_key(name)) != nullptr; }
bool has_pair(const LayoutNames& names, const std::string& name) {
  return has(names, name + ".weight") || has(names, name + ".bias");
}

// Whether any block has it, by the file's key: what one block lacks is missing there, not absent from the network.
bool any_block_has(const LayoutNames& names, int depth, const std::vector<std::string>& keys) {
  for (int block = 0; block < depth; ++block)
    for (const std::string& key : keys)
      if (!key.empty() && names.find(names.block_key(block, key))) return true;
  return false;
}

// The same by vit.h's name.
bool any_block_has_pair(const LayoutNames& names, int depth, const std::string& name) {
  for (int block = 0; block < depth; ++block)
    if (has_pair(names, fmt::format("blocks.{}.{}", block, name))) return true;
  return false;
}

// A dimension of the first block's tensor that has it; 0 where none does.
int size_in_blocks(const LayoutNames& names, int depth, const std::string& name, std::size_t dimension) {
  for (int block = 0; block < depth; ++block) {
    const Tensor* const tensor = names.find(names.file_key(fmt::format("blocks.{}.{}", block, name)));
    if (tensor && dimension < tensor->shape.size())
      return static_cast<int>(std::clamp<std::int64_t>(tensor->shape[dimension], 0, kWidest));
  }
  return 0;
}

void read_patches(const LayoutNames& names, VitSpec& spec) {
  const std::string key = names.file_key("patch_embed.proj.weight");
  const Tensor* const tensor = names.find(key);
  if (!tensor) refuse(names, fmt::format("of its keys 1 missing ({}{})", names.prefix(), key));
  const std::vector<std::int64_t>& shape = tensor->shape;
  // Patches are squares of RGB.
  if (shape.size() != 4 || shape[1] != 3 || shape[2] != shape[3] || shape[2] < 1 || shape[2] > kLargestPatch ||
      shape[0] < 1 || shape[0] > kWidest)
    refuse(names, fmt::format("{}{} is {}, not width x 3 x patch x patch", names.prefix(), key, shape_text(shape)));
  spec.width = static_cast<int>(shape[0]);
  spec.patch = static_cast<int>(shape[2]);
  spec.patch_bias = !spec.pre_norm || has(names, "patch_embed.proj.bias");
}

// Rows and columns of a square table of `rows` places; 0 where it isn't square.
int square_side(std::int64_t rows) {
  const auto side =
      static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(std::max<std::int64_t>(rows, 0)))));
  return side * side == rows ? static_cast<int>(side) : 0;
}

void read_positions(const LayoutNames& names, VitSpec& spec) {
  const VitLayout& layout = names.layout();
  if (layout.positions.empty()) {
    spec.grid = 0;
    return;
  }
  const std::string key = names.file_key("pos_embed");
  const Tensor* const tensor = names.find(key);
  if (!tensor) return;  // of the usual size, and missing
  const std::size_t dimensions = tensor->shape.size();
  const std::int64_t rows = dimensions >= 2 ? tensor->shape[dimensions - 2] : 0;
  const int prefix = spec.class_token + spec.distillation_token;
  // Rows for class and distillation token come before the grid's. 197 is 1 + 14 x 14 and 196 is 14
  // x 14, so one of the two readings is a square and the other is not.
  int grid = layout.positions_of_prefix && rows < kMostTokens ? square_side(rows - prefix) : 0;
  if (grid == 0 && (layout.positions_without_prefix || !layout.positions_of_prefix)) grid = square_side(rows);
  if (grid == 0)
    refuse(names, fmt::format("{}{} is {}: no square grid of places{}", names.prefix(), key, shape_text(tensor->shape),
                              prefix > 0 ? fmt::format(" after {} of the tokens before them", prefix) : ""));
  spec.grid = grid;
}

// Which of the tokens before the grid's the network has.
void read_tokens(const LayoutNames& names, VitSpec& spec) {
  const VitLayout& layout = names.layout();
  const auto there = [&](const std::string& key) { return !key.empty() && names.find(layout.root + key); };
  // Without one there is something else to make a feature of.
  spec.class_token = !layout.class_token.empty() &&
                     (there(layout.class_token) || (spec.end != VitSpec::End::map && spec.end != VitSpec::End::mean));
  // DeiT's second head is there only where its token is.
  spec.distillation_token = there(layout.distillation_token) || has_pair(names, "head_dist");
  spec.registers = 0;
  if (there(layout.registers)) {
    const auto& shape = names.find(layout.root + layout.registers)->shape;
    const std::int64_t count = shape.size() >= 2 ? shape[shape.size() - 2] : 0;
    if (count < 1 || count > 1024)
      refuse(names, fmt::format("{}{}{} is {}: no registers", names.prefix(), layout.root, layout.registers,
                                shape_text(shape)));
    spec.registers = static_cast<int>(count);
  }
}

// From all blocks, not from the first: any of them may be damaged.
void read_blocks(const LayoutNames& names, VitSpec& spec) {
  const VitLayout& layout = names.layout();
  spec.depth = names.depth();
  spec.qkv_bias = any_block_has(names, spec.depth, layout.qkv_bias);
  spec.layer_scale = any_block_has(names, spec.depth, {names.in_block("ls1.gamma"), names.in_block("ls2.gamma")});
  spec.attention_norm = any_block_has_pair(names, spec.depth, "attn.norm");
  spec.mlp_norm = any_block_has_pair(names, spec.depth, "mlp.norm");
  spec.gated = !layout.gate.empty() && any_block_has(names, spec.depth, {layout.gate.front() + ".weight"});
  const int fc1 = size_in_blocks(names, spec.depth, "mlp.fc1.weight", 0);
  const int fc2 = size_in_blocks(names, spec.depth, "mlp.fc2.weight", 1);
  if (spec.gated) {
    for (int block = 0; block < spec.depth; ++block)
      if (const Tensor* const out = names.find(names.block_key(block, layout.gate_out + ".weight"));
          out && out->shape.size() == 2)
        spec.hidden = static_cast<int>(std::clamp<std::int64_t>(out->shape[1], 0, kWidest));
  } else {
    // timm's packed gate: fc1 has both halves.
    spec.gated = fc1 > 0 && fc1 == 2 * fc2;
    spec.hidden = spec.gated ? fc2 : fc1 > 0 ? fc1 : fc2;
  }
  if (spec.hidden < 1) refuse(names, "its MLPs have no channels");
}

}  // namespace

VitSpec read_vit_spec(const LayoutNames& names) {
  VitSpec spec;
  // No tensor's shape depends on the number of heads; family.cc asks or knows.
  spec.heads = 0;
  spec.pre_norm = has_pair(names, "norm_pre");
  read_patches(names, spec);
  if (has_pair(names, "fc_norm")) spec.end = VitSpec::End::mean;
  // Attention pooling by its MLP, its query or its norm.
  spec.map_hidden = static_cast<int>(std::clamp<std::int64_t>(
      names.keys().size(names.prefix(), names.file_key("attn_pool.mlp.fc1.weight"), 0), 0, kWidest));
  if (spec.map_hidden > 0 || has(names, "attn_pool.latent") || has_pair(names, "attn_pool.norm"))
    spec.end = VitSpec::End::map;
  // The usual ratio, where the tensor that would say it is missing.
  if (spec.end == VitSpec::End::map && spec.map_hidden == 0) spec.map_hidden = 4 * spec.width;
  read_tokens(names, spec);
  read_positions(names, spec);
  read_blocks(names, spec);
  return spec;
}

}  // namespace vise::networks
