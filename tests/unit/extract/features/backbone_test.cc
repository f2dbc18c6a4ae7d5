#include "extract/features/backbone.h"

#include "base/error.h"
#include "base/hash.h"
#include "tests/shared.h"

namespace vise::features {
namespace {

TEST(Backbone, ParsesAFileWithItsOptions) {
  const Backbone b = parse_backbone("mine=runs/7.pth,arch=resnet18,transform=dino");
  EXPECT_EQ(b.name, "mine");
  EXPECT_EQ(b.file, "runs/7.pth");
  EXPECT_EQ(b.architecture, "resnet18");
  EXPECT_EQ(b.transform, "dino");
}

TEST(Backbone, SuggestsTheNearestNameAndOption) {
  try {
    parse_backbone("vise-250");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(e.hint().find("'vise-250m'"), std::string::npos);
  }
  try {
    parse_backbone("mine=a.pth,archh=resnet18");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("'arch'"), std::string::npos);
  }
  EXPECT_THROW(parse_backbone("mine="), Error);
  EXPECT_THROW(parse_backbone("resnet18,seed=1"), Error);
}

TEST(Backbone, EveryRegistryRowNamesItsLicence) {
  for (const Backbone& b : registry_backbones()) EXPECT_FALSE(b.licence.empty()) << b.name;
}

TEST(Weights, MissingOnesAreAnErrorThatSaysWhatToPutWhere) {
  const test::ScratchDir scratch;
  PathCache known(scratch / "paths");
  Silent log;
  try {
    find_weights(parse_backbone("vise-250m"), {{scratch.path()}, true}, known, Context{log});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
    for (const char* part : {"vise_250m_rn50_ep10.pth", "CC BY-NC 4.0", "--backbone vise-250m=FILE"})
      EXPECT_NE(e.hint().find(part), std::string::npos) << part;
    EXPECT_NE(e.hint().find(scratch.path().string()), std::string::npos);
  }
}

TEST(Weights, AFileThatBreaksTheHashInItsNameIsUsedWithANote) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "resnet18-5c106cde.pth", std::string_view("not those weights"));
  PathCache known(scratch / "paths");
  RecordingLog log;
  const FoundWeights found = find_weights(parse_backbone("resnet18"), {{scratch.path()}, true}, known, Context{log});
  EXPECT_EQ(found.sha256, sha256_hex("not those weights"));
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_NE(found.notes[0].find("5c106cde"), std::string::npos);
  EXPECT_EQ(log.warnings(), found.notes);
}

TEST(Weights, AnOlderNameIsFoundWhenThePreferredOneIsNotThere) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "iewb4hlabndnxtkvkiojzxyk54y5uzxd.pth", std::string_view("x"));
  PathCache known(scratch / "paths");
  Silent log;
  EXPECT_EQ(find_weights(parse_backbone("vise-1.2m"), {{"/nowhere", scratch.path()}, true}, known, Context{log}).file,
            scratch / "iewb4hlabndnxtkvkiojzxyk54y5uzxd.pth");
}

}  // namespace
}  // namespace vise::features
