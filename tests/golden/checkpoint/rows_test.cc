// Every row of the registry finds, reads and transforms as PROTOCOL's table says, from a file in the keys that its
// publisher uses. The files are made here: all shapes and names are real, and every tensor of a file is a view of one
// storage, as long as the largest of them and as a fifteenth of all: the reader refuses more than sixteenfold sharing.
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "extract/features/backbone.h"
#include "extract/images/transform/transform.h"
#include "extract/networks/family_registry.h"
#include "extract/networks/network.h"
#include "tests/shared.h"
#include "tests/unit/extract/networks/checkpoint/files.h"
#include "tests/unit/extract/networks/networks.h"

namespace vise {
namespace {

constexpr const char* kImageNet = "mean=0.485/0.456/0.406,std=0.229/0.224/0.225";

struct Row {
  const char *name, *file;
  const char* wrapper;  // the key whose value holds the state dict; "": the top
  const char* prefix;   // before the network's own keys
  const char* architecture;
  const char* geometry;  // resize, filter and crop
  const char* normalisation = kImageNet;
  std::size_t tensors = 0;            // that the trunk takes from the file
  std::vector<const char*> beside{};  // other keys that are in the published file, below the wrapper
  bool tracked = true, vise_layout = false;
};

constexpr const char *kE = "resize=256,filter=bilinear,crop=224,", *kE232 = "resize=232,filter=bilinear,crop=224,",
                     *kBicubic = "resize=256,filter=bicubic,crop=224,";

// Of PROTOCOL.md section 2; 318 = 320 keys of a ResNet-50 without fc.
std::vector<Row> rows() {
  const std::vector<const char*> fc{"fc.weight", "fc.bias"}, module_fc{"module.fc.weight", "module.fc.bias"};
  const std::vector<const char*> moco{"module.encoder_q.fc.0.weight", "module.encoder_k.fc.0.weight", "module.queue",
                                      "module.queue_ptr"};
  std::vector<Row> all{
      {"vise-250m", "b902w3tgd042stfocdxsf6nqv8egmbwn.pth", "", "", "resnet50", kE, kImageNet, 318, {}, true, true},
      {"vise-250m", "y210vs3iktungg7wrf72ibzl87jrojna.pth", "", "", "resnet50", kE, kImageNet, 318, {}, true, true},
      {"vise-250m", "vise_250m_rn50_ep10.pth", "", "", "resnet50", kE, kImageNet, 318, {}, true, true},
      {"vise-1.2m", "vise_1m_rn50_ep100.pth", "", "", "resnet50", kE, kImageNet, 318, {}, true, true},
      {"imagenet-v1", "resnet50-0676ba61.pth", "", "", "resnet50", kE, kImageNet, 318, fc},
      {"imagenet-v1", "resnet50-19c8e357.pth", "", "", "resnet50", kE, kImageNet, 265, fc, false},
      {"imagenet-v2", "resnet50-11ad3fa6.pth", "", "", "resnet50", kE232, kImageNet, 318, fc},
      {"resnet18", "resnet18-f37072fd.pth", "", "", "resnet18", kE, kImageNet, 120, fc},
      {"resnet34", "resnet34-b627a593.pth", "", "", "resnet34", kE, kImageNet, 216, fc},
      {"resnet101", "resnet101-63fe2227.pth", "", "", "resnet101", kE, kImageNet, 624, fc},
      {"resnet101-v2", "resnet101-cd907fc2.pth", "", "", "resnet101", kE232, kImageNet, 624, fc},
      {"resnet152", "resnet152-394f9c45.pth", "", "", "resnet152", kE, kImageNet, 930, fc},
      {"resnet152-v2", "resnet152-f82ba261.pth", "", "", "resnet152", kE232, kImageNet, 930, fc},
      {"resnext50", "resnext50_32x4d-7cdf4587.pth", "", "", "resnext50_32x4d", kE, kImageNet, 318, fc},
      {"resnext50-v2", "resnext50_32x4d-1a0047aa.pth", "", "", "resnext50_32x4d", kE232, kImageNet, 318, fc},
      {"wide-resnet50", "wide_resnet50_2-95faca4d.pth", "", "", "wide_resnet50_2", kE, kImageNet, 318, fc},
      {"wide-resnet50-v2", "wide_resnet50_2-9ba9bcbe.pth", "", "", "wide_resnet50_2", kE232, kImageNet, 318, fc},
      {"moco-v1", "moco_v1_200ep_pretrain.pth.tar", "state_dict", "module.encoder_q.", "resnet50", kE, kImageNet, 318,
       moco},
      {"moco-v2-200", "moco_v2_200ep_pretrain.pth.tar", "state_dict", "module.encoder_q.", "resnet50", kE, kImageNet,
       318, moco},
      {"moco-v2", "moco_v2_800ep_pretrain.pth.tar", "state_dict", "module.encoder_q.", "resnet50", kE, kImageNet, 318,
       moco},
      {"moco-v3",
       "r-50-1000ep.pth.tar",
       "state_dict",
       "module.base_encoder.",
       "resnet50",
       kE,
       kImageNet,
       318,
       {"module.base_encoder.fc.0.weight", "module.predictor.0.weight", "module.momentum_encoder.fc.0.weight"}},
      {"moco-v3", "r-50-1000ep.pth.tar", "state_dict", "module.", "resnet50", kE, kImageNet, 318, module_fc},
      {"swav",
       "swav_800ep_pretrain.pth.tar",
       "",
       "module.",
       "resnet50",
       kE,
       "mean=0.485/0.456/0.406,std=0.228/0.224/0.225",
       318,
       {"module.projection_head.0.weight", "module.prototypes.weight"}},
      {"dino", "dino_resnet50_pretrain.pth", "", "", "resnet50", kBicubic, kImageNet, 318},
      {"barlow-twins", "barlowtwins_resnet50.pth", "", "", "resnet50", kE, kImageNet, 318},
      {"vicreg", "vicreg_resnet50.pth", "", "", "resnet50", kE, kImageNet, 318},
      {"vicreg",
       "vicreg_resnet50.pth",
       "model",
       "module.backbone.",
       "resnet50",
       kE,
       kImageNet,
       318,
       {"module.projector.0.weight"}},
      {"places365", "resnet50_places365.pth.tar", "state_dict", "module.", "resnet50",
       "squash=256,filter=bilinear,crop=224,", kImageNet, 265, module_fc, false},
      {"swsl", "semi_weakly_supervised_resnet50-16a12f1b.pth", "", "", "resnet50", kE, kImageNet, 318, fc},
      {"ssl", "semi_supervised_resnet50-08389792.pth", "", "", "resnet50", kE, kImageNet, 318, fc},
      {"byol", "pretrain_res50x1.pth.tar", "", "", "resnet50", kE, kImageNet, 318, fc},
      {"timm-a1", "resnet50_a1_0-14fe96d1.pth", "", "", "resnet50", "resize=235,filter=bicubic,crop=224,", kImageNet,
       318, fc}};
  return all;
}

std::int64_t count(const networks::Tensor& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t{1}, std::multiplies{});
}

std::int64_t storage_length(const std::vector<networks::NamedTensor>& tensors) {
  std::int64_t most = 1, all = 0;
  for (const networks::NamedTensor& named : tensors) {
    most = std::max(most, count(named.tensor));
    all += count(named.tensor);
  }
  return std::max(most, all / 15);
}

// Storage "0", of float32, and "1", of one int64.
std::vector<std::string> storages(std::int64_t length) {
  const std::vector<float> halves(static_cast<std::size_t>(length), 0.5F);
  return {std::string(reinterpret_cast<const char*>(halves.data()), halves.size() * sizeof(float)),
          test::little(std::int64_t{0})};
}

// A view of storage "0", which holds `length` numbers, or of "1", in a pickle.
std::string tensor_pickle(const networks::Tensor& tensor, std::int64_t length) {
  std::string sizes, strides;
  for (const std::int64_t size : tensor.shape) sizes += test::number(static_cast<std::int32_t>(size));
  for (const std::int64_t stride : networks::contiguous_strides(tensor.shape))
    strides += test::number(static_cast<std::int32_t>(stride));
  const bool whole = tensor.dtype == networks::DType::i64;
  const std::string id =
      test::tuple(test::text("storage") + test::global("torch", whole ? "LongStorage" : "FloatStorage") +
                  test::text(whole ? "1" : "0") + test::text("cuda:0") +
                  test::number(whole ? 1 : static_cast<std::int32_t>(length))) +
      "Q";
  return test::global("torch._utils", "_rebuild_tensor_v2") +
         test::tuple(id + test::number(0) + test::tuple(sizes) + test::tuple(strides) + "\x89" +
                     test::global("collections", "OrderedDict") + ")R") +
         "R";
}

// What torch.save writes of {wrapper: {key: tensor}} beside an epoch, or of {key: tensor}.
void write_file(const Path& path, const std::vector<networks::NamedTensor>& tensors, const std::string& wrapper) {
  const std::int64_t length = storage_length(tensors);
  std::string dict = test::global("collections", "OrderedDict") + ")R(";
  for (const networks::NamedTensor& named : tensors)
    dict += test::text(named.name) + tensor_pickle(named.tensor, length);
  dict += "u";
  const std::string top = wrapper.empty() ? dict
                                          : "}(" + test::text("epoch") + test::number(200) + test::text("arch") +
                                                test::text("resnet50") + test::text(wrapper) + dict + "u";
  write_file_atomically(path, test::zip_checkpoint("\x80\x02" + top + ".", storages(length)));
}

std::vector<networks::NamedTensor> tensors_of(const Row& row) {
  std::vector<networks::NamedTensor> tensors =
      test::trunk_tensors(test::shape_of(row.architecture), row.prefix, row.vise_layout, row.tracked);
  for (const char* key : row.beside) tensors.push_back(test::constant(key, {2, 2}));
  return tensors;
}

// NAME's weights as the program finds and loads them.
networks::Network load_as_the_program(const std::string& text, const Path& folder, networks::LoadReport& report) {
  const features::Backbone backbone = features::parse_backbone(text);
  features::PathCache known(folder / "paths");
  Silent log;
  const features::FoundWeights found = features::find_weights(backbone, {{folder}, true}, known, Context{log});
  return networks::load_network(found.file,
                                {features::load_request(backbone),
                                 {.skip_foreign = backbone.skip_foreign},
                                 networks::read_key_map(backbone.key_map),
                                 false},
                                &report);
}

TEST(Registry, EveryRowReadsItsPublishersKeysAndHasItsOwnTransform) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(std::string(row.name) + " " + row.file + " " + row.prefix);
    const test::ScratchDir dir;
    write_file(dir / row.file, tensors_of(row), row.wrapper);
    networks::LoadReport report;
    const networks::Network network = load_as_the_program(row.name, dir.path(), report);
    EXPECT_EQ(network.architecture, row.architecture);
    EXPECT_EQ(report.prefix, (*row.wrapper ? std::string(row.wrapper) + "." : "") + row.prefix);
    EXPECT_EQ(report.matched, row.tensors);
    std::size_t dropped = 0;
    for (const networks::DroppedKeys& keys : report.dropped) dropped += keys.keys.size();
    EXPECT_EQ(dropped, row.beside.size());
    EXPECT_EQ(images::Transform::parse(features::parse_backbone(row.name).transform).describe(),
              images::Transform::parse(std::string(row.geometry) + row.normalisation).describe());
  }
}

