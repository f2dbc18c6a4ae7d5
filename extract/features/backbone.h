// What can turn an image into features, and everything a table must say about it.
//
//   const Backbone mine = parse_backbone("mine=run7.pth,arch=resnet50,transform=imagenet");
//   const Backbone vise = parse_backbone("vise-250m");               // a registry name
//   const FoundWeights weights = find_weights(vise, search, cache, context);
//
// The registry's rows of published models are data: backbones/*.yaml (backbone_rows.h).
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

namespace vise::features {

// Who says a fact or a transform, as it is printed.
inline constexpr std::string_view kUserSource = "the user", kRowSource = "the registry's row";

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
  std::string text;  // parse_backbone(text) is this; empty in the registry's rows
  std::string name;  // as the command line has it; the table's row
  std::string title;
  BackboneKind kind = BackboneKind::weights;
  std::string architecture;  // "resnet50"; empty: as the tensors' shapes say
  std::string transform = "imagenet";
  std::string transform_source;  // kUserSource, kRowSource, "preprocessor_config.json"; empty: nobody, so it is assumed
  std::string layer = "default", pool = "default";  // what its authors probe; "default": the network's own
  std::string probed;                               // who says of layer and pool that they are
  std::vector<networks::Fact> facts;  // what its tensors don't say, and who says it; the first of two is believed
  int side = 0;                       // height and width of the input; 0: the transform's own
  std::string branch;  // of checkpoints with two encoders: "encoder_q", "teacher"; empty: the documented rule
  std::vector<std::string> drop;  // first components of further keys to leave out
  bool skip_foreign = false;      // read a pickle that holds other things than tensors, and pass over those
  Path prototxt;                  // of a Caffe network's weights: the file that describes it
  Path key_map;                   // a file of renaming rules (networks/key_map.h)
  std::uint64_t seed = 0;         // random
  std::shared_ptr<const ImageFunction> function;  // image_function
  Path file;  // or a folder (networks/checkpoint/folder.h), given on the command line; empty: looked for by `files`
  // Names people have it under, the preferred first; "models--ORG--NAME" is a folder of the hub's cache.
  std::vector<std::string> files;
  std::vector<std::string> urls;  // urls[i] is where files[i] is fetched from; tried in order; none: not fetched
  std::string sha256, md5;        // of the published file, whole or first digits, where one is known
  std::string licence, citation;
  std::vector<std::string> notes;       // assumptions that a table's foot must say
  std::vector<std::string> unverified;  // what of the row nobody could check from its source
};

// The one list of backbones with a name: those that ship with the program, in the order of the documentation, then what
// was added.
const std::vector<Backbone>& registry_backbones();
// A row more; at start, before anything reads the list. Error{usage} for a name that is taken.
void add_backbone(Backbone row);
std::vector<std::string> registry_backbone_names();
// The row whose published file has this SHA-256, where its publisher states it whole; null if none has.
const Backbone* backbone_of_sha256(std::string_view sha256);

// A registry name, or NAME=FILE, each with options after commas: arch=A, transform=T (its settings may follow after
// commas), act=exact|tanh|quick and the other facts that tensors don't say (networks/facts.h), side=N (another
// input size: the row is called NAME@N), branch=B, drop=KEY (also several times), skip-foreign=yes, keys=FILE (a key
// map), prototxt=FILE (of Caffe weights), seed=N. FILE may be a folder. Error{usage} with the nearest name or option.
Backbone parse_backbone(std::string_view text);

// Each backbone once a side, as parse_backbone("<text>,side=N") gives it; floors, and those that name a side, as they
// are. Error{usage} for a side that is no input size.
std::vector<Backbone> with_sides(std::vector<Backbone> backbones, const std::vector<int>& sides);

// Everything of a row that people may want to know: what `backbone show --json` prints.
Json to_json(const Backbone& backbone);

// What its network is loaded with.
networks::LoadRequest load_request(const Backbone& backbone);

// Where weights are looked for, filled in by cli/ from options and environment.
struct WeightsSearch {
  std::vector<Path> folders;  // in order
  bool offline = false;
  std::string mirror{};      // replaces "https://<host>" of every URL when not empty
  Path into{};               // where fetched files go; one of the folders
  int patience = 30;         // seconds to wait for a server: download.h
  std::vector<Path> hubs{};  // caches of Hugging Face's hub, which hold models--ORG--NAME
};

struct FoundWeights {
  Path file;                        // or folder
  Path anchor;                      // the file, or one of the folder's: what PathCache may remember things by
  std::string sha256;               // of the whole file, or the folder's (networks/checkpoint/folder.h)
  std::vector<std::string> hashes;  // SHA-256 of each weights file
  std::vector<std::string> notes;   // "resnet50-0676ba61.pth: its name says 0676ba61, its SHA-256 begins af69a416"
};

// Finds (or fetches) the file and its SHA-256, remembered by file identity in `known`. Error{missing} says what to put
// where, Error{system} that a folder can't be written. A hash that disagrees with the name is a note and a warning; of
// a file that was just fetched, Error{missing}.
FoundWeights find_weights(const Backbone& backbone, const WeightsSearch& search, PathCache& known,
                          const Context& context);

// Where a backbone's weights would come from: nothing is fetched, opened or hashed. One of the three.
struct WeightsStatus {
  Path file{};                    // they are here
  std::string fetched_from{};     // they would be fetched, from here first
  std::string problem{}, hint{};  // they can't be had, and what to do about it
};
WeightsStatus weights_status(const Backbone& backbone, const WeightsSearch& search);

// Adds to the backbone what is known of the weights that were found: by the configs beside them (hub_config.h), and by
// the registry's row whose published hash they have, wherever they are stored and whatever they are called. Voices, the
// first believed: the user, the configs, that row, the row of the backbone's name. Layer and pool, and a transform, are
// taken where nobody nearer said one. Notes say what was learnt. Error{input} for a config that is none.
void learn_from_weights(Backbone& backbone, const FoundWeights& found);

}  // namespace vise::features
