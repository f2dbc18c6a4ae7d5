// What the folders of images say of them: their classes and their split.
//
//   <class>/**/<image>                  the first folder is the class
//   <part>/<class>/**/<image>           below train, val, test in any usual spelling (part_named): the official split
//   <class>/<part>/**/<image>           the same the other way round
//
// Folders that everything is in (images/...) are looked through. A guess is never silent: images outside what was
// recognised are unused, counted in `remarks`; and what could as well mean something else is listed there, or refused.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/split.h"

namespace vise::datasets {

struct FolderLayout {
  std::vector<std::string> labels;   // an item; "" where no folder names its class
  std::optional<Split> official;     // items outside its folders are unused
  std::vector<std::string> remarks;  // for a warning and a note each
};

// `ids` are sorted bytewise. `bare` are folders without an image (ImageTree::bare): those that stand where classes or
// parts of a split do are remarked on by name. Error{input} where one folder has a split's name and another, with the same classes in it,
// has not.
FolderLayout folder_layout(std::span<const std::string> ids, std::span<const std::string> bare = {});

}  // namespace vise::datasets
