// JSON for large pages: the same values in a third of the bytes.
//
// packed() gives [keys, shared, root]. A scalar stands for itself; any other value is an array that begins with its
// kind: 0, items ...: an array; n > 0, values ...: an object with the keys of keys[n - 1]; -1, n, columns ...: an array
// of objects that all have the keys of keys[n], a list a key; -2, n: what shared[n] is. Doubles keep 8 significant
// digits, more than a page shows. html/unpack.js is the reverse.
#pragma once

#include "base/json.h"

namespace vise::reports {

Json packed(const Json& value);

}  // namespace vise::reports
