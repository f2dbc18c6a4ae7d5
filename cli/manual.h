// The manual page, for man(1): every verb and option in the words of --help, and what no option says (environment,
// files).
#pragma once

#include <string>

#include "cli/command.h"

namespace vise::cli {

// roff for the man macros; its source line is at most 80 bytes wide.
std::string manual(const Command& program);

}  // namespace vise::cli
