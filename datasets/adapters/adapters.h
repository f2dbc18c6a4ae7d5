// What adapters share: one short file a data set, each with one add_...() that registers it.
//
// An adapter's header comment says where the data comes from, its tree, classes, official splits, metric and known
// defects; its DatasetInfo says the same to the user. Facts and their sources: docs/datasets.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace vise {

void add_demo(DatasetRegistry& registry);
void add_emotion(DatasetRegistry& registry);
void add_politics(DatasetRegistry& registry);

// Images in class folders: root/<images>/<class>/<second>/.../<file>.
struct ClassTree {
  std::string images = "images";               // may be "" (classes at the top)
  std::vector<std::string> classes{};            // folders' names in lower case; another folder is Error{input}
  std::map<std::string, std::string> aliases{};  // further spellings of folders, in lower case -> class
  std::string second{};                          // attribute named after the folder below the class; "" for none
};

// Label "label", ids sorted bytewise. Error{missing} where there is no such tree. What isn't an image is told to the
// log.
Dataset read_class_tree(const DatasetRequest& request, const std::string& name, const ClassTree& tree);

// A warning and a note where `found` differs from what is known.
void expect_count(Dataset& dataset, Log& log, const std::string& what, std::size_t found, std::size_t known);

}  // namespace vise
