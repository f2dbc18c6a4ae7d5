// ConvNeXts in checkpoints: the names that five codes give to the same tensors.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "extract/networks/families/convnext/convnext.h"
#include "extract/networks/families/families.h"
#include "extract/networks/renamed_keys.h"

// A layout is a table of rules from the names of convnext.cc to a file's (renamed_keys.h). find() looks for a key that
// each layout must have, Sizes asks the tensors for the network's sizes by the layout's own names, settle() says what
// its code fixes beside them, and load() builds the network from the renamed keys.

namespace vise::networks {
namespace {

using Projection = ConvNextSpec::Projection;

// torchvision/models/convnext.py, pytorch/vision 07a929e.
constexpr KeyRule kTorchvision[]{{"stem", "features.0"},
                                 {"stages.#.downsample", "features.#*2"},
                                 {"stages.#.blocks.#.conv_dw", "features.#*2+1.#.block.0"},
                                 {"stages.#.blocks.#.norm", "features.#*2+1.#.block.2"},
                                 {"stages.#.blocks.#.mlp.fc1", "features.#*2+1.#.block.3"},
                                 {"stages.#.blocks.#.mlp.fc2", "features.#*2+1.#.block.5"},
                                 {"stages.#.blocks.#.gamma", "features.#*2+1.#.layer_scale", {.after = 2}},
                                 {"head.norm", "classifier.0"}};

// models/convnext.py of facebookresearch/ConvNeXt and models/convnextv2.py of ConvNeXt-V2, as timm's
// checkpoint_filter_fn reads them (timm/models/convnext.py, aa4b585); dinov3/models/convnext.py, facebookresearch/
// dinov3 6876159.
constexpr KeyRule kAuthors[]{{"stem", "downsample_layers.0"},
                             {"stages.#.downsample", "downsample_layers.#"},
                             {"stages.#.blocks.#.conv_dw", "stages.#.#.dwconv"},
                             {"stages.#.blocks.#.norm", "stages.#.#.norm"},
                             {"stages.#.blocks.#.mlp.fc1", "stages.#.#.pwconv1"},
                             {"stages.#.blocks.#.mlp.fc2", "stages.#.#.pwconv2"},
                             {"stages.#.blocks.#.mlp.grn.weight", "stages.#.#.grn.gamma", {.before = 3}},
                             {"stages.#.blocks.#.mlp.grn.bias", "stages.#.#.grn.beta", {.before = 3}},
                             {"stages.#.blocks.#.gamma", "stages.#.#.gamma"},
                             {"head.norm", "norm"}};

// timm/models/convnext.py, aa4b585: the names that are used here. Its atto to nano have 1 x 1 convolutions for linear
// layers (conv_mlp).
constexpr KeyRule kTimmConvolutions[]{
    {"stages.#.blocks.#.mlp.fc1.weight", "stages.#.blocks.#.mlp.fc1.weight", {.after = 2}},
    {"stages.#.blocks.#.mlp.fc2.weight", "stages.#.blocks.#.mlp.fc2.weight", {.after = 2}}};

// open_clip/timm_model.py, mlfoundations/open_clip 89fb801: the trunk is timm's, the head open_clip's.
constexpr KeyRule kOpenClip[]{
    {"head.norm", "trunk.head.norm"}, {"head", "head"}, {"stem", "trunk.stem"}, {"stages", "trunk.stages"}};

// transformers/models/convnext/modeling_convnext.py 00fea5d, convnextv2/modeling_convnextv2.py 032f339.
constexpr KeyRule kTransformers[]{{"stem.0", "embeddings.patch_embeddings"},
                                  {"stem.1", "embeddings.layernorm"},
                                  {"stages.#.downsample", "encoder.stages.#.downsampling_layer"},
                                  {"stages.#.blocks.#.conv_dw", "encoder.stages.#.layers.#.dwconv"},
                                  {"stages.#.blocks.#.norm", "encoder.stages.#.layers.#.layernorm"},
                                  {"stages.#.blocks.#.mlp.fc1", "encoder.stages.#.layers.#.pwconv1"},
                                  {"stages.#.blocks.#.mlp.fc2", "encoder.stages.#.layers.#.pwconv2"},
                                  {"stages.#.blocks.#.mlp.grn", "encoder.stages.#.layers.#.grn", {.before = 3}},
                                  {"stages.#.blocks.#.gamma", "encoder.stages.#.layers.#.layer_scale_parameter"},
                                  {"head.norm", "layernorm"}};

// transformers/models/dinov3_convnext/modeling_dinov3_convnext.py 004edfe.
constexpr KeyRule kTransformersDino[]{{"stem", "stages.0.downsample_layers"},
                                      {"stages.#.downsample", "stages.#.downsample_layers"},
                                      {"stages.#.blocks.#.conv_dw", "stages.#.layers.#.depthwise_conv"},
                                      {"stages.#.blocks.#.norm", "stages.#.layers.#.layer_norm"},
                                      {"stages.#.blocks.#.mlp.fc1", "stages.#.layers.#.pointwise_conv1"},
                                      {"stages.#.blocks.#.mlp.fc2", "stages.#.layers.#.pointwise_conv2"},
                                      {"stages.#.blocks.#.gamma", "stages.#.layers.#.gamma"},
                                      {"head.norm", "layer_norm"}};

// What the code whose layout it is fixes beside the tensors.
enum class Fixed {
  all,        // every layer norm 1e-6, exact GELU
  by_size,    // the same of the published sizes, whose table has xxlarge's own epsilon
  but_final,  // the last norm's epsilon is the config's: transformers' default is 1e-12, the authors' nets have 1e-6
};

struct Layout {
  std::string_view name;
  std::string_view marker;  // a key that tells it, the first block's
  std::string_view blocks;  // a stage's blocks are below; "#" is the stage
  std::span<const KeyRule> rules;
  Fixed fixed;
  std::string_view code;
};

// In the order in which places are looked for; at most one layout fits a place.
constexpr Layout kLayouts[]{
    {"torchvision", "features.1.0.layer_scale", "features.#*2+1.", kTorchvision, Fixed::all, "torchvision's code"},
    {"facebook", "stages.0.0.dwconv.weight", "stages.#.", kAuthors, Fixed::all, "the authors' code"},
    {"timm", "stages.0.blocks.0.conv_dw.weight", "stages.#.blocks.", {}, Fixed::by_size, "timm's code"},
    {"open_clip", "trunk.stages.0.blocks.0.conv_dw.weight", "trunk.stages.#.blocks.", kOpenClip, Fixed::by_size,
     "timm's code"},
    {"transformers", "encoder.stages.0.layers.0.dwconv.weight", "encoder.stages.#.layers.", kTransformers,
     Fixed::but_final, "transformers' code"},
    {"transformers-dinov3", "stages.0.layers.0.depthwise_conv.weight", "stages.#.layers.", kTransformersDino,
     Fixed::all, "transformers' default"}};

bool has_projection(const KeyIndex& keys, const std::string& prefix) {
  return keys.has(prefix, "head.proj.weight") || keys.has(prefix, "head.mlp.fc1.weight");
}

std::vector<Place> find(const KeyIndex& keys) {
  std::vector<Place> places;
  for (const Layout& layout : kLayouts)
    for (const std::string& prefix : keys.prefixes_before(layout.marker)) {
      // An open_clip tower's trunk has timm's marker too; it is a tower where its projection is beside it.
      const bool is_trunk = prefix.ends_with("trunk."), is_tower = layout.name == "open_clip";
      if (is_tower && !has_projection(keys, prefix)) continue;
      if (layout.name == "timm" && is_trunk && has_projection(keys, prefix.substr(0, prefix.size() - 6))) continue;
      places.push_back({prefix, std::string(layout.name)});
    }
  return places;
}

// The sizes of the network at a place, in the words of its layout.
// Sizes are read by the names of this family, which key() turns into the file's.
class Sizes {
 public:
  Sizes(const KeyIndex& keys, const Place& place, const Layout& layout) : keys_(keys), place_(place), layout_(layout) {}

