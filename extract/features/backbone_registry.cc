// The registry's rows. Sources: PROTOCOL notes of the project, each project's own README or loader; a file's hash is
// listed only where its publisher states it.
#include "extract/features/backbone.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace vise {
namespace {

const std::string kTorchvision = "https://download.pytorch.org/models/";
const std::string kFacebook = "https://dl.fbaipublicfiles.com/";
const std::string kUmiacs = "https://obj.umiacs.umd.edu/publicmodels/";
const std::string kBox = "https://cornell.box.com/shared/static/";
const std::string kNonCommercial = "CC BY-NC 4.0";
const std::string kTorchvisionLicence = "BSD-3-Clause (code); weights as torchvision states";
const std::string kHe = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016";
const std::string kViseTransform =
    "VisE does not state its input transform; ImageNet's (resize 256, crop 224, ImageNet mean and std) is assumed";

// Three generations of links, the newest first: the README's mirror, the current hubconf's, the first hubconf's.
Backbone vise(std::string name, std::string title, std::vector<std::string> files) {
  Backbone b;
  b.name = std::move(name);
  b.title = std::move(title);
  b.architecture = "resnet50";
  b.urls = {kUmiacs + files.at(0), kBox + files.at(1), kBox + files.at(2)};
  b.files = std::move(files);
  b.licence = kNonCommercial;
  b.citation = "Jia et al., Exploring Visual Engagement Signals for Representation Learning, ICCV 2021";
  b.notes = {kViseTransform};
  return b;
}

Backbone torchvision(std::string name, std::string title, std::string architecture, std::vector<std::string> files,
                     std::string transform = "imagenet") {
  Backbone b;
  b.name = std::move(name);
  b.title = std::move(title);
  b.architecture = std::move(architecture);
  b.transform = std::move(transform);
  b.urls = {kTorchvision + files.front()};
  b.files = std::move(files);
  b.licence = kTorchvisionLicence;
  b.citation = kHe;
  return b;
}

// Networks of which only other people's conversions exist: the file is always named on the command line.
Backbone converted(std::string name, std::string title, std::vector<std::string> files, std::string transform,
                   std::string citation) {
  Backbone b;
  b.name = std::move(name);
  b.title = std::move(title);
  b.architecture = "resnet50";
  b.transform = std::move(transform);
  b.files = std::move(files);
  b.licence = "Apache-2.0 (the original weights)";
  b.citation = std::move(citation);
  b.notes = {"weights converted by a third party: layers and transform are as its converter made them"};
  return b;
}

// The published file is a TorchScript archive in half precision, read as weights; a state dict of it is read as well.
Backbone clip_rn50() {
  Backbone b;
  b.name = b.architecture = "clip-rn50";
  b.title = "CLIP RN50, image encoder with attention pooling";
  b.transform = "clip";
  b.files = {"RN50.pt"};
  b.sha256 = "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762";
  b.urls = {"https://openaipublic.azureedge.net/clip/models/" + b.sha256 + "/RN50.pt"};
  b.licence = "MIT";
  b.citation = "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021";
  return b;
}

struct Row {
  const char *name, *title, *file, *url, *transform, *licence, *citation;
};

Backbone plain(const Row& row) {
  Backbone b;
  b.name = row.name;
  b.title = row.title;
  b.architecture = "resnet50";
  b.transform = row.transform;
  b.files = {row.file};
  b.urls = {row.url};
  b.licence = row.licence;
  b.citation = row.citation;
  return b;
}

Backbone random_network(std::string name, std::string architecture) {
  Backbone b;
  b.name = std::move(name);
  b.title = "random " + architecture + " (seeded), the floor of architecture alone";
  b.kind = BackboneKind::random;
  b.architecture = std::move(architecture);
  b.licence = "none";
  return b;
}

Backbone floor(std::string name, std::string title, ImageFunction function) {
  Backbone b;
  b.name = std::move(name);
  b.title = std::move(title);
  b.kind = BackboneKind::image_function;
  b.transform = "";
  b.licence = "none";
  b.function = std::make_shared<const ImageFunction>(std::move(function));
  return b;
}

Backbone colour_histogram_floor() {
  return floor("colour-histogram", "8 x 8 x 8 RGB histogram of the decoded image: the floor of colour alone",
               {{{"floor", "colour-histogram"}, {"cells", "8x8x8 RGB, square roots"}, {"numerics", 1}},
                kColourHistogramDim,
                [](const DecodedFile& file) { return colour_histogram(file.image); }});
}

Backbone image_metadata_floor() {
  return floor("image-metadata", "size, aspect, bytes and JPEG quality of the file: the floor of no picture at all",
               {{{"floor", "image-metadata"}, {"numerics", 1}}, kImageMetadataDim, image_metadata});
}

std::vector<Backbone> make_rows() {
  const std::string moco = kFacebook + "moco/moco_checkpoints/";
  const std::string semi = kFacebook + "semiweaksupervision/model_files/";
  const std::string moco_v1 = moco + "moco_v1_200ep/moco_v1_200ep_pretrain.pth.tar";
  const std::string moco_200 = moco + "moco_v2_200ep/moco_v2_200ep_pretrain.pth.tar";
  const std::string moco_800 = moco + "moco_v2_800ep/moco_v2_800ep_pretrain.pth.tar";
  const std::string moco_v3 = kFacebook + "moco-v3/r-50-1000ep/r-50-1000ep.pth.tar";
  const std::string swav = kFacebook + "deepcluster/swav_800ep_pretrain.pth.tar";
  const std::string dino = kFacebook + "dino/dino_resnet50_pretrain/dino_resnet50_pretrain.pth";
  const std::string swsl = semi + "semi_weakly_supervised_resnet50-16a12f1b.pth";
  const std::string ssl = semi + "semi_supervised_resnet50-08389792.pth";
  const std::string barlow = kFacebook + "barlowtwins/ljng/resnet50.pth", vicreg = kFacebook + "vicreg/resnet50.pth";
  const std::string places = "http://places2.csail.mit.edu/models_places365/resnet50_places365.pth.tar";
  const std::string timm =
      "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-rsb-weights/resnet50_a1_0-14fe96d1.pth";
  std::vector<Backbone> rows{
      vise("vise-250m", "VisE-250M ResNet-50",
           {"vise_250m_rn50_ep10.pth", "y210vs3iktungg7wrf72ibzl87jrojna.pth", "b902w3tgd042stfocdxsf6nqv8egmbwn.pth"}),
      vise("vise-1.2m", "VisE-1.2M ResNet-50",
           {"vise_1m_rn50_ep100.pth", "r36nd2o0w5ch6ujuaxj0mtasxaqg0l5t.pth", "iewb4hlabndnxtkvkiojzxyk54y5uzxd.pth"}),
      torchvision("imagenet-v1", "ImageNet-1k supervised ResNet-50 (torchvision V1): the paper's IN-Sup", "resnet50",
                  {"resnet50-0676ba61.pth", "resnet50-19c8e357.pth"}),
      torchvision("imagenet-v2", "ImageNet-1k supervised ResNet-50 (torchvision V2 recipe)", "resnet50",
                  {"resnet50-11ad3fa6.pth"}, "imagenet-v2"),
      torchvision("resnet18", "ImageNet-1k supervised ResNet-18", "resnet18",
                  {"resnet18-f37072fd.pth", "resnet18-5c106cde.pth"}),
      torchvision("resnet34", "ImageNet-1k supervised ResNet-34", "resnet34",
                  {"resnet34-b627a593.pth", "resnet34-333f7ec4.pth"}),
      torchvision("resnet101", "ImageNet-1k supervised ResNet-101", "resnet101", {"resnet101-63fe2227.pth"}),
      torchvision("resnet101-v2", "ResNet-101 (torchvision V2 recipe)", "resnet101", {"resnet101-cd907fc2.pth"},
                  "imagenet-v2"),
      torchvision("resnet152", "ImageNet-1k supervised ResNet-152", "resnet152", {"resnet152-394f9c45.pth"}),
      torchvision("resnet152-v2", "ResNet-152 (torchvision V2 recipe)", "resnet152", {"resnet152-f82ba261.pth"},
                  "imagenet-v2"),
      torchvision("resnext50", "ResNeXt-50 32x4d", "resnext50_32x4d", {"resnext50_32x4d-7cdf4587.pth"}),
      torchvision("resnext50-v2", "ResNeXt-50 32x4d (torchvision V2 recipe)", "resnext50_32x4d",
                  {"resnext50_32x4d-1a0047aa.pth"}, "imagenet-v2"),
      torchvision("wide-resnet50", "Wide ResNet-50-2", "wide_resnet50_2", {"wide_resnet50_2-95faca4d.pth"}),
      torchvision("wide-resnet50-v2", "Wide ResNet-50-2 (torchvision V2 recipe)", "wide_resnet50_2",
                  {"wide_resnet50_2-9ba9bcbe.pth"}, "imagenet-v2"),
      plain({"moco-v1", "MoCo v1, 200 epochs, ResNet-50", "moco_v1_200ep_pretrain.pth.tar", moco_v1.c_str(), "imagenet",
             "CC BY-NC 4.0", "He et al., Momentum Contrast, CVPR 2020"}),
      plain({"moco-v2-200", "MoCo v2, 200 epochs, ResNet-50", "moco_v2_200ep_pretrain.pth.tar", moco_200.c_str(),
             "imagenet", "CC BY-NC 4.0", "Chen et al., Improved Baselines with Momentum Contrastive Learning, 2020"}),
      plain({"moco-v2", "MoCo v2, 800 epochs, ResNet-50", "moco_v2_800ep_pretrain.pth.tar", moco_800.c_str(),
             "imagenet", "CC BY-NC 4.0", "Chen et al., Improved Baselines with Momentum Contrastive Learning, 2020"}),
      plain({"moco-v3", "MoCo v3, 1000 epochs, ResNet-50", "r-50-1000ep.pth.tar", moco_v3.c_str(), "imagenet",
             "CC BY-NC 4.0",
             "Chen et al., An Empirical Study of Training Self-Supervised Vision Transformers, ICCV 2021"}),
      plain({"swav", "SwAV, 800 epochs, ResNet-50", "swav_800ep_pretrain.pth.tar", swav.c_str(), "swav", "CC BY-NC 4.0",
             "Caron et al., Unsupervised Learning by Contrasting Cluster Assignments, NeurIPS 2020"}),
      plain({"dino", "DINO ResNet-50", "dino_resnet50_pretrain.pth", dino.c_str(), "dino", "Apache-2.0",
             "Caron et al., Emerging Properties in Self-Supervised Vision Transformers, ICCV 2021"}),
      plain({"barlow-twins", "Barlow Twins ResNet-50", "barlowtwins_resnet50.pth", barlow.c_str(), "imagenet", "MIT",
             "Zbontar et al., Barlow Twins, ICML 2021"}),
      plain({"vicreg", "VICReg ResNet-50", "vicreg_resnet50.pth", vicreg.c_str(), "imagenet", "MIT",
             "Bardes et al., VICReg, ICLR 2022"}),
      plain({"places365", "Places365 ResNet-50: scene control", "resnet50_places365.pth.tar", places.c_str(), "places",
             "CC BY", "Zhou et al., Places, TPAMI 2017"}),
      plain({"swsl", "Semi-weakly supervised ResNet-50 (IG-940M hashtags)",
             "semi_weakly_supervised_resnet50-16a12f1b.pth", swsl.c_str(), "imagenet", "CC BY-NC 4.0",
             "Yalniz et al., Billion-scale semi-supervised learning, 2019"}),
      plain({"ssl", "Semi-supervised ResNet-50 (YFCC-100M)", "semi_supervised_resnet50-08389792.pth", ssl.c_str(),
             "imagenet", "CC BY-NC 4.0", "Yalniz et al., Billion-scale semi-supervised learning, 2019"}),
      plain({"timm-a1", "timm ResNet-50 A1", "resnet50_a1_0-14fe96d1.pth", timm.c_str(), "timm-a1", "Apache-2.0",
             "Wightman et al., ResNet strikes back, 2021"}),
      clip_rn50(),
      converted("simclr", "SimCLR ResNet-50 (1x), converted from TensorFlow", {}, "simclr",
                "Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, ICML 2020"),
      converted("byol", "BYOL ResNet-50 (1x), converted from JAX", {"pretrain_res50x1.pth.tar"}, "imagenet",
                "Grill et al., Bootstrap Your Own Latent, NeurIPS 2020"),
      random_network("random", "resnet50"),
      random_network("random-resnet18", "resnet18"),
      colour_histogram_floor(),
      image_metadata_floor()};
  for (Backbone& b : rows) {
    if (b.name == "swsl" || b.name == "ssl")
      b.notes = {"the publisher does not state the transform; ImageNet's is assumed"};
    if (b.name == "moco-v1") b.md5 = "b251726a";
    if (b.name == "moco-v2-200") b.md5 = "59fd9945";
    if (b.name == "moco-v2") b.md5 = "a04e12f8";
  }
  return rows;
}

std::vector<Backbone>& list() {
  static std::vector<Backbone> rows = make_rows();
  return rows;
}

}  // namespace

const std::vector<Backbone>& registry_backbones() { return list(); }

void add_backbone(Backbone row) {
  if (std::ranges::any_of(list(), [&](const Backbone& known) { return known.name == row.name; }))
    throw Error(ErrorKind::usage, fmt::format("there is a backbone '{}' already", row.name), "give yours another name");
  list().push_back(std::move(row));
}

}  // namespace vise
