#include "extract/networks/inspect.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "extract/networks/checkpoint/read_hub_config.h"
#include "tests/shared.h"

namespace vise::networks {
namespace {

std::string safetensors(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
}

const std::string kSmall = safetensors(
    R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[],"data_offsets":[2,4]}})",
    std::string("\x01\x02\x00\x7c", 4));

TEST(Inspect, DescribesACheckpointOfNoKnownArchitecture) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "x.bin", kSmall);
  const CheckpointInspection seen = inspect_checkpoint(scratch / "x.bin");
  EXPECT_FALSE(seen.match.has_value());
  const Json json = to_json(seen, true);
  EXPECT_EQ(json["container"], "safetensors");
  EXPECT_EQ(json["tensor_count"], 2);
  EXPECT_EQ(json["match"], nullptr);
  EXPECT_TRUE(json["mismatch"].get<std::string>().starts_with("holds 2 tensors, but no network that is known"));
  EXPECT_EQ(json["tensors"][0]["sum"], 3.0);
  // printf '\1\2' | sha256sum
  EXPECT_EQ(json["tensors"][0]["sha256"], "a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222");
  EXPECT_EQ(json["tensors"][1]["sum"], "inf");
  EXPECT_EQ(json["tensors"][1]["shape"], Json::array());
  EXPECT_FALSE(to_json(seen, false).contains("tensors"));
  EXPECT_NE(to_text(seen, true).find("float16"), std::string::npos);
}

TEST(Inspect, SaysOfAFolderWhatItsConfigsSay) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "pytorch_model.bin", kSmall);
  write_file_atomically(scratch / "model.safetensors", kSmall);
  write_file_atomically(scratch / "config.json", std::string_view(R"({"model_type":"vit","layer_norm_eps":1e-12})"));
  write_file_atomically(scratch / "preprocessor_config.json", std::string_view(R"({"size":3})"));
  const Json json = to_json(inspect_checkpoint(scratch.path()), false);
  EXPECT_EQ(json["container"], "folder");
  EXPECT_EQ(json["name_hash"], nullptr);
  EXPECT_EQ(json["files"], Json::array({"config.json", "model.safetensors", "preprocessor_config.json"}));
  EXPECT_EQ(json["passed_over_files"], Json::array({"pytorch_model.bin"}));
  EXPECT_EQ(json["config"]["model"], "vit (transformers)");
  EXPECT_EQ(json["config"]["facts"][1], Json({{"name", "eps"}, {"value", "1e-12"}, {"source", "config.json"}}));
  EXPECT_EQ(json["config"]["transform"], nullptr);
  EXPECT_TRUE(json["config"]["notes"][0].get<std::string>().starts_with("preprocessor_config.json: "));
  const std::string text = to_text(inspect_checkpoint(scratch.path()), false);
  for (const char* part : {"files         config.json", "passed over   pytorch_model.bin", "eps=1e-12 (config.json)",
                           "act=exact (transformers' default for vit"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

// Every fact that a config can say is one that facts.h takes.
TEST(Inspect, ConfigsSayFactsThatAreUnderstood) {
  for (const char* type : {"clip", "siglip", "dinov2", "dinov2_with_registers", "dinov3_vit", "vit", "convnext"}) {
    const HubConfig config = read_configs({.config = std::string(R"({"model_type":")") + type + R"("})"});
    Facts facts;
    for (const Fact& fact : config.facts) EXPECT_NO_THROW(facts.say(fact.name, fact.value, fact.source)) << fact.name;
    EXPECT_TRUE(facts.knows("act")) << type;
  }
}

TEST(HashInName, IsReadAsTorchHubWritesIt) {
  const std::string sha = "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a";
  EXPECT_TRUE(hash_in_name("w/resnet50-0676ba61.pth", sha).agrees);
  EXPECT_EQ(hash_in_name("w/resnet50-19c8e357.pth", sha).digits, "19c8e357");
  EXPECT_FALSE(hash_in_name("w/resnet50-19c8e357.pth", sha).agrees);
  EXPECT_EQ(hash_in_name("resnet50.pth", sha).digits, "");
  EXPECT_EQ(hash_in_name("moco_v2_800ep_pretrain.pth.tar", sha).digits, "");
  EXPECT_EQ(hash_in_name("model-final.pth", sha).digits, "");
  EXPECT_EQ(hash_in_name("run-20211010.pth", sha).digits, "");  // a date, not a hash
}

}  // namespace
}  // namespace vise::networks
