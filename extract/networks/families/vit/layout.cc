#include "extract/networks/families/vit/layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace vise::networks {
namespace {

// Told apart in this order: EVA-02's towers have what timm's have, and more.
std::vector<VitLayout> all_layouts() {
  std::vector<VitLayout> all;
  for (auto* const group :
       {clip_vit_layouts, transformers_vit_layouts, torchvision_vit_layouts, eva_vit_layouts, timm_vit_layouts})
    for (VitLayout& layout : group()) all.push_back(std::move(layout));
  return all;
}

}  // namespace

const std::vector<VitLayout>& vit_layouts() {
  static const std::vector<VitLayout> layouts = all_layouts();
  return layouts;
}

const VitLayout& vit_layout(std::string_view name) { return *std::ranges::find(vit_layouts(), name, &VitLayout::name); }

// Any of them is enough: a file that lacks one is then reported as lacking it, not as another kind.
bool has_any(const KeyIndex& keys, const std::string& prefix, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const std::string& name) { return keys.has(prefix, name); });
}

void say_by_layout(const VitLayout& layout, Facts& facts, std::string_view name, std::string_view value) {
  facts.say(name, value, fmt::format("the key layout ({})", layout.code));
}

// No rule is needed where the picture has the size that the table was made for.
std::optional<PositionRule> position_rule(Facts& facts) {
  if (!facts.knows("positions")) return std::nullopt;
  return facts.positions();
}

}  // namespace vise::networks
