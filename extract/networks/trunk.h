// A frozen network up to its last feature map, whatever engine runs it.
//
//   const auto trunk = make_trunk(network, {.engine = Engine::onednn, .layers = {"layer4"}});
//   std::copy(pixels.begin(), pixels.end(), trunk->input().begin());   // batch x 3 x 224 x 224, normalised, planar
//   trunk->forward();
//   const FeatureMaps maps = trunk->maps(0);                           // batch x 7 x 7 x 2048
//
// A trunk has one batch shape for its whole life; the caller pads the last batch. Features of an image are then the
// same to the last bit at every place of a batch. A trunk is used by one thread at a time and computes on that
// thread alone: throughput comes from one replica a core (replicate()), which share the packed weights. Measured
// against one trunk on all cores this needs no barriers between layers and makes the thread count irrelevant to the
// result. On a CUDA device there are two replicas, each with a stream of its own and pinned buffers, which all threads
// share (trunk_pool.h): while one computes, the other's pixels and maps are on their way. Not yet run on such a device.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/device.h"
#include "extract/networks/network.h"

namespace vise::networks {

enum class Engine { onednn, torch, opencv };
enum class Precision { fp32, bf16, fp16 };

std::string_view engine_name(Engine engine);           // "onednn", "torch", "opencv"
std::string_view precision_name(Precision precision);  // "fp32", "bf16", "fp16"
Engine parse_engine(std::string_view text);            // Error{usage} with the nearest name
Precision parse_precision(std::string_view text);
Engine default_engine(const Device& device);  // oneDNN on the CPU, LibTorch on CUDA

// Raised whenever an engine's arithmetic changes, so that old rows are not taken for new ones. Part of the feature key.
inline constexpr int kNumericsVersion = 2;

// Images a forward pass: small, since batch 4 is as fast as 32 on one core and keeps the activations in cache.
inline constexpr int kTrunkBatch = 4;
// Enough to fill a CUDA device; a batch of ResNet-50's pixels is 39 MB.
inline constexpr int kCudaTrunkBatch = 64;
inline constexpr int kCudaTrunks = 2;

// How a network serves so many workers: images a forward pass, and replicas.
struct TrunkPlan {
  int batch = kTrunkBatch, trunks = 1;
};
inline TrunkPlan trunk_plan(const Device& device, int workers) {
  return device.is_cuda() ? TrunkPlan{kCudaTrunkBatch, kCudaTrunks} : TrunkPlan{kTrunkBatch, workers};
}

// B x (prefix + H W) x C, float32, channels innermost: a map (prefix 0), tokens (first those that stand for no place,
// then the grid's), or a vector (one place). Valid until the trunk's next forward().
struct FeatureMaps {
  std::span<const float> values;
  int batch = 0, height = 0, width = 0, channels = 0, prefix = 0;
};

struct TrunkRequest {
  Engine engine = Engine::onednn;
  Precision precision = Precision::fp32;
  std::vector<std::string> layers = {"layer4"};  // tapped in this order; of the network's
  int batch = kTrunkBatch;
  int side = 224;  // height and width of the input
  Device device = {};
};

class Trunk {
 public:
  virtual ~Trunk() = default;
  // batch x 3 x side x side floats to be filled before forward().
  virtual std::span<float> input() = 0;
  // Error{input} should a graph fail, or give something else than one tensor a layer.
  virtual void forward() = 0;
  // The map of the request's layer number `layer`.
  virtual FeatureMaps maps(std::size_t layer) = 0;
  virtual int batch() const = 0;
  // Another trunk over the same packed weights, for another thread; must be called on the thread that will use it.
  virtual std::unique_ptr<Trunk> replicate() const = 0;
  // SHA-256 over every parameter and buffer as the forward pass reads them: equal before and after an extraction, or
  // the features are not of a frozen network.
  virtual std::string state_hash() const = 0;
  // What was chosen at build time, in words, for features.json: {"convolutions": {"direct": 40, "winograd": 13}, ...}.
  virtual std::string description() const = 0;
};

// Error{usage} for a combination that nothing computes: oneDNN on CUDA, fp16 on a CPU, half precisions of LibTorch on a
// CPU. Looks at no hardware.
void check_combination(Engine engine, Precision precision, const Device& device);

// What alone runs a graph: LibTorch a TorchScript archive, OpenCV a graph.
Engine engine_of(GraphKind kind);
std::string_view library_name(Engine engine);  // "oneDNN", "LibTorch", "OpenCV"

// "2.6.3": of the library that is linked.
std::string onednn_version();

// "4.6.0": of the library that graphs are run by; empty in a build without it. Opens nothing.
std::string opencv_version();

struct TorchFacts {
  std::string version;    // "1.13.1"
  bool has_cuda = false;  // as it was built
  int cuda_devices = 0;   // that it sees
};
}  // namespace vise::networks
