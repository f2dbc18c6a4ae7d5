#include "extract/networks/trunk.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/text.h"

namespace vise::networks {
namespace {

// In the order of Engine and of Precision.
const std::vector<std::string> kEngines{"onednn", "torch", "opencv"}, kPrecisions{"fp32", "bf16", "fp16"};

std::size_t index_of(std::string_view text, const std::vector<std::string>& names, std::string_view what) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return i;
  throw Error(ErrorKind::usage, fmt::format("unknown {} '{}'", what, text), suggest(text, names));
}

}  // namespace

std::string_view engine_name(Engine engine) { return kEngines[static_cast<std::size_t>(engine)]; }
std::string_view precision_name(Precision precision) { return kPrecisions[static_cast<std::size_t>(precision)]; }
Engine parse_engine(std::string_view text) { return static_cast<Engine>(index_of(text, kEngines, "engine")); }
Precision parse_precision(std::string_view text) {
  return static_cast<Precision>(index_of(text, kPrecisions, "precision"));
}

Engine default_engine(const Device& device) { return device.is_cuda() ? Engine::torch : Engine::onednn; }

Engine engine_of(GraphKind kind) { return kind == GraphKind::torchscript ? Engine::torch : Engine::opencv; }

std::string_view library_name(Engine engine) {
  constexpr std::array<std::string_view, 3> names{"oneDNN", "LibTorch", "OpenCV"};
  return names[static_cast<std::size_t>(engine)];
}

std::string opencv_version() { return VISE_OPENCV_VERSION; }

// The combinations that no engine computes, each with what to leave out.
void check_combination(Engine engine, Precision precision, const Device& device) {
  if (engine == Engine::opencv && (device.is_cuda() || precision != Precision::fp32))
    throw Error(ErrorKind::usage, "OpenCV runs graphs (ONNX, Caffe) on the CPU and in fp32 only",
                "leave --device and --precision out, or give the network's state dict");
  if (device.is_cuda()) {
    if (engine == Engine::onednn)
      throw Error(ErrorKind::usage, fmt::format("--device {}: oneDNN computes on the CPU only", device.name()),
                  "leave --engine out: LibTorch computes on CUDA devices");
    return;
  }
  if (precision == Precision::fp16)
    throw Error(ErrorKind::usage, "--precision fp16 is for CUDA devices: CPUs here have no fp16 convolutions",
                "--device cuda, or --precision fp32");
  if (engine == Engine::torch && precision != Precision::fp32)
    throw Error(ErrorKind::usage, "--engine torch computes in fp32 only on the CPU",
                "leave --engine out: oneDNN has bf16 where the CPU has it");
}

}  // namespace vise::networks
