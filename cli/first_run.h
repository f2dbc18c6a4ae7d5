// What `vise-eval` alone says on a terminal: what it is, what is found here, and what makes sense next.
#pragma once

#include <string>

#include "cli/session.h"

namespace vise::cli {

// Some lines of text. Looks at names of files alone, so that it comes at once: nothing is opened or hashed. The CPU's
// fastest precision is measured, in some 50 ms.
std::string first_run_text(const experiments::Places& places);

}  // namespace vise::cli
