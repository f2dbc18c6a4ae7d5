// A shard's share of a run: its items' rows under every backbone of every task, one pass over the images of each.
//
//   request.extract.into = folder;                         // and request.extract.cache: what is known already
//   const ShardRecord done = extract_shard(request, {3, 64}, plan_hash, context);
//
// Stopped or killed at any moment, the same call resumes at the last whole block.
#pragma once

#include <string>

#include "experiments/run_request.h"
#include "extract/features/shard.h"

namespace vise::experiments {

// Leaves shard.json in request.extract.into: at the start with what is to do, at the end as done. A task whose data are
// missing is passed over where others can be had, as run() does. Error{interrupted} after a stop; Error as run() for
// the rest.
features::ShardRecord extract_shard(const RunRequest& request, const features::Shard& shard,
                                    const std::string& plan_hash, const Context& context);

}  // namespace vise::experiments
