#include "extract/networks/load.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "extract/networks/families/resnet/resnet.h"
#include "extract/networks/family_registry.h"
#include "tests/unit/extract/networks/networks.h"

namespace vise::networks {
namespace {

using test::append;
using test::checkpoint_of;
using test::constant;
using test::trunk_tensors;

const Network& small() {
  static const Network net = random_network("resnet18", 0);
  return net;
}

const Network& other() {
  static const Network net = random_network("resnet18", 1);
  return net;
}

std::string why_not(const Checkpoint& checkpoint, const LoadRequest& request = {}) {
  try {
    load_network(checkpoint, request);
  } catch (const Error& e) {
    return e.message() + " | " + e.hint();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

bool contains(const std::string& whole, const std::string& part) { return whole.find(part) != std::string::npos; }

std::map<std::string, std::size_t> counts(const LoadReport& report) {
  std::map<std::string, std::size_t> result;
  for (const DroppedKeys& keys : report.dropped) result[keys.rule] = keys.keys.size();
  return result;
}

TEST(LoadResNet, GivesTheSameNetworkFromEveryLayoutAndWrapper) {
  const std::string hash = parameters_hash(small());
  for (const std::string prefix : {"", "state_dict.module.", "anything.at.all."})
    for (const bool vise_layout : {false, true}) {
      LoadReport report;
      const Network net = load_network(checkpoint_of(trunk_tensors(small(), prefix, vise_layout)), {}, &report);
      EXPECT_EQ(parameters_hash(net), hash);
      EXPECT_EQ(report.prefix, prefix);
      EXPECT_EQ(report.layout, vise_layout ? "vise-sequential" : "torchvision");
      EXPECT_EQ(report.matched, 120U);
    }
}

class Detection : public testing::TestWithParam<std::string> {};

TEST_P(Detection, TellsArchitecturesByTheirShapes) {
  for (const bool vise_layout : {false, true}) {
    const Checkpoint checkpoint = checkpoint_of(trunk_tensors(test::shape_of(GetParam()), "module.", vise_layout));
    EXPECT_EQ(load_network(checkpoint).architecture, GetParam());
  }
}

// Those whose tensors tell: resnet50-caffe's are resnet50's.
std::vector<std::string> told_by_their_tensors() {
  std::vector<std::string> names = family_of("resnet50").architectures;
  std::erase_if(names, [](const std::string& name) { return contains(name, "-"); });
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Detection, testing::ValuesIn(told_by_their_tensors()),
                         [](const auto& i) { return i.param; });

TEST(LoadResNet, SaysWhatIsAssumedWhereSeveralNetworksHaveTheSameTensors) {
  const Network network = random_network("resnet50", 0);
  const Checkpoint file = checkpoint_of(trunk_tensors(network));
  const Network usual = load_network(file), caffe = load_network(file, {.architecture = "resnet50-caffe"});
  EXPECT_TRUE(contains(usual.assumed, "arch=resnet50-caffe")) << usual.assumed;
  EXPECT_EQ(load_network(file, {.architecture = "resnet50"}).assumed, "");
  EXPECT_EQ(caffe.architecture, "resnet50-caffe");
  EXPECT_EQ(caffe.assumed, "");
  EXPECT_NE(parameters_hash(caffe), parameters_hash(usual)) << "another network";
  EXPECT_EQ(load_network(checkpoint_of(trunk_tensors(small()))).assumed, "") << "basic blocks have one place to stride";
  LoadRequest dilated;
  dilated.facts.say("dilated", "8", "the user");
  EXPECT_EQ(load_network(file, dilated).facts.front().value, "8");
  EXPECT_TRUE(contains(why_not(checkpoint_of(trunk_tensors(small())), dilated), "no bottlenecks to dilate"));
}

TEST(LoadResNet, AllowsOnlyBatchCountsToBeAbsent) {
  LoadReport report;
  load_network(checkpoint_of(trunk_tensors(small(), "", false, false)), {}, &report);
  EXPECT_EQ(report.absent.size(), 20U);
  EXPECT_EQ(report.absent[0], "bn1.num_batches_tracked");
  std::vector<NamedTensor> tensors = trunk_tensors(small());
  std::erase_if(tensors, [](const NamedTensor& t) { return t.name.ends_with("running_var"); });
  const std::string why = why_not(checkpoint_of(std::move(tensors)));
  EXPECT_TRUE(contains(why, "20 missing (bn1.running_var, layer1.0.bn1.running_var")) << why;
  EXPECT_TRUE(contains(why, ", ...)")) << why;
}

TEST(LoadResNet, RefusesKeysThatNoRuleDrops) {
  std::vector<NamedTensor> tensors = trunk_tensors(small(), "module.");
  tensors.push_back(constant("module.layer1.0.conv9.weight", {1}));
  tensors.push_back(constant("module.surprise.weight", {1}));
  const std::string why = why_not(checkpoint_of(tensors));
  EXPECT_TRUE(contains(why, "2 unexpected (module.layer1.0.conv9.weight, module.surprise.weight)")) << why;
  EXPECT_TRUE(contains(why, "drop=layer1,drop=surprise")) << why;
  LoadReport report;
  tensors.erase(tensors.end() - 2);
  load_network(checkpoint_of(tensors), {.drop = {"surprise"}}, &report);
  EXPECT_EQ(counts(report), (std::map<std::string, std::size_t>{{"asked for", 1}}));
}

TEST(LoadResNet, DropsWhatAnyShownNameSays) {
  std::vector<NamedTensor> tensors = trunk_tensors(small(), "online_net.0.");
  tensors.push_back(constant("online_net.1.fc0.weight", {1}));
  tensors.push_back(constant("more.learner.odd.weight", {1}));
  for (const std::vector<std::string>& drop :
       {std::vector<std::string>{"online_net.1", "odd"}, {"fc0", "learner.odd"}, {"online_net.1.fc0.weight", "more"}}) {
    LoadReport report;
    load_network(checkpoint_of(tensors), {.drop = drop}, &report);
    EXPECT_EQ(counts(report), (std::map<std::string, std::size_t>{{"asked for", 2}}));
  }
  EXPECT_TRUE(contains(why_not(checkpoint_of(tensors), {.drop = {"od", "fc"}}), "2 unexpected"));
}

// solo-learn, lightly, BYOL's three codes, robustness: each with the network that its authors evaluate.
TEST(LoadResNet, TakesTheNetworkThatIsEvaluatedAmongATrainersCopies) {
  const std::pair<std::string, std::string> pairs[] = {
      {"backbone.", "momentum_backbone."},      {"backbone.", "backbone_momentum."},
      {"encoder.", "momentum_encoder."},        {"online_encoder.", "target_encoder."},
      {"online_backbone.", "target_backbone."}, {"learner.online_network.", "learner.target_network."}};
  for (const auto& [meant, copy] : pairs) {
    std::vector<NamedTensor> tensors = trunk_tensors(other(), copy);
    for (NamedTensor& tensor : trunk_tensors(small(), meant)) tensors.push_back(std::move(tensor));
    for (const char* beside : {"momentum_projector.0.weight", "projector_ema.0.weight", "online_predictor.1.bias",
                               "target_projection.weight", "optimizer_states.0.state.1", "callbacks.x.best"})
      tensors.push_back(constant(beside, {2}));
    LoadReport report;
    EXPECT_EQ(parameters_hash(load_network(checkpoint_of(tensors), {}, &report)), parameters_hash(small())) << meant;
    EXPECT_EQ(report.prefix, meant);
    EXPECT_EQ(report.passed_over, std::vector<std::string>{copy});
  }
}

TEST(LoadResNet, TakesTheFirstOfCopiesThatAreEqualTensorForTensor) {
  std::vector<NamedTensor> tensors = trunk_tensors(small(), "model.module.model.");
  for (NamedTensor& tensor : trunk_tensors(small(), "model.module.attacker.model.")) tensors.push_back(tensor);
  tensors.push_back(constant("model.module.model.fc.weight", {2}));  // that only one has
  tensors.push_back(constant("model.module.normalizer.new_mean", {3}));
  LoadReport report;
  load_network(checkpoint_of(tensors), {}, &report);
  EXPECT_EQ(report.prefix, "model.module.model.");
  for (NamedTensor& tensor : tensors)
    if (tensor.name == "model.module.attacker.model.layer4.1.bn2.bias") tensor = constant(tensor.name, {512}, 0.5f);
  EXPECT_TRUE(contains(why_not(checkpoint_of(tensors)), "holds 2 networks"));
  load_network(checkpoint_of(tensors), {.drop = {"attacker"}}, &report);
  EXPECT_EQ(report.prefix, "model.module.model.");
}

TEST(LoadResNet, LeavesATextEncoderOutBesideTheNetworkButNotInIt) {
  std::vector<NamedTensor> tensors = trunk_tensors(small(), "module.visual.trunk.");
  for (const char* name : {"module.positional_embedding", "module.transformer.resblocks.0.ln_1.weight",
                           "module.text.token_embedding.weight", "module.logit_bias"})
    tensors.push_back(constant(name, {4}));
  LoadReport report;
  load_network(checkpoint_of(tensors), {}, &report);
  EXPECT_EQ(counts(report), (std::map<std::string, std::size_t>{{"text encoder", 4}}));
  tensors.push_back(constant("module.visual.trunk.positional_embedding", {4}));
  EXPECT_TRUE(contains(why_not(checkpoint_of(tensors)), "1 unexpected (module.visual.trunk.positional_embedding)"));
}

TEST(LoadResNet, RefusesWrongShapesTypesAndValues) {
  const auto with = [](NamedTensor replacement) {
    std::vector<NamedTensor> tensors = trunk_tensors(small());
    for (NamedTensor& tensor : tensors)
      if (tensor.name == replacement.name) tensor = replacement;
    return why_not(checkpoint_of(std::move(tensors)));
  };
  EXPECT_TRUE(contains(with(constant("layer4.1.conv2.weight", {512, 512, 1, 1})),
                       "layer4.1.conv2.weight is 512x512x1x1, not 512x512x3x3"));
  EXPECT_TRUE(contains(with(constant("bn1.bias", {64}, NAN)), "bn1.bias holds NaN or infinity"));
  EXPECT_TRUE(contains(with(constant("bn1.weight", {64}, -INFINITY)), "bn1.weight holds NaN or infinity"));
  EXPECT_TRUE(contains(with(constant("bn1.running_var", {64}, -1)), "bn1.running_var is a variance"));
  NamedTensor whole = test::tracked("bn1.running_mean");
  whole.tensor.shape = {64};
  whole.tensor.strides = {0};
  EXPECT_TRUE(contains(with(whole), "bn1.running_mean holds int64"));
}

TEST(LoadResNet, TakesTheQueryEncoderOfMoCoUnlessAskedForTheOther) {
  std::vector<NamedTensor> tensors = trunk_tensors(small(), "state_dict.module.encoder_q.");
  append(tensors, trunk_tensors(other(), "state_dict.module.encoder_k."));
  tensors.push_back(constant("state_dict.module.encoder_q.fc.0.weight", {4, 4}));
  tensors.push_back(constant("state_dict.module.queue", {4, 4}));
  tensors.push_back(constant("optimizer.state.0.momentum_buffer", {4}));
  LoadReport report;
  EXPECT_EQ(parameters_hash(load_network(checkpoint_of(tensors), {}, &report)), parameters_hash(small()));
  EXPECT_EQ(counts(report), (std::map<std::string, std::size_t>{
                                {"MoCo's queue", 1}, {"classifier", 1}, {"other branch", 120}, {"training state", 1}}));
  EXPECT_EQ(report.passed_over, std::vector<std::string>{"state_dict.module.encoder_k."});
  EXPECT_EQ(parameters_hash(load_network(checkpoint_of(tensors), {.branch = "encoder_k"})), parameters_hash(other()));
  EXPECT_TRUE(contains(why_not(checkpoint_of(tensors), {.branch = "teacher"}), "holds no branch 'teacher'"));
}

TEST(LoadResNet, TakesTheTeacherOfDino) {
  std::vector<NamedTensor> tensors = trunk_tensors(other(), "student.module.backbone.");
  append(tensors, trunk_tensors(small(), "teacher.backbone."));
  // Without "module." the two differ in more than the branch, so nothing tells which is meant.
  EXPECT_TRUE(contains(why_not(checkpoint_of(tensors)), "holds 2 networks"));
  std::vector<NamedTensor> both = trunk_tensors(other(), "student.module.backbone.");
  append(both, trunk_tensors(small(), "teacher.module.backbone."));
  both.push_back(constant("teacher.module.head.mlp.0.weight", {2, 2}));
  both.push_back(constant("dino_loss.center", {1, 2}));
  EXPECT_EQ(parameters_hash(load_network(checkpoint_of(both))), parameters_hash(small()));
}

TEST(LoadResNet, AsksWhichOfTwoNetworksIsMeant) {
  std::vector<NamedTensor> tensors = trunk_tensors(small(), "state_dict.");
  append(tensors, trunk_tensors(other(), "state_dict_ema."));
  const std::string why = why_not(checkpoint_of(tensors));
  EXPECT_TRUE(contains(why, "holds 2 networks: state_dict., state_dict_ema.")) << why;
  EXPECT_TRUE(contains(why, "branch=NAME")) << why;
  LoadReport report;
  load_network(checkpoint_of(tensors), {.branch = "state_dict_ema"}, &report);
  EXPECT_EQ(report.prefix, "state_dict_ema.");
}

// Found by reading: choosing among n places looks at every pair.
TEST(LoadResNet, RefusesAFileOfAThousandNetworks) {
  std::vector<NamedTensor> tensors;
  for (int i = 0; i < 1000; ++i)
    for (const char* key : {".conv1.weight", ".layer1.0.conv1.weight"})
      tensors.push_back(constant(std::to_string(i) + key, {1}));
  EXPECT_TRUE(contains(why_not(checkpoint_of(tensors)), "holds 1000 networks, too many"));
}

TEST(LoadResNet, RefusesAFileOfAnotherArchitecture) {
  EXPECT_TRUE(contains(why_not(checkpoint_of(trunk_tensors(small())), {.architecture = "resnet34"}),
                       "holds a resnet18, not a resnet34"));
  EXPECT_TRUE(contains(why_not(checkpoint_of({constant("fc.weight", {2, 2})})), "no network that is known"));
  NoWeights none;
  const Network odd = build_resnet({"odd", {2, 2, 1, 2}, false}, none);
  EXPECT_TRUE(contains(why_not(checkpoint_of(trunk_tensors(odd))), "none known: basic blocks 2, 2, 1, 2"));
}

// The shapes of openai/CLIP's ModifiedResNet((3, 4, 6, 3), output_dim=1024, heads=32, input_resolution=224, width=64).
std::vector<NamedTensor> clip_tensors() {
  static const Network usual = test::shape_of("resnet50");
  std::vector<NamedTensor> tensors;
  for (NamedTensor& tensor : trunk_tensors(usual, "visual."))
    if (tensor.name.starts_with("visual.layer")) tensors.push_back(std::move(tensor));
  const std::int64_t stem[3][2] = {{32, 3}, {32, 32}, {64, 32}};
  for (int i = 0; i < 3; ++i) {
    const std::string number = std::to_string(i + 1);
    tensors.push_back(constant("visual.conv" + number + ".weight", {stem[i][0], stem[i][1], 3, 3}));
    for (const char* leaf : {".weight", ".bias", ".running_mean", ".running_var"})
      tensors.push_back(constant("visual.bn" + number + leaf, {stem[i][0]}));
  }
  tensors.push_back(constant("visual.attnpool.positional_embedding", {50, 2048}));
  for (const std::string proj : {"q_proj", "k_proj", "v_proj", "c_proj"}) {
    const std::int64_t out = proj == "c_proj" ? 1024 : 2048;
    tensors.push_back(constant("visual.attnpool." + proj + ".weight", {out, 2048}));
    tensors.push_back(constant("visual.attnpool." + proj + ".bias", {out}));
  }
  for (const char* name : {"transformer.resblocks.0.ln_1.weight", "token_embedding.weight", "positional_embedding",
                           "logit_scale", "text_projection", "ln_final.bias"})
    tensors.push_back(constant(name, {2}));
  return tensors;
}

TEST(LoadClipResNet, ReadsTheImageEncoderAndDropsTheTextEncoder) {
  LoadReport report;
  const Network net = load_network(checkpoint_of(clip_tensors()), {}, &report);
  EXPECT_EQ(net.architecture, "clip-rn50");
  const Outline seen = outline(net);
  EXPECT_EQ(seen.layer("attnpool").channels, 1024);
  EXPECT_TRUE(seen.layer("attnpool").vector);
  EXPECT_EQ(seen.layer("layer4").channels, 2048);
  // Strides are average pools: of the convolutions only the stem's first has one.
  std::size_t pools = 0;
  for (const Op& op : net.ops) {
    if (const auto* conv = op.as<Convolution>()) {
      EXPECT_EQ(conv->stride, op.name == "conv1" ? 2 : 1) << op.name;
    }
    pools += op.as<Pool2d>() != nullptr;
  }
  EXPECT_EQ(pools, 1U + 3 * 2);
  EXPECT_EQ(report.prefix, "visual.");
  EXPECT_EQ(counts(report), (std::map<std::string, std::size_t>{{"CLIP's text encoder", 6}}));
  EXPECT_TRUE(contains(why_not(checkpoint_of(clip_tensors()), {.architecture = "resnet50"}),
                       "holds a network of the family clip-resnet"));
}

TEST(LoadClipResNet, IsStrictToo) {
  std::vector<NamedTensor> tensors = clip_tensors();
  std::erase_if(tensors, [](const NamedTensor& t) { return t.name == "visual.attnpool.k_proj.bias"; });
  try {
    load_network(checkpoint_of(tensors));
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(contains(e.message(), "1 missing (visual.attnpool.k_proj.bias)")) << e.message();
  }
}

}  // namespace
}  // namespace vise::networks
