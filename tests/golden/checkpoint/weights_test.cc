// The real, ImageNet-trained networks of ../shared/data/weights.
#include "base/error.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/inspect.h"
#include "tests/shared.h"

namespace vise {
namespace {

Path weights(const char* name) { return test::shared_dir() / "data" / "weights" / name; }

// Byte counts and SHA-256 are those of ../shared/data/README.md; tensors are torchvision's 122 and 320.
TEST(RealWeights, AreReadWhole) {
  VISE_NEEDS_SHARED();
  const networks::Checkpoint r18 = networks::read_checkpoint(weights("resnet18_imagenet_fp16.pth"));
  EXPECT_EQ(r18.container, networks::Container::zip);
  EXPECT_EQ(r18.tensors.size(), 122U);
  EXPECT_EQ(r18.sha256, "e6ed35a0aadbe015308c965035cf9f1b0fc39f70edaa789852ec3ea50af6b8ff");
  const networks::Checkpoint r50 = networks::read_checkpoint(weights("resnet50_imagenet_fp16.pth"));
  EXPECT_EQ(r50.file_size, 51'319'839U);
  EXPECT_EQ(r50.tensors.size(), 320U);
  EXPECT_EQ(r50.sha256, "af69a416c3db1ebc6221a39a82f123b7f70ddd799fe6c572efce1c54e5595996");
}

// 23,508,032 parameters without fc (torch counts them so); 11,176,512 for ResNet-18.
TEST(RealWeights, LoadAsTheirArchitecture) {
  VISE_NEEDS_SHARED();
  networks::LoadReport report;
  const networks::Network r50 =
      networks::load_network(networks::read_checkpoint(weights("resnet50_imagenet_fp16.pth")), {}, &report);
  EXPECT_EQ(r50.architecture, "resnet50");
  EXPECT_EQ(networks::outline(r50).layer("layer4").channels, 2048);
  EXPECT_EQ(networks::parameter_count(r50), 23'508'032U);
  EXPECT_EQ(report.matched, 318U);
  ASSERT_EQ(report.dropped.size(), 1U);
  EXPECT_EQ(report.dropped[0].rule, "classifier");
  EXPECT_EQ(report.dropped[0].keys, (std::vector<std::string>{"fc.weight", "fc.bias"}));
  const networks::Network r18 = networks::load_network(networks::read_checkpoint(weights("resnet18_imagenet_fp16.pth")),
                                                       {.architecture = "resnet18"});
  EXPECT_EQ(networks::outline(r18).layer("layer4").channels, 512);
  EXPECT_EQ(networks::parameter_count(r18), 11'176'512U);
}

TEST(RealWeights, AreNotLoadedAsAnotherArchitecture) {
  VISE_NEEDS_SHARED();
  const networks::Checkpoint r18 = networks::read_checkpoint(weights("resnet18_imagenet_fp16.pth"));
  try {
    networks::load_network(r18, {.architecture = "resnet50"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    EXPECT_NE(e.message().find("holds a resnet18, not a resnet50"), std::string::npos) << e.message();
  }
}

}  // namespace
}  // namespace vise
