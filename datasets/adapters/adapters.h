// What adapters share: one short file a data set, each with one add_...() that registers it.
//
// An adapter's header comment says where the data comes from, its tree, classes, official splits, metric and known
// defects; its DatasetInfo says the same to the user. Facts and their sources: docs/datasets.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {

void add_abstract(DatasetRegistry& registry);
void add_artphoto(DatasetRegistry& registry);
void add_ava(DatasetRegistry& registry);
void add_bass(DatasetRegistry& registry);
void add_cub(DatasetRegistry& registry);
void add_demo(DatasetRegistry& registry);
void add_emoset(DatasetRegistry& registry);
void add_emotic(DatasetRegistry& registry);
void add_emotion(DatasetRegistry& registry);
void add_emotion6(DatasetRegistry& registry);
void add_emotion_6_panda(DatasetRegistry& registry);
void add_fer2013(DatasetRegistry& registry);
void add_fi(DatasetRegistry& registry);
void add_hateful_memes(DatasetRegistry& registry);
void add_intent(DatasetRegistry& registry);
void add_koniq(DatasetRegistry& registry);
void add_lamem(DatasetRegistry& registry);
void add_memotion(DatasetRegistry& registry);
void add_oasis(DatasetRegistry& registry);
void add_omi(DatasetRegistry& registry);
void add_politics(DatasetRegistry& registry);
void add_twitter(DatasetRegistry& registry);
void add_webemo(DatasetRegistry& registry);

// Images in class folders: root/<images>/<class>/<second>/.../<file>.
struct ClassTree {
  std::string images = "images";                 // may be "" (classes at the top)
  std::vector<std::string> classes{};            // folders' names in lower case; another folder is Error{input}
  std::map<std::string, std::string> aliases{};  // further spellings of folders, in lower case -> class
  std::string second{};                          // attribute named after the folder below the class; "" for none
};

// Label "label", ids sorted bytewise. Error{missing} where there is no such tree. What isn't an image is reported to
// the log.
Dataset read_class_tree(const DatasetRequest& request, const std::string& name, const ClassTree& tree);

// An empty data set of that name below the request's root.
Dataset new_dataset(const DatasetRequest& request, const std::string& name);

// A file's words, line by line; blank lines are left out. Error{missing} where the file isn't there, Error{input}
// naming the line for fewer than `at_least` words.
std::vector<std::vector<std::string>> blank_separated(const Path& path, std::size_t at_least);

// Drops the items whose image isn't below root/`below`, with a warning and a note that say how many and name one.
// Error{missing} where no image is left.
void drop_missing(Dataset& dataset, Log& log, const std::string& below);

// Drops images whose bytes occur ten times or more (what a host sends instead of a deleted picture), with a warning and
// a note. Reads only files that share their size with that many others.
void drop_placeholders(Dataset& dataset, Log& log);

// The numbers of a manifest's column, NaN where not known; Error{input} naming the table where it has none such.
std::span<const double> numbers_of(const Dataset& dataset, const std::string& column, const Path& table);

// The first of `folders` that exists below the root, or has an archive in its place; Error{missing} naming them all.
std::string existing_folder(const DatasetRequest& request, const std::vector<std::string>& folders);

// A warning and a note where `found` differs from what is known.
void expect_count(Dataset& dataset, Log& log, const std::string& what, std::size_t found, std::size_t known);

}  // namespace vise::datasets
