// Swins in checkpoints: the names that three codes give to the same tensors.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "extract/networks/families/families.h"
#include "extract/networks/families/swin/swin.h"
#include "extract/networks/renamed_keys.h"

// A layout is a table of rules from the names of swin.cc to a file's (renamed_keys.h). The sizes are in the tensors,
// and what the code fixes is the same in all three: nothing is left to be asked for.

namespace vise::networks {
namespace {

// torchvision/models/swin_transformer.py, pytorch/vision 005bb13.
constexpr KeyRule kTorchvision[]{{"patch_embed.proj", "features.0.0"},
                                 {"patch_embed.norm", "features.0.2"},
                                 {"layers.#.downsample", "features.#*2"},
                                 {"layers.#.blocks.#.mlp.fc1", "features.#*2+1.#.mlp.0"},
                                 {"layers.#.blocks.#.mlp.fc2", "features.#*2+1.#.mlp.3"},
                                 {"layers.#.blocks", "features.#*2+1"}};

// timm/models/swin_transformer.py, aa4b585, has the names that are used here. The authors' code (microsoft/
// Swin-Transformer) and timm's before 0.9 merge patches at a stage's end instead of at the next one's start
// (checkpoint_filter_fn there).
constexpr KeyRule kMergeAfter[]{{"layers.#.downsample", "layers.#-1.downsample"}};

struct Layout {
  std::string_view name;
  std::string_view marker;  // a key that tells it
  std::span<const KeyRule> rules;
  std::string_view code;
};

constexpr Layout kLayouts[]{
    {"torchvision", "features.1.0.attn.relative_position_bias_table", kTorchvision, "torchvision's code"},
    {"timm", "layers.0.blocks.0.attn.relative_position_bias_table", {}, "timm's code"},
    {"microsoft", "layers.0.blocks.0.attn.relative_position_bias_table", kMergeAfter, "the authors' code"}};

// By the bias table of the first block, which every Swin has.
std::vector<Place> find(const KeyIndex& keys) {
  std::vector<Place> places;
  for (const Layout& layout : kLayouts)
    for (const std::string& prefix : keys.prefixes_before(layout.marker)) {
      // Both codes have the marker; where the first stage's merging is kept tells them apart.
      const bool merges_after = keys.has(prefix, "layers.0.downsample.reduction.weight");
      if (layout.name == "timm" && merges_after) continue;
      if (layout.name == "microsoft" && !merges_after) continue;
      places.push_back({prefix, std::string(layout.name)});
    }
  return places;
}

const Layout& layout_of(const Place& place) { return *std::ranges::find(kLayouts, place.layout, &Layout::name); }

// By the name of swin.cc.
std::string table_of(std::size_t stage, int place) {
  return fmt::format("layers.{}.blocks.{}.attn.relative_position_bias_table", stage, place);
}

// Published windows are of 7 to 14 places a side; what grows with its fourth power is made for no more than this.
constexpr int kMaxWindow = 32;

// A table of (2 w - 1)^2 rows is a window's of w x w places; 0 of any other number.
int window_of(std::int64_t rows) {
  for (int window = 1; window <= kMaxWindow; ++window)
    if ((2 * window - 1) * (2 * window - 1) == rows) return window;
  return 0;
}

// The sizes of the network at a place. Error{input} where they are no Swin's.
SwinSpec detect(const KeyIndex& keys, const Place& place) {
  const auto key = [&](const std::string& name) { return file_key(layout_of(place).rules, name).key; };
  // At most 65536, so that products of a stranger's sizes stay in range.
  const auto size = [&](const std::string& name, std::size_t dimension) {
    return static_cast<int>(std::min<std::int64_t>(keys.size(place.prefix, key(name), dimension), 1 << 16));
  };
  SwinSpec spec;
  spec.dim = std::max(size("patch_embed.proj.weight", 0), size("patch_embed.norm.weight", 0));
  for (std::size_t stage = 0; stage < 4; ++stage) {
    spec.depths[stage] = keys.numbered(place.prefix, key(fmt::format("layers.{}.blocks", stage)) + ".");
    // Every block of a stage has a table; a later one tells as much where the first one's is missing.
    for (int i = std::min(spec.depths[stage], 2) - 1; i >= 0; --i)
      if (const Tensor* const table = keys.find(place.prefix, key(table_of(stage, i)));
          table && table->shape.size() == 2) {
        spec.windows[stage] = window_of(table->shape[0]);
        spec.heads[stage] = size(table_of(stage, i), 1);
      }
    if (spec.depths[stage] == 0 || spec.windows[stage] == 0 || spec.heads[stage] == 0 ||
        spec.channels(stage) % spec.heads[stage] != 0)
      throw Error(ErrorKind::input,
                  fmt::format("{}: the Swin below '{}' has no whole stage {}: {} blocks, {} channels, {} heads and a "
                              "window of {}, as its relative_position_bias_table says",
                              keys.checkpoint().path.string(), place.prefix, stage + 1, spec.depths[stage],
                              spec.channels(stage), spec.heads[stage], spec.windows[stage]),
                  "backbone inspect lists what the file holds");
  }
  spec.name = swin_name(spec);
  return spec;
}

// Which row of the bias table each pair of a window's places has; op.h's rule.
std::vector<float> table_rows(int window) {
  std::vector<float> rows;
  for (int query = 0; query < window * window; ++query)
    for (int key = 0; key < window * window; ++key)
      // Relative offsets run from -(w - 1) to w - 1 on each axis; shifted to 0 and read as
      // digits of base 2 w - 1 they number the table's rows. As floats, because that is what a
      // tensor is compared as; w <= 32 keeps them exact.
      rows.push_back(static_cast<float>((query / window - key / window + window - 1) * (2 * window - 1) +
                                        query % window - key % window + window - 1));
  return rows;
}

// Whether a file's table of rows is the one that its window's size gives.
bool holds(const Tensor& tensor, const std::vector<float>& rows) {
  const bool whole = tensor.dtype == DType::i64 || tensor.dtype == DType::i32;
  return whole && tensor.numel() == std::ssize(rows) && tensor.to_floats() == rows;
}

// Files keep what follows from the window's size: which row of the table a pair of places has, and the mask of the
// shifted windows at the training's size. Rows in another order would be another network.
void drop_buffers(KeyMatcher& keys, const Layout& layout, const SwinSpec& spec) {
  for (std::size_t stage = 0; stage < 4; ++stage) {
    const std::vector<float> rows = table_rows(spec.windows[stage]);
    for (int place = 0; place < spec.depths[stage]; ++place) {
      const std::string block = file_key(layout.rules, fmt::format("layers.{}.blocks.{}", stage, place)).key;
      const std::string index = block + ".attn.relative_position_index";
      if (const Tensor* const tensor = keys.find(index); tensor && !holds(*tensor, rows))
        keys.refuse(index + " is not the usual order of the bias table");
      keys.drop(index, "made from the window's size");
      keys.drop(block + ".attn_mask", "made from the window's size");
    }
  }
}

// The bias tables' order and the masks are checked and dropped: they are computed anew for any size of picture.
Network load(KeyMatcher& keys, const Place& place, Facts& facts) {
  const Layout& layout = layout_of(place);
  SwinSpec spec = detect(keys.index(), place);
  const std::string source = fmt::format("the key layout ({})", layout.code);
  facts.say("act", "exact", source);
  facts.say("eps", "1e-5", source);
  spec.act = facts.activation();
  spec.eps = facts.eps();
  drop_buffers(keys, layout, spec);
  RenamedKeys renamed(keys, layout.rules);
  return build_swin(spec, renamed);
}

Network build(std::string_view architecture, WeightSource& weights) {
  return build_swin(swin_spec(architecture), weights);
}

}  // namespace

Family swin_family() {
  Family family{"swin", {}, find, load, build};
  for (const SwinSpec& spec : swin_specs()) family.architectures.push_back(spec.name);
  return family;
}

}  // namespace vise::networks
