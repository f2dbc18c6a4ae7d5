#include "extract/networks/inspect.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/shared.h"

namespace vise {
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
  EXPECT_TRUE(json["mismatch"].get<std::string>().starts_with("holds 2 tensors, but no residual network's"));
  EXPECT_EQ(json["tensors"][0]["sum"], 3.0);
  // printf '\1\2' | sha256sum
  EXPECT_EQ(json["tensors"][0]["sha256"], "a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222");
  EXPECT_EQ(json["tensors"][1]["sum"], "inf");
  EXPECT_EQ(json["tensors"][1]["shape"], Json::array());
  EXPECT_FALSE(to_json(seen, false).contains("tensors"));
  EXPECT_NE(to_text(seen, true).find("float16"), std::string::npos);
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
}  // namespace vise