// The rows of today's encoders, as ENCODERS.md of the project's notes states them: each once more, by another hand than
// the YAML's. What their files hold is read by the layouts' own tests and by golden/encoders.
struct EncoderRow {
  const char *name, *architecture, *file, *geometry, *normalisation, *act, *eps, *positions, *layer, *pool;
};

std::vector<EncoderRow> encoder_rows() {
  constexpr const char* kClip = "mean=0.48145466/0.4578275/0.40821073,std=0.26862954/0.26130258/0.27577711";
  constexpr const char* kHalf = "mean=0.5/0.5/0.5,std=0.5/0.5/0.5";
  return {{"clip-vit-b32", "vit-b32", "ViT-B-32.pt", "resize=224,filter=bicubic,crop=224,", kClip, "quick", "1e-5", "",
           "post", "default"},
          {"clip-vit-b16", "vit-b16", "ViT-B-16.pt", "resize=224,filter=bicubic,crop=224,", kClip, "quick", "1e-5", "",
           "post", "default"},
          {"clip-vit-l14", "vit-l14", "ViT-L-14.pt", "resize=224,filter=bicubic,crop=224,", kClip, "quick", "1e-5", "",
           "post", "default"},
          {"clip-vit-l14-336", "vit-l14", "ViT-L-14-336px.pt", "resize=336,filter=bicubic,crop=336,", kClip, "quick",
           "1e-5", "", "post", "default"},
          {"laion2b-vit-b32", "vit-b32", "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K",
           "resize=224,filter=bicubic,crop=224,", kClip, "exact", "1e-5", "antialias", "post", "default"},
          {"laion2b-vit-b16", "vit-b16", "models--laion--CLIP-ViT-B-16-laion2B-s34B-b88K",
           "resize=224,filter=bicubic,crop=224,", kClip, "exact", "1e-5", "antialias", "post", "default"},
          {"laion2b-vit-l14", "vit-l14", "models--laion--CLIP-ViT-L-14-laion2B-s32B-b82K",
           "resize=224,filter=bicubic,crop=224,", kHalf, "exact", "1e-5", "antialias", "post", "default"},
          {"datacomp-vit-b32", "vit-b32", "models--laion--CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
           "resize=224,filter=bicubic,crop=224,", kClip, "exact", "1e-5", "antialias", "post", "default"},
          {"datacomp-vit-b16", "vit-b16", "models--laion--CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
           "resize=224,filter=bicubic,crop=224,", kClip, "exact", "1e-5", "antialias", "post", "default"},
          {"datacomp-vit-l14", "vit-l14", "models--laion--CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
           "resize=224,filter=bicubic,crop=224,", kClip, "exact", "1e-5", "antialias", "post", "default"},
          {"siglip-vit-b16", "vit-b16", "models--google--siglip-base-patch16-224",
           "squash=224,filter=bicubic,crop=none,", kHalf, "tanh", "1e-6", "", "map", "default"},
          {"siglip2-vit-b16", "vit-b16", "models--google--siglip2-base-patch16-224",
           "squash=224,filter=bicubic,crop=none,", kHalf, "tanh", "1e-6", "", "map", "default"},
          {"dino-vit-s16", "vit-s16", "dino_deitsmall16_pretrain.pth", "resize=256,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "scale", "final", "last4"},
          {"dino-vit-b16", "vit-b16", "dino_vitbase16_pretrain.pth", "resize=256,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "scale", "final", "cls+avg"},
          {"dinov2-vit-s14", "vit-s14", "dinov2_vits14_pretrain.pth", "resize=256,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "scale", "final", "cls"},
          {"dinov2-vit-b14", "vit-b14", "dinov2_vitb14_pretrain.pth", "resize=256,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "scale", "final", "cls"},
          {"dinov2-vit-l14", "vit-l14", "dinov2_vitl14_pretrain.pth", "resize=256,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "scale", "final", "cls"},
          {"dinov2-vit-s14-reg", "vit-s14", "dinov2_vits14_reg4_pretrain.pth", "resize=256,filter=bicubic,crop=224,",
           kImageNet, "exact", "1e-6", "antialias", "final", "cls"},
          {"dinov2-vit-b14-reg", "vit-b14", "dinov2_vitb14_reg4_pretrain.pth", "resize=256,filter=bicubic,crop=224,",
           kImageNet, "exact", "1e-6", "antialias", "final", "cls"},
          {"dinov2-vit-l14-reg", "vit-l14", "dinov2_vitl14_reg4_pretrain.pth", "resize=256,filter=bicubic,crop=224,",
           kImageNet, "exact", "1e-6", "antialias", "final", "cls"},
          {"dinov3-vit-s16", "vit-s16", "dinov3_vits16_pretrain_lvd1689m-08c60483.pth",
           "resize=256,filter=bicubic,crop=224,", kImageNet, "exact", "1e-5", "", "final", "cls"},
          {"dinov3-vit-b16", "vit-b16", "dinov3_vitb16_pretrain_lvd1689m-73cec8be.pth",
           "resize=256,filter=bicubic,crop=224,", kImageNet, "exact", "1e-5", "", "final", "cls"},
          {"dinov3-vit-l16", "vit-l16", "dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth",
           "resize=256,filter=bicubic,crop=224,", kImageNet, "exact", "1e-5", "", "final", "cls"},
          {"mae-vit-b16", "vit-b16", "mae_pretrain_vit_base.pth", "resize=256,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "", "final", "cls"},
          {"mae-vit-l16", "vit-l16", "mae_pretrain_vit_large.pth", "resize=256,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "", "final", "cls"},
          {"deit3-vit-b16", "vit-b16", "deit_3_base_224_1k.pth", "resize=248,filter=bicubic,crop=224,", kImageNet,
           "exact", "1e-6", "", "final", "cls"},
          {"augreg-vit-b16", "vit-b16", "models--timm--vit_base_patch16_224.augreg2_in21k_ft_in1k",
           "resize=248,filter=bicubic,crop=224,", kHalf, "exact", "1e-6", "antialias", "final", "cls"},
          {"vit-b16", "vit-b16", "vit_b_16-c867db91.pth", "resize=256,filter=bilinear,crop=224,", kImageNet, "", "", "",
           "final", "cls"},
          {"convnext-t", "convnext-t", "convnext_tiny-983f1562.pth", "resize=236,filter=bilinear,crop=224,", kImageNet,
           "", "", "", "final", "default"},
          {"convnext-s", "convnext-s", "convnext_small-0c510722.pth", "resize=230,filter=bilinear,crop=224,", kImageNet,
           "", "", "", "final", "default"},
          {"convnext-b", "convnext-b", "convnext_base-6075fbad.pth", "resize=232,filter=bilinear,crop=224,", kImageNet,
           "", "", "", "final", "default"},
          {"swin-t", "swin-t", "swin_t-704ceda3.pth", "resize=232,filter=bicubic,crop=224,", kImageNet, "", "", "",
           "final", "avg"},
          {"swin-s", "swin-s", "swin_s-5e29d889.pth", "resize=246,filter=bicubic,crop=224,", kImageNet, "", "", "",
           "final", "avg"},
          {"swin-b", "swin-b", "swin_b-68c6b09e.pth", "resize=238,filter=bicubic,crop=224,", kImageNet, "", "", "",
           "final", "avg"},
          {"efficientnet-b0", "efficientnet-b0", "efficientnet_b0_rwightman-3dd342df.pth",
           "resize=256,filter=bicubic,crop=224,", kImageNet, "", "", "", "final", "avg"}};
}

TEST(Registry, EveryRowOfAnEncoderSaysWhatItsSourcesDo) {
  for (const EncoderRow& row : encoder_rows()) {
    SCOPED_TRACE(row.name);
    const features::Backbone backbone = features::parse_backbone(row.name);
    EXPECT_EQ(backbone.architecture, row.architecture);
    EXPECT_EQ(backbone.files.front(), row.file);
    EXPECT_EQ(images::Transform::parse(backbone.transform).describe(),
              images::Transform::parse(std::string(row.geometry) + row.normalisation).describe());
    std::map<std::string, std::string> facts;
    for (const auto& [name, value] :
         {std::pair("act", row.act), std::pair("eps", row.eps), std::pair("positions", row.positions)})
      if (*value) facts[name] = value;
    std::map<std::string, std::string> said;
    for (const networks::Fact& fact : backbone.facts) {
      double number = 0;
      said[fact.name] =
          parse_double(fact.value, number) && facts.contains(fact.name) && number == std::stod(facts[fact.name])
              ? facts[fact.name]
              : fact.value;
    }
    EXPECT_EQ(said, facts);
    EXPECT_EQ(backbone.layer, row.layer);
    EXPECT_EQ(backbone.pool, row.pool);
    EXPECT_NO_THROW(networks::outline_of(backbone.architecture));
  }
}

TEST(Registry, HasNoRowWithoutATestOfItsFile) {
  std::set<std::string> tested{"clip-rn50", "simclr"};  // below, and in clip_test.cc
  for (const Row& row : rows()) tested.insert(row.name);
  for (const EncoderRow& row : encoder_rows()) tested.insert(row.name);
  for (const features::Backbone& backbone : features::registry_backbones())
    if (backbone.kind == features::BackboneKind::weights) {
      EXPECT_TRUE(tested.contains(backbone.name)) << backbone.name;
    }
}

TEST(Registry, ClipHasItsTransformArchitectureAndHash) {
  const features::Backbone clip = features::parse_backbone("clip-rn50");
  EXPECT_EQ(clip.architecture, "clip-rn50");
  EXPECT_TRUE(clip.sha256.starts_with("afeb0e10"));
  EXPECT_EQ(images::Transform::parse(clip.transform).describe(),
            images::Transform::parse("resize=224,filter=bicubic,crop=224,mean=0.48145466/0.4578275/0.40821073,"
                                     "std=0.26862954/0.26130258/0.27577711")
                .describe());
}

// A conversion with a prefix of its own and blocks counted from 1.
TEST(Registry, SimclrReadsAConversionByAKeyMap) {
  const test::ScratchDir dir;
  std::string map = "# from TensorFlow\nresnet.conv1. conv1.\nresnet.bn1. bn1.\n";
  std::vector<networks::NamedTensor> tensors = test::trunk_tensors(test::shape_of("resnet50"), "resnet.");
  for (networks::NamedTensor& named : tensors) {
    if (!named.name.starts_with("resnet.layer")) continue;
    const std::string stage = named.name.substr(0, 14);  // "resnet.layer1."
    const int block = named.name[14] - '0';
    named.name = stage + std::to_string(block + 1) + named.name.substr(15);
    const std::string rule = stage + std::to_string(block + 1) + ". " + stage.substr(7) + std::to_string(block) + ".\n";
    if (!test::contains(map, rule)) map += rule;
  }
  write_file(dir / "converted.pth", tensors, "");
  write_file_atomically(dir / "map.txt", map);
  const std::string file = "simclr=" + (dir / "converted.pth").string();
  networks::LoadReport report;
  EXPECT_THROW(load_as_the_program(file, dir.path(), report), Error);
  const networks::Network network =
      load_as_the_program(file + ",keys=" + (dir / "map.txt").string(), dir.path(), report);
  EXPECT_EQ(report.matched, 318U);
  EXPECT_EQ(images::Transform::parse(features::parse_backbone(file).transform).describe(),
            images::Transform::parse("resize=256,filter=bilinear,crop=224,mean=0/0/0,std=1/1/1").describe());
}

// dino=FILE is the registry's row with another file; a name of one's own is a row of one's own.
TEST(Registry, ANameWithAFileKeepsItsTransform) {
  EXPECT_EQ(features::parse_backbone("dino=x.pth").transform, "dino");
  EXPECT_EQ(features::parse_backbone("dino=x.pth").licence, "Apache-2.0");
  EXPECT_EQ(features::parse_backbone("mine=x.pth").transform, "imagenet");
  EXPECT_EQ(features::parse_backbone("dino=x.pth,transform=imagenet").transform, "imagenet");
  EXPECT_EQ(features::parse_backbone("mine=x.pth,transform=resize=232,filter=bicubic,crop=224,arch=resnet50").transform,
            "resize=232,filter=bicubic,crop=224");
  EXPECT_EQ(features::parse_backbone("mine=x.pth,transform=dino,crop=200").transform, "dino,crop=200");
  EXPECT_THROW(features::parse_backbone("mine=x.pth,crop=224"), Error);  // of no transform
  EXPECT_THROW(features::parse_backbone("random=x.pth"), Error);
}

// A whole training checkpoint of DINO: two branches, and the run's arguments as a Namespace.
TEST(Registry, ReadsAWholeTrainingCheckpointWhenAsked) {
  const test::ScratchDir dir;
  const std::int64_t length = storage_length(test::trunk_tensors(test::shape_of("resnet18")));
  std::string both;
  for (const char* branch : {"student", "teacher"}) {
    both += test::text(branch) + "}(";
    const std::vector<networks::NamedTensor> tensors =
        test::trunk_tensors(test::shape_of("resnet18"), branch[0] == 's' ? "module.backbone." : "backbone.");
    for (const networks::NamedTensor& named : tensors)
      both += test::text(named.name) + tensor_pickle(named.tensor, length);
    both += test::text("surprise.weight") + tensor_pickle(test::constant("", {2}).tensor, length) + "u";
  }
  const std::string namespace_pickle =
      test::global("argparse", "Namespace") + ")\x81}(" + test::text("lr") + test::number(1) + "ub";
  write_file_atomically(
      dir / "checkpoint.pth",
      test::zip_checkpoint("\x80\x02}(" + both + test::text("args") + namespace_pickle + "u.", storages(length)));
  const std::string file = "mine=" + (dir / "checkpoint.pth").string();
  const auto why = [&](const std::string& options) {
    return test::refusal([&] {
      networks::LoadReport report;
      load_as_the_program(file + options, dir.path(), report);
    });
  };
  EXPECT_TRUE(test::contains(why(""), "argparse.Namespace"));
  EXPECT_TRUE(test::contains(why(",skip-foreign=yes"), "unexpected")) << "student and teacher are equal: one network";
  EXPECT_TRUE(test::contains(why(",skip-foreign=yes,branch=teacher"), "drop=surprise"));
  networks::LoadReport report;
  load_as_the_program(file + ",skip-foreign=yes,branch=teacher,drop=surprise", dir.path(), report);
  EXPECT_EQ(report.prefix, "teacher.backbone.");
  EXPECT_EQ(report.matched, 120U);
}

}  // namespace
}  // namespace vise
