// A folder as Hugging Face's tools leave a model: weights in one or several files, with configs beside them.
//
//   const ModelFolder folder = find_model_folder("models--openai--clip-vit-base-patch16");
//   const Checkpoint checkpoint = read_checkpoint(folder.root);          // all shards as one
//   folder.configs;                                                      // {"config.json", ...}: hub_config.h
//
// The folder may be
//
//   - the model's own: what `save_pretrained()`, `git clone` or `huggingface-cli download --local-dir` wrote;
//   - of the hub's cache: models--org--name/, whose refs/main names the revision (without it the one snapshot there
//   is),
//     or a snapshots/<revision>/ of it, whose files are links into blobs/.
//
// Of its weights the first of these is taken, and the others are passed over (`passed_over`): model.safetensors,
// model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json, open_clip_model.safetensors,
// open_clip_pytorch_model.bin. An index (JSON: `weight_map`, tensor -> file beside it) must name exactly the tensors
// that its shards hold, each where it is. docs/formats/checkpoints.md has the rules and the hash.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"

namespace vise::networks {

// A value. All names are of files that are in `root` itself.
struct ModelFolder {
  Path root;                         // of the hub's cache: the snapshot
  std::vector<std::string> weights;  // one, or an index's shards sorted by name
  std::string index;                 // "model.safetensors.index.json"; empty without one
  std::vector<std::string> configs;  // those there are of config.json, open_clip_config.json, preprocessor_config.json
  std::vector<std::string> passed_over;  // other files of the same weights

  // weights, index and configs, sorted: what the folder's hash is over.
  std::vector<std::string> files() const;
};

// Whether a file of that name is one of the weights that such a folder has: "model.safetensors", a shard of an index
// ("model-00001-of-00003.safetensors") not.
bool is_model_file_name(std::string_view name);

// Whether it is one: a directory with something in it that find_model_folder() could choose. Never throws.
bool is_model_folder(const Path& path);

// Error{missing} for a folder without weights or a snapshot, or a shard that isn't there; Error{input} for a cache with
// several snapshots and no refs/main, and for an index that is no lawful one.
ModelFolder find_model_folder(const Path& path);

// The folder's identity: SHA-256 over a line "<sha256>  <name>\n" for each of files(), which is what
//     LC_ALL=C sha256sum FILES... | sha256sum
// prints for the sorted names. `hash_of` gives a file's SHA-256 (where it isn't given: by reading it).
std::string model_folder_sha256(const ModelFolder& folder, const std::function<std::string(const Path&)>& hash_of = {});

// All tensors of the weights files as one checkpoint of container `folder`. Error{input} for a tensor that is in
// two files, for an index and shards that disagree, and for a blob of the hub's cache whose bytes aren't its name's.
Checkpoint read_model_folder(const Path& path, const ReadOptions& options);

// An index's `weight_map`, in order of tensors' names. Error{input} for anything but an object with it, for a tensor
// named twice, and for a file's name that leads anywhere else (a slash, "..").
struct ShardOfTensor {
  std::string tensor, file;
};
std::vector<ShardOfTensor> parse_weights_index(std::string_view json);

}  // namespace vise::networks
