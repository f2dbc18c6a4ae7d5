// The published sizes of ViTs and their names.
//
// Sources: Dosovitskiy et al. 2021, table 1 (B, L, H); Touvron et al. 2021 (Ti, S); Zhai et al. 2022 and open_clip's
// model_configs (bigG); Alabdulmohsin et al. 2023 (So400m); Oquab et al. 2024 (DINOv2's g); Simeoni et al. 2025
// (DINOv3's S+, H+, 7B); Fang et al. 2023 (EVA-02).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/families/vit/vit.h"

namespace vise::networks {
namespace {

// hidden: channels between fc1 and fc2, of a gate those of one half.
struct Size {
  std::string_view name;
  int width, depth, heads, hidden;
  bool gated = false;
  bool eva = false;  // a gate, inner norms and rotary positions
};

constexpr std::array<Size, 14> kSizes{{{"vit-ti", 192, 12, 3, 768},
                                       {"vit-s", 384, 12, 6, 1536},
                                       {"vit-splus", 384, 12, 6, 1536, true},
                                       {"vit-b", 768, 12, 12, 3072},
                                       {"eva02-b", 768, 12, 12, 2048, true, true},
                                       {"vit-l", 1024, 24, 16, 4096},
                                       {"eva02-l", 1024, 24, 16, 2730, true, true},
                                       {"vit-so400m", 1152, 27, 16, 4304},
                                       {"vit-h", 1280, 32, 16, 5120},
                                       {"vit-hplus", 1280, 32, 20, 5120, true},
                                       {"vit-giant", 1408, 40, 16, 6144},
                                       {"vit-g", 1536, 40, 24, 4096, true},
                                       {"vit-bigg", 1664, 48, 16, 8192},
                                       {"vit-7b", 4096, 40, 32, 8192, true}}};

// What `arch=` and `random` may say. DINOv3's 7B is a name of files alone: a random one would take 27 GB.
constexpr std::array<std::string_view, 23> kNamed{
    "vit-ti16",     "vit-s32", "vit-s16",   "vit-s14",     "vit-s8",      "vit-splus16", "vit-b32",   "vit-b16",
    "vit-b14",      "vit-b8",  "eva02-b16", "vit-l32",     "vit-l16",     "vit-l14",     "eva02-l14", "vit-so400m16",
    "vit-so400m14", "vit-h16", "vit-h14",   "vit-hplus16", "vit-giant14", "vit-g14",     "vit-bigg14"};

// What EVA-02 adds is all three: a gate alone has DINOv2's giant, too.
bool is_eva(const VitSpec& spec) { return spec.gated && spec.mlp_norm && spec.rope; }

}  // namespace

int usual_vit_heads(int width) {
  // SigLIP's So400m; MAE's, open_clip's and torchvision's H; open_clip's g and bigG; DINOv3's 7B. (DINOv3's H+ has 20:
  // its file says so by its periods.)
  static constexpr std::array<std::pair<int, int>, 5> exceptions{
      {{1152, 16}, {1280, 16}, {1408, 16}, {1664, 16}, {4096, 32}}};
  for (const auto& [of, heads] : exceptions)
    if (width == of) return heads;
  // Heads of 64 channels: ViT's paper and nearly all since.
  return width % 64 == 0 ? width / 64 : 0;
}

// By size and patch: "vit-b16"; a size that nobody published is named by its numbers.
std::string vit_architecture(const VitSpec& spec) {
  // The hidden width is left out of the comparison: width, depth and kind of MLP tell
  // the published ones apart.
  for (const Size& size : kSizes)
    if (size.width == spec.width && size.depth == spec.depth && size.gated == spec.gated && size.eva == is_eva(spec))
      return fmt::format("{}{}", size.name, spec.patch);
  return fmt::format("{}-{}x{}-{}{}", is_eva(spec) ? "eva02" : "vit", spec.width, spec.depth, spec.patch,
                     spec.gated && !is_eva(spec) ? "-swiglu" : "");
}

std::vector<std::string> vit_architectures() { return {kNamed.begin(), kNamed.end()}; }

// For random networks and for `arch=`; the grid is that of 224 x 224 pixels.
VitSpec vit_spec(std::string_view architecture) {
  if (std::ranges::find(kNamed, architecture) == kNamed.end())
    throw Error(ErrorKind::usage, fmt::format("there is no architecture '{}'", architecture),
                suggest(architecture, vit_architectures()));
  const std::size_t digits = architecture.find_last_not_of("0123456789") + 1;
  const auto size = std::ranges::find(kSizes, architecture.substr(0, digits), &Size::name);
  std::int64_t patch = 0;
  parse_int(architecture.substr(digits), patch);
  VitSpec spec;
  spec.width = size->width;
  spec.depth = size->depth;
  spec.heads = size->heads;
  spec.hidden = size->hidden;
  spec.gated = size->gated;
  spec.patch = static_cast<int>(patch);
  spec.grid = 224 / spec.patch;
  if (size->eva) {
    spec.attention_norm = spec.mlp_norm = true;
    spec.rope = VitRope{Rope::Coordinate::cells, Rope::Pairing::pairs, 10000.0};
  }
  return spec;
}

}  // namespace vise::networks
