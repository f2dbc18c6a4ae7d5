// What gets saved in a checkpoint's place, recognised by its first bytes: a web page, a Git LFS pointer, another
// framework's file.
#pragma once

#include "base/file.h"

namespace vise::networks {

// Error{input} if a file that begins like this (512 bytes tell) is known to be something else: "is a web page (an HTML
// page), not a checkpoint". Says nothing of other bytes.
void refuse_foreign(ByteView start);

}  // namespace vise::networks
