// One training step of a ResNet and a ViT against torchvision's modules and PyTorch's own gradients (step_oracle.py),
// in double precision: an oracle that shares no line with this program. Skipped where Debian's python3-torchvision or
// the LibTorch module isn't there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/module.h"
#include "experiments/torch/entry.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/checkpoint/state_dict.h"
#include "extract/networks/family_registry.h"
#include "tests/golden/floats.h"
#include "tests/golden/small_vit.h"
#include "tests/shared.h"
#include "tests/torch_module.h"

namespace vise {
namespace {

using test::floats_in, test::put_floats, test::relative_error;

constexpr std::size_t kImages = 6, kClasses = 3;

// A network, the step that we take with it, and what both sides say of it.
struct Step {
  Step(const Path& in, const std::string& called) : name(called), folder(in / called) {}

  void take() {
    const bool is_vit = name == "vit";
    side = is_vit ? 32 : 64;
    network = is_vit ? test::small_vit(weights) : networks::family_of("resnet18").build("resnet18", weights);
    const std::size_t size = 3 * static_cast<std::size_t>(side * side);
    // Of some draws a ReLU's input is so near 0 that single and double precision fall on its two sides.
    const std::vector<float> images = test::drawn("images of " + name, kImages * size, 0, 1);
    std::vector<float> targets(kImages * kClasses), labels;
    for (std::size_t i = 0; i < kImages; ++i) {
      targets[i * kClasses + i % kClasses] = 1;
      labels.push_back(static_cast<float>(i % kClasses));
    }
    Silent log;
    const Context context{log, {}, 2};
    experiments::FinetuneJob job;
    job.network = &network;
    job.layer = network.default_layer;
    job.pool = network.default_pool;
    // A step of length zero: the first moments are then the gradients, and the head is still as it began.
    job.settings = {.blocks = 0,
                    .freeze_batch_norm = !trains_norms(),
                    .rate = 0,
                    .weight_decay = 0,
                    .epochs = 1,
                    .warmup = 0,
                    .batch = kImages,
                    .cosine = false,
                    .metric = "",
                    .device = "cpu"};
    job.side = side;
    job.train = {kImages, [&](std::size_t i, std::int64_t, float* chw) { std::copy_n(&images[i * size], size, chw); }};
    job.targets = targets;
    job.outputs = kClasses;
    job.checkpoint = folder / "state.safetensors";
    job.context = &context;
    std::filesystem::create_directories(folder);
    Module::torch().symbol<experiments::FinetuneEntry>("vise_torch_finetune")(job, result);
    state = networks::read_checkpoint(job.checkpoint);
    put_floats(folder / "images.bin", images);
    put_floats(folder / "labels.bin", labels);
    write_parameters();
  }

  bool trains_norms() const { return name.ends_with("-train"); }

  // Of what learns, in the order of the training state.
  std::vector<std::string> learned() const {
    std::vector<std::string> names{"head.weight", "head.bias"};
    for (const networks::Op& op : network.ops) {
      const auto* const norm = op.as<networks::BatchNorm>();
      if (norm && !trains_norms()) continue;
      for (const networks::Parameter* parameter : networks::parameters(op))
        if (!norm || (parameter != &norm->mean && parameter != &norm->variance))
          names.push_back(weights.name_of(*parameter));
    }
    return names;
  }
  std::vector<std::string> statistics() const {
    std::vector<std::string> names;
    for (const networks::Op& op : network.ops)
      if (const auto* const norm = op.as<networks::BatchNorm>(); norm && trains_norms())
        for (const networks::Parameter* parameter : {&norm->mean, &norm->variance})
          names.push_back(weights.name_of(*parameter));
    return names;
  }

  // Number `i` of what the training state keeps.
  std::vector<float> kept(std::size_t i) const {
    for (const networks::NamedTensor& named : state.tensors)
      if (named.name == fmt::format("now.{}", i)) return named.tensor.to_floats();
    return {};
  }

  void write_parameters() const {
    for (const auto& [key, parameter] : weights.taken) put_floats(folder / (key + ".bin"), parameter.values());
    put_floats(folder / "head.weight.bin", kept(0));
    put_floats(folder / "head.bias.bin", kept(1));
    if (name != "vit") return;
    // Our prefix is the class token with its position; torchvision's table has a row for it.
    std::vector<float> table(32), grid = floats_in(folder / "grid.bin");
    table.insert(table.end(), grid.begin(), grid.end());
    put_floats(folder / "encoder.pos_embedding.bin", table);
  }

  std::vector<float> expected_gradient(const std::string& key) const {
    if (key != "grid") return floats_in(folder / (key + ".gradient.bin"));
    const std::vector<float> table = floats_in(folder / "encoder.pos_embedding.gradient.bin");
    return {table.begin() + 32, table.end()};
  }

  const std::string name;
  const Path folder;
  int side = 0;
  test::NamedWeights weights;
  networks::Network network;
  experiments::FinetuneResult result;
  networks::Checkpoint state;
};

TEST(TrainingStep, HasTorchvisionsLossAndGradients) {
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  if (std::system("/usr/bin/python3 -c 'import torchvision' 2>/dev/null") != 0)
    GTEST_SKIP() << "skipped: python3-torchvision not found";
  const test::ScratchDir dir;
  std::vector<Step> steps;
  std::string command = (Path(VISE_SOURCE_DIR) / "tests/golden/finetune/step_oracle.py").string();
  for (const char* name : {"vit", "resnet-frozen", "resnet-train"}) {
    steps.emplace_back(dir.path(), name).take();
    command += " " + steps.back().folder.string();
  }
  ASSERT_EQ(std::system(command.c_str()), 0);
  for (const Step& step : steps) {
    EXPECT_NEAR(step.result.epochs.at(0).loss, static_cast<double>(floats_in(step.folder / "loss.bin").at(0)), 1e-5);
    const std::vector<std::string> learned = step.learned(), statistics = step.statistics();
    for (std::size_t i = 0; i < statistics.size(); ++i)
      EXPECT_LE(relative_error(step.kept(learned.size() + i), floats_in(step.folder / (statistics[i] + ".after.bin"))),
                1e-5)
          << step.name << " " << statistics[i];
    for (std::size_t i = 0; i < learned.size(); ++i)
      EXPECT_LE(relative_error(step.kept(learned.size() + statistics.size() + i), step.expected_gradient(learned[i])),
                1e-5)
          << step.name << " " << learned[i];
  }
}

}  // namespace
}  // namespace vise
