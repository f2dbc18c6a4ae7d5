// The files that one word names: shards as people write them.
//
//   data_files("laion/{00000..00123}.tar")            // a range of numbers in braces, with its zeros
//   data_files("data/{train,val}-*.tar")              // words in braces; '*' and '?' in the last name
//
// Sorted bytewise within a wildcard, in the order written between braces. A file whose own name has these letters in it
// is that file.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::datasets {

// Whether `word` is no file or folder itself but would stand for several.
bool is_file_pattern(const Path& word);

// `word` itself where it is there or is no pattern. Error{missing} where a pattern fits nothing, or a file of a range
// is not there, naming it; Error{usage} for a range that can't be read or has over a million numbers.
std::vector<Path> data_files(const Path& word);

// The files right in `folder` whose names end in one of `endings` (".tar", in any case), sorted bytewise; without junk
// names (tree.h). Error{missing} where it can't be listed.
std::vector<Path> files_ending_in(const Path& folder, std::span<const std::string_view> endings);
bool ends_in(std::string_view name, std::span<const std::string_view> endings);

}  // namespace vise::datasets
