#include "experiments/torch/training_state.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "base/json.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/checkpoint/state_dict.h"

namespace vise::experiments {
namespace {

// safetensors: u64 length of the header, the header, the data.
class SafetensorsText {
 public:
  void add(const std::string& name, const char* dtype, const std::vector<std::int64_t>& shape, ByteView bytes) {
    const std::size_t begin = data_.size();
    data_.insert(data_.end(), bytes.begin(), bytes.end());
    header_[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data_.size()}}};
  }
  void add(const std::string& name, const std::vector<torch::Tensor>& tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const torch::Tensor whole = tensors[i].detach().to(torch::kCPU).contiguous();
      add(fmt::format("{}.{}", name, i), "F32", whole.sizes().vec(),
          {static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes()});
    }
  }
  void write(const Path& path) const {
    std::string header = header_.dump();
    // Blanks up to a multiple of 8 align the data, as the reference implementation has it.
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = header.size();
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(header);
    file.write(data_);
    file.commit();
  }

 private:
  Json header_ = Json::object();
  std::vector<std::byte> data_;
};

const networks::Tensor* find(const networks::Checkpoint& file, const std::string& name) {
  for (const networks::NamedTensor& named : file.tensors)
    if (named.name == name) return &named.tensor;
  return nullptr;
}

template <typename T>
std::vector<T> values(const networks::Checkpoint& file, const std::string& name) {
  const networks::Tensor* const tensor = find(file, name);
  if (!tensor) throw Error(ErrorKind::input, fmt::format("{}: '{}' is missing", file.path.string(), name));
  const std::vector<std::byte> bytes = tensor->contiguous_bytes();
  std::vector<T> out(bytes.size() / sizeof(T));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
  return out;
}

// "now.0", "now.1" ...: as many as there are, in order.
std::vector<torch::Tensor> tensors(const networks::Checkpoint& file, const std::string& name) {
  std::vector<torch::Tensor> out;
  while (const networks::Tensor* const tensor = find(file, fmt::format("{}.{}", name, out.size()))) {
    std::vector<float> floats = tensor->to_floats();
    out.push_back(torch::from_blob(floats.data(), tensor->shape, torch::kFloat32).clone());
  }
  return out;
}

}  // namespace

// Five entries: whose state this is, the epochs so far, two counters, and the tensors now and at the best epoch.
void write_training_state(const Path& path, const std::string& identity, const TrainingState& state) {
  std::vector<double> epochs;
  for (const FinetuneEpoch& e : state.epochs) epochs.insert(epochs.end(), {e.loss, e.score, e.gradient_max});
  const std::vector<std::int64_t> counts{static_cast<std::int64_t>(state.best_epoch), state.steps};
  SafetensorsText text;
  text.add("identity", "U8", {static_cast<std::int64_t>(identity.size())}, as_byte_view(identity));
  text.add("epochs", "F64", {static_cast<std::int64_t>(state.epochs.size()), 3}, std::as_bytes(std::span(epochs)));
  text.add("counts", "I64", {2}, std::as_bytes(std::span(counts)));
  text.add("now", state.now);
  text.add("best", state.best);
  text.write(path);
}

std::optional<TrainingState> read_training_state(const Path& path, const std::string& identity) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) return {};
  const networks::Checkpoint file = networks::read_checkpoint(path);
  const std::vector<char> owner = values<char>(file, "identity");
  // Of another cell, whose settings or data differ: the training begins anew and overwrites it.
  if (std::string(owner.begin(), owner.end()) != identity) return {};
  TrainingState state;
  const std::vector<double> epochs = values<double>(file, "epochs");
  for (std::size_t i = 0; i + 2 < epochs.size(); i += 3)
    state.epochs.push_back({epochs[i], epochs[i + 1], epochs[i + 2]});
  const std::vector<std::int64_t> counts = values<std::int64_t>(file, "counts");
  state.best_epoch = static_cast<std::size_t>(counts.at(0));
  state.steps = counts.at(1);
  state.now = tensors(file, "now");
  state.best = tensors(file, "best");
  return state;
}

}  // namespace vise::experiments
