// What the names of archives and of their members say.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"
#include "datasets/archives/archive.h"

namespace vise::datasets {

// "train" of "train-000012.tar", "train-00000-of-00004.tar.gz" or "train_3.zip"; "" of "000012.tar".
std::string shard_word(const Path& archive);

// "photos/" where every image of the archive is in a folder `name`; else "".
std::string own_folder(const ArchiveIndex& index, std::string_view name);

// Says what was left out of an archive, links as a warning.
void tell_leftovers(const ArchiveIndex& index, const Path& archive, Log& log);

}  // namespace vise::datasets
