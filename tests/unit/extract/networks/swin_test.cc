#include "extract/networks/families/swin/swin.h"
#include "extract/networks/family_registry.h"

#include "tests/unit/extract/networks/family_files.h"

namespace vise::networks {
namespace {

using Tensors = std::vector<NamedTensor>;

const test::Renaming kTorchvision{
    {R"(^patch_embed\.proj)", "features.0.0"},   {R"(^patch_embed\.norm)", "features.0.2"},
    {R"(^layers\.1\.downsample)", "features.2"}, {R"(^layers\.2\.downsample)", "features.4"},
    {R"(^layers\.3\.downsample)", "features.6"}, {R"(^layers\.0\.blocks)", "features.1"},
    {R"(^layers\.1\.blocks)", "features.3"},     {R"(^layers\.2\.blocks)", "features.5"},
    {R"(^layers\.3\.blocks)", "features.7"}};
const test::Renaming kTorchvisionBlock{{R"(mlp\.fc1)", "mlp.0"}, {R"(mlp\.fc2)", "mlp.3"}};
const test::Renaming kMergeAfter{{R"(^layers\.1\.downsample)", "layers.0.downsample"},
                                 {R"(^layers\.2\.downsample)", "layers.1.downsample"},
                                 {R"(^layers\.3\.downsample)", "layers.2.downsample"}};

SwinSpec small_spec() {
  SwinSpec spec;
  spec.depths = {2, 1, 3, 2};
  spec.heads = {1, 2, 4, 4};
  spec.windows = {3, 3, 3, 3};
  spec.dim = 2;
  return spec;
}
constexpr const char* kName = "swin-2x2-4x1-8x3-16x2-heads1.2.4.4-windows3.3.3.3";

struct Drawn {
  Tensors tensors;
  std::string hash;
};
Drawn draw(const SwinSpec& spec) {
  test::Recorder recorder;
  const std::string hash = parameters_hash(build_swin(spec, recorder));
  return {recorder.tensors, hash};
}

// The index of 3 x 3 places as torch computes it in WindowAttention: of place differences (dy, dx), each moved by 2,
// 5 dy + dx.
std::vector<std::int64_t> index_of_three() {
  std::vector<std::int64_t> rows;
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 3; ++x)
      for (int v = 0; v < 3; ++v)
        for (int u = 0; u < 3; ++u) rows.push_back((y - v + 2) * 5 + (x - u + 2));
  return rows;
}

NamedTensor indices(std::string name, const std::vector<std::int64_t>& shape) {
  const auto owner = std::make_shared<std::vector<std::int64_t>>(index_of_three());
  return {
      std::move(name), "", {DType::i64, shape, contiguous_strides(shape), 0, std::as_bytes(std::span(*owner)), owner}};
}

// Beside each bias table the index that published files keep, flat or square, and a mask beside shifted blocks.
void add_buffers(Tensors& file, const std::vector<std::int64_t>& shape) {
  for (std::size_t i = 0, count = file.size(); i < count; ++i) {
    const std::string name = file[i].name;
    if (!name.ends_with("bias_table")) continue;
    file.push_back(indices(name.substr(0, name.size() - 10) + "index", shape));
  }
  file.push_back(test::constant("model.layers.0.blocks.1.attn_mask", {64, 9, 9}, -100));
}

Tensors torchvision_file(const Tensors& tensors) {
  Tensors file = test::renamed(test::renamed(tensors, kTorchvision), kTorchvisionBlock);
  add_buffers(file, {81});
  file.pop_back();  // torchvision makes its mask anew
  file.push_back(test::constant("head.weight", {10, 16}));
  return file;
}

Tensors microsoft_file(const Tensors& tensors) {
  Tensors file = test::renamed(tensors, kMergeAfter, "model.");
  add_buffers(file, {9, 9});
  file.push_back(test::constant("model.head.weight", {10, 16}));
  return file;
}

void expect_loads(Tensors file, const std::string& layout, const std::string& hash) {
  LoadReport report;
  const Network network = test::load_from(std::move(file), {}, &report);
  EXPECT_EQ(report.layout, layout);
  EXPECT_EQ(network.architecture, kName) << layout;
  EXPECT_EQ(parameters_hash(network), hash) << layout;
}

TEST(Swin, IsTheSameNetworkInEveryLayout) {
  const auto [tensors, hash] = draw(small_spec());
  expect_loads(torchvision_file(tensors), "torchvision", hash);
  expect_loads(tensors, "timm", hash);
  expect_loads(microsoft_file(tensors), "microsoft", hash);
}

TEST(Swin, IsReadStrictlyInEveryLayout) {
  const auto [tensors, hash] = draw(small_spec());
  test::expect_strict(torchvision_file(tensors), "features.5.2.mlp.3.weight");
  test::expect_strict(torchvision_file(tensors), "features.4.reduction.weight");
  test::expect_strict(tensors, "layers.2.blocks.1.attn.qkv.bias");
  test::expect_strict(tensors, "layers.2.blocks.1.attn.relative_position_bias_table");
  test::expect_strict(microsoft_file(tensors), "model.layers.2.downsample.norm.weight");
}

TEST(Swin, DropsTheBuffersThatFollowFromTheWindow) {
  LoadReport report;
  test::load_from(microsoft_file(draw(small_spec()).tensors), {}, &report);
  ASSERT_EQ(report.dropped.size(), 2U);
  EXPECT_EQ(report.dropped[1].rule, "made from the window's size");
  EXPECT_EQ(report.dropped[1].keys.size(), 9U);  // eight tables and a mask
}

TEST(Swin, RefusesAnotherOrderOfTheBiasTable) {
  Tensors file = microsoft_file(draw(small_spec()).tensors);
  for (NamedTensor& tensor : file)
    if (tensor.name.ends_with("blocks.0.attn.relative_position_index")) tensor.tensor.strides = {1, 9};
  EXPECT_NE(test::refusal(file).find("not the usual order"), std::string::npos);
}

TEST(Swin, RefusesWhatIsNoWindowsTable) {
  Tensors file = draw(small_spec()).tensors;
  for (NamedTensor& tensor : file)
    if (tensor.name.starts_with("layers.1.") && tensor.name.ends_with("bias_table"))
      tensor = test::constant(tensor.name, {24, 2});
  EXPECT_NE(test::refusal(file).find("no whole stage 2"), std::string::npos);
  std::erase_if(file, [](const NamedTensor& tensor) { return tensor.name.starts_with("layers.3."); });
  EXPECT_NE(test::refusal(file).find("no whole stage"), std::string::npos);
}

TEST(Swin, ShiftsEverySecondBlockByHalfAWindow) {
  NoWeights none;
  std::vector<int> shifts;
  const Network network = build_swin(small_spec(), none);
  for (const Op& op : network.ops)
    if (const auto* attention = op.as<Attention>()) shifts.push_back(attention->window->shift);
  EXPECT_EQ(shifts, (std::vector{0, 1, 0, 0, 1, 0, 0, 1}));
}

// A padded place's channels are zeros before the linear layer of queries, keys and values.
TEST(Swin, PadsWithTheBiasOfQueriesKeysAndValues) {
  test::Recorder recorder;
  const Network network = build_swin(small_spec(), recorder);
  for (std::size_t i = 0; i < network.ops.size(); ++i)
    if (const auto* attention = network.ops[i].as<Attention>()) {
      const auto* qkv = network.ops[i - 1].as<Linear>();
      ASSERT_TRUE(qkv && qkv->bias.exists());
      EXPECT_EQ(attention->window->padding.values().data(), qkv->bias.values().data());
    }
}

TEST(Swin, KnowsItsFactsFromTheCodeAndTakesTheUsersWord) {
  const Tensors file = torchvision_file(draw(small_spec()).tensors);
  const Network network = test::load_from(file);
  const std::string source = "the key layout (torchvision's code)";
  EXPECT_EQ(network.facts, (std::vector<Fact>{{"act", "exact", source}, {"eps", "1e-5", source}}));
  EXPECT_EQ(test::epsilons(network), std::vector{1e-5});
  EXPECT_EQ(test::epsilons(test::load_from(file, test::facts_of({{"eps", "1e-6"}}))), std::vector{1e-6});
}

// torchvision's own counts (num_params of its weights), without the classifier of 1000 classes.
TEST(Swin, HasAsManyParametersAsTorchvisions) {
  const auto count = [](const char* name) {
    NoWeights none;
    return parameter_count(build_swin(swin_spec(name), none));
  };
  EXPECT_EQ(count("swin-t"), 28288354U - 769000);
  EXPECT_EQ(count("swin-s"), 49606258U - 769000);
  EXPECT_EQ(count("swin-b"), 87768224U - 1025000);
}

TEST(Swin, HasAnOutlineForEveryName) {
  for (const SwinSpec& spec : swin_specs()) EXPECT_EQ(outline_of(spec.name).architecture, spec.name);
  EXPECT_EQ(outline_of("swin-t").side, 224);
  EXPECT_EQ(outline_of("swin-b-w12").side, 384);
  NoWeights none;
  EXPECT_EQ(test::layers_text(build_swin(swin_spec("swin-t"), none)),
            "stage1 96, stage2 192, stage3 384, stage4 768, final 768");
  EXPECT_THROW(swin_spec("swin-tiny"), Error);
}

// Maps of 27, 14, 7 and 4 places a side: padded, rolled, and smaller than a window.
TEST(Swin, GivesAnImageTheSameFeaturesAtEveryPlaceOfABatch) {
  SwinSpec spec;
  spec.depths = {2, 2, 2, 2};
  spec.heads = {1, 2, 4, 8};
  spec.windows = {7, 7, 7, 7};
  spec.dim = 32;
  RandomWeights weights("random/swin", 0);
  const Network network = build_swin(spec, weights);
  for (const Precision precision : {Precision::fp32, Precision::bf16})
    test::expect_same_at_every_place(network, 108, precision);
}

}  // namespace
}  // namespace vise::networks
