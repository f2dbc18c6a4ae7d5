#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "extract/features/backbone.h"
#include "tests/shared.h"

namespace vise::features {
namespace {

std::string facts_of(const Backbone& backbone) {
  std::string text;
  for (const networks::Fact& fact : backbone.facts)
    text += fmt::format("{}={} ({}); ", fact.name, fact.value, fact.source);
  return text;
}

bool contains(const std::string& whole, std::string_view part) { return whole.find(part) != std::string::npos; }

class FolderWeights : public ::testing::Test {
 protected:
  void put(const Path& path, std::string_view text) { write_file_atomically(scratch_ / path, text); }
  void put_model(const Path& folder) {
    put(folder / "model.safetensors", "weights");
    put(folder / "config.json", R"({"model_type":"clip","vision_config":{"hidden_act":"gelu"}})");
    put(folder / "preprocessor_config.json",
        R"({"image_processor_type":"CLIPImageProcessorFast","size":{"shortest_edge":8},"resample":2,"do_center_crop":true,)"
        R"("crop_size":8,"image_mean":[0,0,0],"image_std":[1,1,1]})");
  }
  FoundWeights find(const Backbone& backbone, const WeightsSearch& search = {}) {
    PathCache known(scratch_ / "paths");
    return find_weights(backbone, search, known, Context{log_});
  }

  test::ScratchDir scratch_;
  Silent log_;
};

TEST_F(FolderWeights, AFolderIsABackboneWithAHashOverItsFiles) {
  put_model("m");
  const FoundWeights found = find(parse_backbone("mine=" + (scratch_ / "m").string()));
  EXPECT_EQ(found.file, scratch_ / "m");
  EXPECT_EQ(found.anchor, scratch_ / "m" / "model.safetensors");
  EXPECT_EQ(found.hashes, std::vector<std::string>{sha256_hex("weights")});
  EXPECT_TRUE(found.notes.empty());
  put("m/config.json", "{}");
  EXPECT_NE(find(parse_backbone("mine=" + (scratch_ / "m").string())).sha256, found.sha256);
}

TEST_F(FolderWeights, ARowIsFoundInTheHubsCache) {
  put_model("hub/models--openai--clip-vit-base-patch16/snapshots/0123");
  WeightsSearch search{{scratch_ / "nothing"}, true};
  search.hubs = {scratch_ / "hub"};
  const Path cache = scratch_ / "hub/models--openai--clip-vit-base-patch16";
  EXPECT_EQ(find(parse_backbone("clip-vit-b16"), search).file, cache);
  put("nothing/ViT-B-16.pt", "the authors' own file comes first");
  EXPECT_EQ(find(parse_backbone("clip-vit-b16"), search).file, scratch_ / "nothing/ViT-B-16.pt");
}

TEST_F(FolderWeights, WithoutThemTheCureNamesTheHubsClient) {
  WeightsSearch search{{scratch_ / "nothing"}, true};
  search.hubs = {scratch_ / "hub"};
  put("hub/models--google--siglip-base-patch16-224/snapshots/0123/config.json", "{}");  // a download that broke off
  try {
    find(parse_backbone("siglip-vit-b16"), search);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
    EXPECT_TRUE(contains(e.hint(), "huggingface-cli download google/siglip-base-patch16-224"));
    EXPECT_TRUE(contains(e.hint(), (scratch_ / "hub").string()));
  }
}

TEST_F(FolderWeights, ConfigsSpeakAfterTheUserAndBeforeTheRow) {
  put_model("m");
  Backbone mine = parse_backbone("clip-vit-b16=" + (scratch_ / "m").string() + ",eps=1e-6");
  learn_from_weights(mine, find(mine));
  EXPECT_TRUE(facts_of(mine).starts_with("eps=1e-6 (the user); act=exact (config.json); "));
  EXPECT_TRUE(contains(facts_of(mine), "act=quick (the registry's row)"));
  networks::Facts facts = load_request(mine).facts;
  EXPECT_EQ(facts.activation(), networks::Activation::gelu_exact);
  EXPECT_EQ(facts.eps(), 1e-6);
  EXPECT_EQ(mine.transform, "resize=8,filter=bilinear,crop=8,mean=0/0/0,std=1/1/1");
  EXPECT_EQ(mine.transform_source, "preprocessor_config.json");
  EXPECT_EQ(mine.layer, "post");
}

TEST_F(FolderWeights, TheUsersTransformStays) {
  put_model("m");
  Backbone mine = parse_backbone("mine=" + (scratch_ / "m").string() + ",transform=dino");
  learn_from_weights(mine, find(mine));
  EXPECT_EQ(mine.transform, "dino");
  EXPECT_EQ(mine.transform_source, "the user");
}

TEST_F(FolderWeights, APublishedHashIsKnownWhereverTheFileLies) {
  put("run7.bin", "anything");
  Backbone mine = parse_backbone("mine=" + (scratch_ / "run7.bin").string());
  FoundWeights found = find(mine);
  learn_from_weights(mine, found);
  EXPECT_TRUE(mine.facts.empty());
  EXPECT_EQ(mine.transform_source, "");
  // As if its bytes were OpenAI's.
  found.hashes = {parse_backbone("clip-vit-b32").sha256};
  learn_from_weights(mine, found);
  EXPECT_TRUE(contains(facts_of(mine), "act=quick (the published SHA-256 of clip-vit-b32)"));
  EXPECT_EQ(mine.transform, "clip");
  EXPECT_EQ(mine.layer, "post");
  ASSERT_EQ(mine.notes.size(), 1u);
  EXPECT_TRUE(contains(mine.notes[0], "clip-vit-b32"));
  // Its first digits alone prove nothing.
  EXPECT_EQ(backbone_of_sha256(found.hashes[0].substr(0, 8)), nullptr);
}

TEST(BackboneFacts, AreSaidByTheUserAndChecked) {
  const Backbone mine =
      parse_backbone("mine=a.pt,act=quick,positions=scale,eps=1e-5,transform=pad=224,crop=none,fill=9");
  EXPECT_EQ(mine.facts.size(), 3u);
  EXPECT_EQ(mine.facts[0].source, kUserSource);
  EXPECT_EQ(mine.transform, "pad=224,crop=none,fill=9");
  for (const char* text : {"mine=a.pt,act=gelu", "mine=a.pt,eps=0", "mine=a.pt,eps=x", "mine=a.pt,positions=bicubic",
                           "mine=a.pt,act=quick,act=exact", "random,act=quick", "colour-histogram,eps=1e-6"})
    EXPECT_THROW(parse_backbone(text), Error) << text;
  // Against a row, the user is believed.
  networks::Facts facts = load_request(parse_backbone("clip-vit-b32,act=exact")).facts;
  EXPECT_EQ(facts.activation(), networks::Activation::gelu_exact);
}

}  // namespace
}  // namespace vise::features
