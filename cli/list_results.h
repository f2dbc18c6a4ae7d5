// `vise-eval list results [DIR]`: earlier runs below a folder.
#pragma once

#include <string>

#include "cli/session.h"

namespace vise::cli {

// Error{missing} for no such folder. A results.jsonl that can't be read is a line of its own, not the end.
void list_results(const std::string& folder, const Session& session);

}  // namespace vise::cli
