// What can turn an image into features, and everything a table must say about it.
//
//   const Backbone mine = parse_backbone("mine=run7.pth,arch=resnet50,transform=imagenet");
//   const Backbone vise = parse_backbone("vise-250m");               // a registry name
//   const FoundWeights weights = find_weights(vise, search, cache, context);
//
// The registry's rows and their sources stand in backbone_registry.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "extract/features/floor.h"
#include "extract/features/path_cache.h"
#include "extract/networks/load.h"

namespace vise {

enum class BackboneKind {
  weights,        // a network read from a file
  random,         // a network with seeded random weights: the floor of architecture alone
  image_function  // no network: numbers straight from a file and its pixels
};

// A backbone without a network: a floor, or a feature of a user's own.
struct ImageFunction {
  Json key;             // what its numbers depend on; part of their key in the store, so change it when they change
  std::size_t dim = 0;  // how many numbers an image has
  // `dim` numbers. Called from several threads at once. An Error ends the run.
  std::function<std::vector<float>(const DecodedFile&)> compute;
};

// A plain value.
struct Backbone {
  std::string name;  // as the command line has it; the table's row
  std::string title;
  BackboneKind kind = BackboneKind::weights;
  std::string architecture;  // "resnet50"; empty: as the tensors' shapes say
  std::string transform = "imagenet";
  std::string layer = "default", pool = "default";  // what its authors probe; "default": the network's own
  std::vector<Fact> facts;                          // what its tensors don't say, and who says it
  std::string branch;  // of checkpoints with two encoders: "encoder_q", "teacher"; empty: the documented rule
  std::vector<std::string> drop;  // first components of further keys to leave out
  bool skip_foreign = false;      // read a pickle that holds other things than tensors, and pass over those
  Path key_map;                   // a file of renaming rules (networks/key_map.h)
  std::uint64_t seed = 0;         // random
  std::shared_ptr<const ImageFunction> function;  // image_function
  Path file;                                      // given on the command line; empty: looked for by `files`
  std::vector<std::string> files;                 // names people have it under, the preferred first
  std::vector<std::string> urls;  // urls[i] is where files[i] is fetched from; tried in order; none: not fetched
  std::string sha256, md5;        // of the published file, whole or first digits, where one is known
  std::string licence, citation;
  std::vector<std::string> notes;  // assumptions that a table's foot must say
};

// The one list of backbones with a name: those that ship with the program, in the order of the documentation, then what
// was added.
const std::vector<Backbone>& registry_backbones();
// A row more; at start, before anything reads the list. Error{usage} for a name that is taken.
void add_backbone(Backbone row);
std::vector<std::string> registry_backbone_names();

// A registry name, or NAME=FILE, each with options after commas: arch=A, transform=T (its settings may follow after
// commas), branch=B, drop=KEY (also several times), skip-foreign=yes, keys=FILE (a key map), seed=N. Error{usage} with
// the nearest name or option.
Backbone parse_backbone(std::string_view text);

// What loading its network is told.
LoadRequest load_request(const Backbone& backbone);

// Where weights are looked for, filled in by cli/ from options and environment.
struct WeightsSearch {
  std::vector<Path> folders;  // in order
  bool offline = false;
  std::string mirror{};  // replaces "https://<host>" of every URL when not empty
  Path into{};           // where fetched files go; one of the folders
  int patience = 30;     // seconds to wait for a server: download.h
};

struct FoundWeights {
  Path file;
  std::string sha256;              // of the whole file
  std::vector<std::string> notes;  // "resnet50-0676ba61.pth: its name says 0676ba61, its SHA-256 begins af69a416"
};

// Finds (or fetches) the file and its SHA-256, remembered by file identity in `known`. Error{missing} says what to put
// where, Error{system} that a folder can't be written. A hash that disagrees with the name is a note and a warning; of
// a file that was just fetched, Error{missing}.
FoundWeights find_weights(const Backbone& backbone, const WeightsSearch& search, PathCache& known,
                          const Context& context);

}  // namespace vise