  ConvNextSpec spec() const {
    ConvNextSpec spec;
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const std::string block = fmt::format("stages.{}.blocks.0.", stage);
      spec.depths[stage] = keys_.numbered(place_.prefix, file_key(blocks_rule(), fmt::format("{}", stage)).key);
      // Two tensors say the same number, so that a file that lacks one of them is reported as lacking it.
      spec.dims[stage] = std::max(size(block + "norm.weight", 0), size(block + "conv_dw.weight", 0));
    }
    spec.response_norm = has("stages.0.blocks.0.mlp.grn.weight");
    if (layout_.name == "open_clip") {
      const bool is_linear = has("head.proj.weight");
      const std::string last = is_linear ? "head.proj" : "head.mlp.fc2";
      spec.projection = is_linear ? Projection::linear : Projection::mlp;
      spec.embedding = size(last + ".weight", 0);
      spec.projection_bias = has(last + ".bias");
    }
    return spec;
  }

  // timm's small networks keep linear layers as 1 x 1 convolutions: the same values, with two edges of 1.
  bool has_convolutions() const {
    const Tensor* const weight = keys_.find(place_.prefix, key("stages.0.blocks.0.mlp.fc1.weight"));
    return weight && weight->shape.size() == 4;
  }

 private:
  std::string key(const std::string& name) const { return file_key(layout_.rules, name).key; }
  bool has(const std::string& name) const { return keys_.has(place_.prefix, key(name)); }
  int size(const std::string& name, std::size_t dimension) const {
    // Sizes are a stranger's. The bound keeps products of them below 2^63; a network that
    // large fails on its shapes anyway.
    return static_cast<int>(std::min<std::int64_t>(keys_.size(place_.prefix, key(name), dimension), 1 << 16));
  }
  std::vector<KeyRule> blocks_rule() const { return {{"#", layout_.blocks}}; }

