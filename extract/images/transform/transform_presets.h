// Names and text of transforms: the preset table and the settings' grammar (transform.h has it in words).
#pragma once

#include <string>
#include <string_view>

#include "extract/images/transform/transform.h"

namespace vise {

// A preset's name, settings, or a preset's name followed by settings. Error{usage} otherwise.
TransformSpec parse_transform_spec(std::string_view text);

// All settings in a fixed order; parse_transform_spec() of it gives `spec` back.
std::string settings_text(const TransformSpec& spec);

// The first preset with exactly these settings, "" if there is none.
std::string preset_name(const TransformSpec& spec);

}  // namespace vise
