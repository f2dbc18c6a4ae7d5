// The front door of the containers' readers: a file or a folder in, its tensors out (state_dict.h).
#pragma once

#include "extract/networks/checkpoint/state_dict.h"

namespace vise::networks {

// A weights file, or a folder with weights in it (folder.h).
// Error{missing} without the file; Error{input} with a reason, and a hint where one helps ("this is an HTML page: the
// download went wrong"), for everything that isn't a whole, lawful checkpoint.
Checkpoint read_checkpoint(const Path& path, const ReadOptions& options = {});

}  // namespace vise::networks