  const KeyIndex& keys_;
  const Place& place_;
  const Layout& layout_;
};

// A stage without a block or a width can't be built, not even to list what is missing.
ConvNextSpec detect(const KeyIndex& keys, const Place& place, const Sizes& sizes) {
  ConvNextSpec spec = sizes.spec();
  for (std::size_t stage = 0; stage < 4; ++stage)
    if (spec.depths[stage] == 0 || spec.dims[stage] == 0)
      throw Error(ErrorKind::input,
                  fmt::format("{}: the ConvNeXt below '{}' has no stage {}", keys.checkpoint().path.string(),
                              place.prefix, stage + 1),
                  "a ConvNeXt has four stages: backbone inspect lists what the file holds");
  spec.name = convnext_name(spec);
  return spec;
}

// Says what the layout's code fixes, and asks for the rest.
void settle(ConvNextSpec& spec, const Layout& layout, Facts& facts) {
  const auto& specs = convnext_specs();
  const auto published = std::ranges::find(specs, spec.name, &ConvNextSpec::name);
  const std::string source = fmt::format("the key layout ({})", layout.code);
  // Of a size that nobody published timm's code fixes nothing that could be known: it is asked for.
  if (layout.fixed != Fixed::by_size || published != specs.end()) {
    const bool own_eps = layout.fixed == Fixed::by_size && published->eps != ConvNextSpec().eps;
    facts.say("act", "exact", source);
    facts.say("eps", own_eps ? "1e-5" : "1e-6", source);
  }
  spec.act = facts.activation("exact in every published ConvNeXt");
  spec.eps = facts.eps("1e-6 in every published ConvNeXt but xxlarge, which has 1e-5");
  const bool asks = layout.fixed == Fixed::but_final || facts.knows("final-eps");
  spec.final_eps = asks ? facts.final_eps("1e-12 in the configs of facebook's ConvNeXts") : spec.eps;
}

// DINOv3's module keeps its last norm in a list too, so that its files hold it twice.
void drop_second_norm(KeyMatcher& keys) {
  for (const std::string leaf : {"weight", "bias"}) {
    const Tensor *const second = keys.find("norms.3." + leaf), *const first = keys.find("norm." + leaf);
    if (!second || !first) continue;
    keys.drop("norms.3." + leaf, "second name of norm");
    const bool comparable = second->shape == first->shape && is_floating(second->dtype) && is_floating(first->dtype);
    // Dropped only where it is indeed the same: otherwise the file would hold two norms, and
    // which one its features had could not be known.
    if (!comparable || second->to_floats() != first->to_floats())
      keys.refuse(fmt::format("norms.3.{0} is not norm.{0}, whose second name it is", leaf));
  }
}

// Attention pooling and whatever else open_clip may put into a tower's head.
// They would be dropped as a classifier else, and the tower's own feature with them.
void refuse_other_heads(KeyMatcher& keys) {
  const std::string head = keys.prefix() + "head.";
  for (const NamedTensor& named : keys.index().checkpoint().tensors)
    if (named.name.starts_with(head) && !named.name.starts_with(head + "proj.") &&
        !named.name.starts_with(head + "mlp."))
      keys.refuse(named.name + " is of a head that is no projection");
}

Network load(KeyMatcher& keys, const Place& place, Facts& facts) {
  const Layout& layout = *std::ranges::find(kLayouts, place.layout, &Layout::name);
  const Sizes sizes(keys.index(), place, layout);
  ConvNextSpec spec = detect(keys.index(), place, sizes);
  settle(spec, layout, facts);
  if (layout.name == "facebook") drop_second_norm(keys);
  if (layout.name == "open_clip") refuse_other_heads(keys);
  const bool convolutions = layout.name == "timm" && sizes.has_convolutions();
  // timm's other networks have the names that are used here, and an empty table.
  RenamedKeys source(keys, convolutions ? std::span<const KeyRule>(kTimmConvolutions) : layout.rules);
  return build_convnext(spec, source);
}

Network build(std::string_view architecture, WeightSource& weights) {
  return build_convnext(convnext_spec(architecture), weights);
}

}  // namespace

Family convnext_family() {
  Family family{"convnext", {}, find, load, build};
  for (const ConvNextSpec& spec : convnext_specs()) family.architectures.push_back(spec.name);
  // Of open_clip's files: the text tower, and what both towers share.
  for (const char* key : {"transformer", "token_embedding", "positional_embedding", "ln_final", "text_projection",
                          "text", "logit_scale", "logit_bias"})
    family.beside.emplace_back(key, "CLIP's text encoder");
  return family;
}

}  // namespace vise::networks
