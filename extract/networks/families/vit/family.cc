// ViTs in checkpoints: where they are, in which layout, and what is asked about them.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "extract/networks/families/families.h"
#include "extract/networks/families/vit/layout_keys.h"

namespace vise::networks {
namespace {

constexpr int kMostHeads = 1024;

std::vector<Place> find(const KeyIndex& keys) {
  std::vector<Place> places;
  for (const VitLayout& layout : vit_layouts())
    // Either norm of the first block: of a file that lacks the other the message says what it lacks.
    for (const char* norm : {"blocks.0.norm1.weight", "blocks.0.norm2.weight"})
      for (const std::string& prefix : keys.prefixes_before(LayoutNames(layout, keys, "").file_key(norm))) {
        const bool is_known = std::ranges::find(places, prefix, &Place::prefix) != places.end();
        if (!is_known && layout.is(keys, prefix)) places.push_back({prefix, layout.name});
      }
  return places;
}

// From the layout or the file (rotary periods show it), from the user or a config, or the usual number for the width.
int heads_of(const VitSpec& spec, const KeyIndex& keys, Facts& facts) {
  const std::string path = keys.checkpoint().path.string();
  const int usual = spec.heads > 0 ? spec.heads : usual_vit_heads(spec.width);
  if (usual == 0 && !facts.knows("heads"))
    throw Error(ErrorKind::input,
                fmt::format("{}: its tensors do not say how many heads its attention has, and no published vision "
                            "transformer has {} channels",
                            path, spec.width),
                "say it: --backbone NAME=FILE,heads=12 (the code that trained it has the number)");
  const int heads = facts.heads(usual);
  const int channels =
      heads > 0 && heads <= kMostHeads ? 3 * spec.width % (3 * heads) == 0 ? spec.width / heads : 0 : 0;
  // Rotary positions turn pairs of channels, half of them by the row and half by the column.
  if (channels == 0 || (spec.rope && channels % 4 != 0))
    throw Error(ErrorKind::usage,
                fmt::format("{}: {} heads do not divide {} channels{}", path, heads, spec.width,
                            spec.rope ? " into such as rotary positions can turn" : ""),
                fmt::format("usual: heads={}", usual));
  return heads;
}

// Shapes first, then what the layout's code fixes, then the heads, which need both.
Network load(KeyMatcher& keys, const Place& place, Facts& facts) {
  const VitLayout& layout = vit_layout(place.layout);
  const LayoutNames names(layout, keys.index(), place.prefix);
  VitSpec spec = read_vit_spec(names);
  layout.complete(layout, keys.index(), place.prefix, spec, facts);
  spec.heads = heads_of(spec, keys.index(), facts);
  LayoutKeys source(keys, names, spec);
  Network network = build_vit(spec, source);
  source.drop_unused();
  return network;
}

Network build(std::string_view architecture, WeightSource& weights) {
  return build_vit(vit_spec(architecture), weights);
}

// By first component below the place's prefix, or after the usual wrappers elsewhere. The other tower of a CLIP, MAE's
// decoder and training heads are no part of the network.
std::vector<std::pair<std::string, std::string>> beside() {
  std::vector<std::pair<std::string, std::string>> rules;
  for (const char* key :
       {"transformer", "token_embedding", "positional_embedding", "ln_final", "text_projection", "logit_scale",
        "logit_bias", "input_resolution", "context_length", "vocab_size", "text", "text_model"})
    rules.emplace_back(key, "text encoder");
  for (const char* key : {"decoder_embed", "decoder_pos_embed", "decoder_blocks", "decoder_norm", "decoder_pred"})
    rules.emplace_back(key, "MAE's decoder");
  for (const char* key : {"head_dist", "pooler"}) rules.emplace_back(key, "classifier");
  for (const char* key : {"dino_head", "ibot_head"}) rules.emplace_back(key, "projection head");
  rules.emplace_back("mask_token", "mask token");
  rules.emplace_back("local_cls_norm", "DINOv3's norm of local crops");
  return rules;
}

}  // namespace

Family vit_family() { return {"vit", vit_architectures(), find, load, build, beside()}; }

}  // namespace vise::networks
