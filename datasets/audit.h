// What is wrong with a data set, as far as files and labels tell: the half of `vise-eval audit` that needs no pixels.
//
//   const Audit audit = audit_files(dataset, split, context);
//   audit.duplicates                     // groups of items with the same bytes, those across splits first
//
// Every file is read once (hashed, its first bytes compared with its name), on `context.threads` threads. What needs
// pixels, near-duplicates and undecodable images, is found in extract/ and joined by item number: `Audit` names items
// only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/log.h"
#include "datasets/dataset.h"

namespace vise {

struct ClassCount {
  std::string name;
  std::map<Part, std::size_t> items;  // of each part of the split
  std::size_t total = 0;
};

// Two class names so near that one may be a typo of the other ("joy", "jooy"): the rarer one first.
struct LabelTypo {
  std::string rare, common;
  std::size_t rare_items = 0, common_items = 0;
};

struct DuplicateGroup {
  std::vector<std::uint32_t> items;  // increasing, at least two
  bool across_parts = false;         // in more than one of train, val, test
  bool conflicting = false;          // with different labels
};

struct BadFile {
  std::uint32_t item = 0;
  std::string reason;  // "cannot open ...: No such file or directory", "is PNG by content, .jpg by name", "42 bytes"
};

struct Audit {
  std::vector<ClassCount> classes;  // in the target's order
  double imbalance = 1;             // the largest class over the smallest that isn't empty
  std::size_t unlabelled = 0;
  std::vector<LabelTypo> typos;
  std::vector<DuplicateGroup> duplicates;  // across parts first, then by first item
  std::vector<BadFile> unreadable, wrong_extension, tiny;
  std::vector<ContentHash> hashes;  // of every item's bytes; zeros where it couldn't be read
};

// The target "label" counts, if there is one. A file of fewer than 1,024 bytes is tiny.
Audit audit_files(const Dataset& dataset, const Split& split, const Context& context);

// The format that a file's first bytes show: "jpeg", "png", "gif", "webp", "bmp", "tiff", "pnm", or "" for none of
// these.
std::string_view sniff_image(ByteView first_bytes);

}  // namespace vise
