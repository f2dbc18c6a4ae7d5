// What is wrong with a data set, before anyone believes a number measured on it.
//
//   std::vector<PictureFacts> pictures(dataset.size());
//   Audit audit = audit_files(dataset, split, context, [&](auto item, auto bytes) { pictures[item] = ...; });
//   audit_pictures(dataset, split, pictures, context, audit);
//   audit.duplicates                     // groups of items with the same bytes or pixels, those across splits first
//
// Every file is read once (hashed, its first bytes compared with its name), on `context.threads` threads. Pixels are
// made in extract/images/fingerprint.h, which is handed each file's bytes on the way: `Audit` names items only.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/log.h"
#include "datasets/dataset.h"
#include "datasets/fingerprint.h"
#include "datasets/groups.h"
#include "datasets/label_check.h"
#include "datasets/neighbours.h"

namespace vise::datasets {

struct ClassCount {
  std::string name;
  std::map<Part, std::size_t> items;  // of each part of the split
  std::size_t total = 0;
};

struct DuplicateGroup {
  std::vector<std::uint32_t> items;  // increasing, at least two
  bool across_parts = false;         // in more than one of train, val, test
  bool conflicting = false;          // with different labels
  bool same_bytes = true;            // false: the same pixels in different files
};

// Two pictures that look the same and aren't: re-encoded, resized, slightly edited (fingerprint.h).
struct NearDuplicate {
  SimilarPair pair;
  bool across_parts = false, conflicting = false;
};

// Two pictures whose features point the same way, and that are neither equal nor alike by their pixels: crops, other
// colours, other shots of one scene. A hint to look, not a finding.
struct FeatureNeighbour {
  NeighbourPair pair;
  bool across_parts = false, conflicting = false;
};

// What was learnt from a picture's pixels.
struct PictureFacts {
  std::uint32_t width = 0, height = 0;
  ContentHash pixels;  // of the decoded RGB bytes
  Fingerprint print;
  std::string error;  // why it could not be decoded; then the rest means nothing
};

// Groups with items in several parts of the split, so that a probe may recognise the group.
struct GroupFinding {
  std::string by;  // "column 'group'", "names of files"
  GroupCount count;
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
  std::string label_doubt;                   // why the labels look like something else (label_check.h); "": they don't
  std::vector<DuplicateGroup> duplicates;    // across parts first, then by first item
  std::vector<NearDuplicate> similar;        // across parts first; the first items of duplicate groups stand for all
  std::vector<FeatureNeighbour> neighbours;  // across parts first, then the nearest
  std::string neighbours_by;                 // the backbone whose features were compared; empty: none
  std::vector<GroupFinding> groups;          // only those with straddling groups
  // `tiny`: few bytes or pixels; `blank`: one grey value all over, as placeholders are.
  std::vector<BadFile> unreadable, wrong_extension, tiny, blank;
  std::vector<ContentHash> hashes;  // of every item's bytes; zeros where it couldn't be read
};

// Called with every file's bytes, from several threads.
using LookAtFile = std::function<void(std::uint32_t item, ByteView bytes)>;

// Groups of the data set's attribute `group`, else those that only the names of files show.
std::vector<GroupFinding> audit_groups(const Dataset& dataset, const Split& split);

// Labels are those of `target` where it is one of classes (a target that isn't there: none). A file of fewer than 256
// bytes is tiny.
Audit audit_files(const Dataset& dataset, const Split& split, const Context& context, const LookAtFile& look = {},
                  const std::string& target = "label");

// Adds what the pixels show: what can't be decoded, tiny (an edge below 32) and blank pictures, equal pixels in
// different files, and near-duplicates. `pictures` holds one entry an item.
void audit_pictures(const Dataset& dataset, const Split& split, std::span<const PictureFacts> pictures,
                    const Context& context, Audit& audit, const std::string& target = "label");

// Adds pairs of items whose features are near (neighbour_pairs), found with the features of `backbone`. After
// audit_pictures(), whose pairs are left out.
void audit_features(const Dataset& dataset, const Split& split, std::span<const NeighbourPair> pairs,
                    const std::string& backbone, Audit& audit, const std::string& target = "label");

// Test items that a reader may want to leave out: unreadable, or the same as, or alike, an item of train or val, or of
// another label; increasing, with the reason.
std::vector<BadFile> flagged_test_items(const Audit& audit, const Dataset& dataset, const Split& split);

// Whether numbers measured on this data set are in doubt: unreadable images, labels that look like typos or like
// something else, duplicates across parts or with conflicting labels, groups across parts.
bool has_findings(const Audit& audit);

// The format that a file's first bytes show: "jpeg", "png", "gif", "webp", "bmp", "tiff", "pnm", or "" for none of
// these.
std::string_view format_by_content(ByteView first_bytes);

}  // namespace vise::datasets
