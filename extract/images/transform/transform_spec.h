// What a transform is set to, and its text: presets by name, and the settings' grammar (transform.h has it in words).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extract/images/transform/crop.h"
#include "extract/images/transform/filter.h"

namespace vise::images {

enum class ChannelOrder { rgb, bgr };

// The settings of a Transform.
struct TransformSpec {
  std::optional<std::uint32_t> resize;  // shorter edge
  std::optional<std::uint32_t> squash;  // both edges, after `resize`
  Filter filter = Filter::bilinear;
  std::optional<std::uint32_t> crop = 224;
  std::array<double, 3> mean{0, 0, 0}, std{1, 1, 1};
  std::optional<std::uint32_t> longest{};  // longer edge
  std::optional<std::uint32_t> pad{};      // both edges, with `fill` beside the picture
  std::array<std::uint8_t, 3> fill{0, 0, 0};
  CentreRule centre = CentreRule::nearest;
  ChannelOrder order = ChannelOrder::rgb;  // of normalise()'s planes; mean and std stay red, green, blue

  bool operator==(const TransformSpec&) const = default;
};

// A preset's name, settings, or a preset's name followed by settings. Error{usage} otherwise.
TransformSpec parse_transform_spec(std::string_view text);

// All settings in a fixed order; parse_transform_spec() of it gives `spec` back.
std::string settings_text(const TransformSpec& spec);

// The first preset with exactly these settings, "" if there is none.
std::string preset_name(const TransformSpec& spec);

// Names of the presets, for lists and suggestions.
std::vector<std::string> transform_names();
// Of the settings: "resize", "crop" ...
const std::vector<std::string>& transform_setting_names();

}  // namespace vise::images
