#include "extract/networks/checkpoint/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "extract/networks/checkpoint/readers.h"

// Steps: root_of() finds the folder that has the files, find_model_folder() chooses among its weights, and Merge reads
// each file as a container of its own, checks it against the index and the hub's name of it, and puts the tensors
// together.

namespace vise::networks {
namespace {

namespace fs = std::filesystem;

// In the order in which transformers looks for them, then open_clip's.
constexpr std::array<std::string_view, 6> kWeights{"model.safetensors",           "model.safetensors.index.json",
                                                   "pytorch_model.bin",           "pytorch_model.bin.index.json",
                                                   "open_clip_model.safetensors", "open_clip_pytorch_model.bin"};
constexpr std::array<std::string_view, 3> kConfigs{"config.json", "open_clip_config.json", "preprocessor_config.json"};
constexpr std::uint64_t kMaxIndex = 64'000'000, kMaxRef = 256;

bool is_file(const Path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool is_folder(const Path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// A revision is a name in snapshots/, so it must not lead elsewhere.
bool is_revision(std::string_view text) {
  return !text.empty() && !text.starts_with('.') && text.find_first_of("/\\") == std::string_view::npos;
}

// The revisions of a hub's cache, by name.
std::vector<Path> snapshots_of(const Path& cache) {
  std::vector<Path> found;
  std::error_code error;
  for (fs::directory_iterator it(cache / "snapshots", error), end; !error && it != end; it.increment(error))
    if (is_folder(it->path())) found.push_back(it->path());
  std::ranges::sort(found);
  return found;
}

// Where the files are: the folder itself, or the snapshot that the hub's cache means.
Path root_of(const Path& path) {
  // huggingface_hub's layout: models--ORG--NAME/{blobs, refs, snapshots/<revision>}, where
  // a snapshot's files are links into blobs/.
  if (!is_folder(path / "snapshots")) return path;
  if (is_file(path / "refs" / "main")) {
    const std::string text = read_text_file(path / "refs" / "main", kMaxRef);
    const std::string revision(trim(text));
    if (!is_revision(revision))
      throw Error(ErrorKind::input, fmt::format("{}: refs/main holds no revision's name", path.string()));
    if (!is_folder(path / "snapshots" / revision))
      throw Error(ErrorKind::missing,
                  fmt::format("{}: refs/main names the revision {}, of which there is no snapshot", path.string(),
                              printable(revision)),
                  "download the model again, or name the folder below snapshots/");
    return path / "snapshots" / revision;
  }
  const std::vector<Path> snapshots = snapshots_of(path);
  if (snapshots.empty())
    throw Error(ErrorKind::missing, fmt::format("{}: the hub's cache holds no snapshot", path.string()),
                "download the model: huggingface-cli download ORG/NAME");
  // Two revisions of a model may differ in their weights, and nothing in the cache says
  // which one somebody means.
  if (snapshots.size() > 1)
    throw Error(ErrorKind::input,
                fmt::format("{}: the hub's cache holds {} snapshots and no refs/main that chooses", path.string(),
                            snapshots.size()),
                "name one: " + snapshots.front().string());
  return snapshots.front();
}

// All names are listed: a folder with other names holds another kind of model, or half a download.
Error without_weights(const Path& root) {
  std::vector<std::string> names;
  for (const std::string_view name : kWeights) names.emplace_back(name);
  return {ErrorKind::missing, fmt::format("{}: is a folder without weights", root.string()),
          "it should hold one of " + join(names, ", ") + "; or name a weights file in it"};
}

// The names as the index has them; each must be there.
std::vector<std::string> shards_of(const Path& root, const std::vector<ShardOfTensor>& entries,
                                   const std::string& index) {
  std::vector<std::string> shards;
  for (const ShardOfTensor& entry : entries) shards.push_back(entry.file);
  std::ranges::sort(shards);
  shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
  for (const std::string& shard : shards)
    if (!is_file(root / shard))
      throw Error(ErrorKind::missing,
                  fmt::format("{}: {} names the shard {}, which isn't there", root.string(), index, printable(shard)),
                  "the download is not whole: get the model again");
  return shards;
}

std::vector<ShardOfTensor> read_index(const Path& path) {
  try {
    return parse_weights_index(read_text_file(path, kMaxIndex));
  } catch (const Error& e) {
    // read_text_file() has named the file already.
    if (e.message().starts_with(path.string())) throw;
    throw Error(e.kind(), fmt::format("{}: {}", path.string(), e.message()), e.hint());
  }
}

// The hub's cache names the blob of a large file after its SHA-256.
void check_blob_name(const Path& file, const std::string& sha256) {
  std::error_code error;
  const Path real = fs::canonical(file, error);
  if (error || real.parent_path().filename() != "blobs") return;
  const std::string name = real.filename().string();
  // Small files' blobs are named after their Git hash (SHA-1, 40 digits), which says
  // nothing about our SHA-256.
  if (name.size() != sha256.size() || name.find_first_not_of("0123456789abcdef") != std::string::npos) return;
  if (name != sha256)
    throw Error(
        ErrorKind::input,
        fmt::format("{}: is not what the hub's cache took it for: its blob is named {}..., its SHA-256 begins {}",
                    file.string(), name.substr(0, 16), sha256.substr(0, 16)),
        "the download went wrong: delete the blob and get the file again");
}

using HashOf = std::function<std::string(const Path&)>;

// Tensors of the weights files put together, and their hashes.
class Merge {
 public:
  Merge(const ModelFolder& folder, const ReadOptions& options) : folder_(folder), options_(options) {
    if (folder.index.empty()) return;
    for (ShardOfTensor& entry : read_index(folder.root / folder.index))
      shard_of_.emplace(std::move(entry.tensor), std::move(entry.file));
  }

  Checkpoint run() {
    for (const std::string& name : folder_.weights) add(name);
    // add() has refused every tensor that the index lacks or that occurs twice, so a difference in
    // number can only be a tensor that the index names and no shard holds.
    if (!shard_of_.empty() && checkpoint_.tensors.size() != shard_of_.size()) refuse_lacking();
    checkpoint_.container = Container::folder;
    checkpoint_.sha256 = model_folder_sha256(folder_, [this](const Path& file) {
      // Files of the folder were hashed when they were read; only configs and the index are hashed here.
      const auto known = hashes_.find(file.filename().string());
      return known != hashes_.end() ? known->second : sha256_hex(MappedFile(file).bytes());
    });
    return std::move(checkpoint_);
  }

 private:
  void add(const std::string& name) {
    const Path path = folder_.root / name;
    const auto file = std::make_shared<const MappedFile>(path);
    const std::string& hash = hashes_[name] = sha256_hex(file->bytes());
    check_blob_name(path, hash);
    checkpoint_.hashes.push_back(hash);
    ContainerContents contents = read(path, file);
    checkpoint_.file_size += file->bytes().size();
    for (NamedTensor& named : contents.tensors) {
      check_place(named.name, name);
      checkpoint_.tensors.push_back(std::move(named));
    }
    for (std::string& opaque : contents.opaque) checkpoint_.opaque.push_back(std::move(opaque));
  }

  ContainerContents read(const Path& path, const std::shared_ptr<const MappedFile>& file) const {
    // Messages of a container begin with what is wrong; which of the shards it is in is added here.
    try {
      return read_container(file->bytes(), file, options_);
    } catch (const Error& e) {
      throw Error(e.kind(), fmt::format("{}: {}", path.string(), printable(e.message())), e.hint());
    }
  }

  void check_place(const std::string& tensor, const std::string& file) {
    // Which of two copies is right cannot be known; in Python the one that is loaded last would win.
    const auto [before, first] = seen_.try_emplace(tensor, file);
    if (!first)
      refuse(fmt::format("the tensor '{}' stands in {} and in {}", shown(tensor), printable(before->second),
                         printable(file)));
    // One file, without an index that could be contradicted.
    if (shard_of_.empty()) return;
    const auto said = shard_of_.find(tensor);
    if (said == shard_of_.end())
      refuse(fmt::format("{} holds the tensor '{}', which {} doesn't name", printable(file), shown(tensor),
                         folder_.index));
    if (said->second != file)
      refuse(fmt::format("the tensor '{}' stands in {}; {} says {}", shown(tensor), printable(file), folder_.index,
                         printable(said->second)));
  }

  [[noreturn]] void refuse_lacking() const {
    std::size_t count = 0;
    const std::pair<const std::string, std::string>* first = nullptr;
    for (const auto& entry : shard_of_) {
      if (seen_.contains(entry.first)) continue;
      ++count;
      // The map is unordered; the first by name makes the message the same in every run.
      if (!first || entry.first < first->first) first = &entry;
    }
    refuse(fmt::format("{} names {} tensors that its shards lack: '{}' in {} first", folder_.index, count,
                       shown(first->first), printable(first->second)));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::input, fmt::format("{}: {}", folder_.root.string(), what),
                "the files are not of one model: get all of them again");
  }

  static std::string shown(const std::string& name) { return printable(name.substr(0, 100)); }

  const ModelFolder& folder_;
  const ReadOptions& options_;
  std::unordered_map<std::string, std::string> shard_of_;  // as the index has it
  std::unordered_map<std::string, std::string> seen_;      // tensor -> file
  std::unordered_map<std::string, std::string> hashes_;
  Checkpoint checkpoint_;
};

}  // namespace

std::vector<std::string> ModelFolder::files() const {
  std::vector<std::string> all = weights;
  if (!index.empty()) all.push_back(index);
  all.insert(all.end(), configs.begin(), configs.end());
  std::ranges::sort(all);
  return all;
}

// For a file that is named alone: only under such a name does a config.json beside it belong to it.
bool is_model_file_name(std::string_view name) {
  return std::ranges::find(kWeights, name) != kWeights.end() && !name.ends_with(".json");
}

// Asked of any path that a user gives, so it looks at names alone.
bool is_model_folder(const Path& path) {
  const auto has_weights = [](const Path& root) {
    return std::ranges::any_of(kWeights, [&](std::string_view name) { return is_file(root / name); });
  };
  if (!is_folder(path)) return false;
  return has_weights(path) || std::ranges::any_of(snapshots_of(path), has_weights);
}

ModelFolder find_model_folder(const Path& path) {
  ModelFolder folder;
  folder.root = root_of(path);
  std::string chosen;
  for (const std::string_view name : kWeights) {
    if (!is_file(folder.root / name)) continue;
    // Several forms may be there, with the same tensors: what is passed over is printed.
    if (chosen.empty())
      chosen = name;
    else
      folder.passed_over.emplace_back(name);
  }
  if (chosen.empty()) throw without_weights(folder.root);
  if (chosen.ends_with(".index.json")) {
    folder.index = chosen;
    folder.weights = shards_of(folder.root, read_index(folder.root / chosen), chosen);
  } else {
    folder.weights = {chosen};
  }
  for (const std::string_view name : kConfigs)
    if (is_file(folder.root / name)) folder.configs.emplace_back(name);
  return folder;
}

std::string model_folder_sha256(const ModelFolder& folder, const HashOf& hash_of) {
  Sha256 hash;
  // The lines of `sha256sum`, two blanks between hash and name, so that anybody can recompute a
  // folder's hash with coreutils (docs/formats/checkpoints.md).
  for (const std::string& name : folder.files()) {
    const Path file = folder.root / name;
    hash.update((hash_of ? hash_of(file) : sha256_hex(MappedFile(file).bytes())) + "  " + name + "\n");
  }
  return hash.hex();
}

Checkpoint read_model_folder(const Path& path, const ReadOptions& options) {
  const ModelFolder folder = find_model_folder(path);
  Checkpoint checkpoint = Merge(folder, options).run();
  checkpoint.path = path;
  return checkpoint;
}

}  // namespace vise::networks
