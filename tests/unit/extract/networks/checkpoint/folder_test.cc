#include "extract/networks/checkpoint/folder.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "tests/shared.h"
#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::networks {
namespace {

namespace fs = std::filesystem;
using test::contains;
using test::refusal;

// A safetensors file of one float a tensor.
std::string weights(const std::vector<std::pair<std::string, float>>& tensors) {
  std::string header, data;
  for (const auto& [name, value] : tensors) {
    header += fmt::format(R"({}"{}":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}})", header.empty() ? "{" : ",",
                          name, data.size(), data.size() + 4);
    data += test::little(value);
  }
  return test::safetensors(header + "}", data);
}

void put(const Path& path, std::string_view text) { write_file_atomically(path, text); }

constexpr const char* kIndex = R"({"metadata":{"total_size":12},"weight_map":{"a":"model-00001-of-00002.safetensors",)"
                               R"("b":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}})";

// Three tensors in two shards.
void put_shards(const Path& folder) {
  put(folder / "model-00001-of-00002.safetensors", weights({{"c", 3}, {"a", 1}}));
  put(folder / "model-00002-of-00002.safetensors", weights({{"b", 2}}));
  put(folder / "model.safetensors.index.json", kIndex);
}

TEST(ModelFolder, PutsShardsTogetherInTheirOrder) {
  const test::ScratchDir scratch;
  put_shards(scratch.path());
  const Checkpoint checkpoint = read_checkpoint(scratch.path());
  EXPECT_EQ(container_name(checkpoint.container), "folder");
  EXPECT_EQ(checkpoint.path, scratch.path());
  std::string names;
  float sum = 0;
  for (const NamedTensor& named : checkpoint.tensors) {
    names += named.name;
    sum += named.tensor.to_floats().at(0);
  }
  EXPECT_EQ(names, "cab");
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(checkpoint.file_size, weights({{"c", 3}, {"a", 1}}).size() + weights({{"b", 2}}).size());
}

TEST(ModelFolder, HasTheHashThatSha256sumMakesOfItsFiles) {
  const test::ScratchDir scratch;
  const std::string bytes = weights({{"a", 1}});
  put(scratch / "model.safetensors", bytes);
  put(scratch / "config.json", "{}");
  put(scratch / "README.md", "nothing of the model");
  const std::string lines =
      sha256_hex("{}") + "  config.json\n" + sha256_hex(as_byte_view(bytes)) + "  model.safetensors\n";
  EXPECT_EQ(read_checkpoint(scratch.path()).sha256, sha256_hex(lines));
  const ModelFolder folder = find_model_folder(scratch.path());
  EXPECT_EQ(model_folder_sha256(folder), sha256_hex(lines));
  put(scratch / "config.json", "{} ");
  EXPECT_NE(model_folder_sha256(folder), sha256_hex(lines));
}

TEST(ModelFolder, TakesTransformersFilesBeforeOpenClips) {
  const test::ScratchDir scratch;
  put(scratch / "open_clip_pytorch_model.bin", "not read");
  put(scratch / "pytorch_model.bin", "not read");
  put(scratch / "model.safetensors", weights({{"a", 1}}));
  const ModelFolder folder = find_model_folder(scratch.path());
  EXPECT_EQ(folder.weights, std::vector<std::string>{"model.safetensors"});
  EXPECT_EQ(folder.passed_over, (std::vector<std::string>{"pytorch_model.bin", "open_clip_pytorch_model.bin"}));
  EXPECT_EQ(read_checkpoint(scratch.path()).tensors.size(), 1U);
}

TEST(ModelFolder, IsFoundInTheHubsCache) {
  const test::ScratchDir scratch;
  const Path cache = scratch / "models--org--name";
  const std::string bytes = weights({{"a", 1}});
  const Path blob = cache / "blobs" / sha256_hex(as_byte_view(bytes));
  put(blob, bytes);
  for (const char* revision : {"0123abcd", "ffff0000"}) {
    fs::create_directories(cache / "snapshots" / revision);
    fs::create_symlink("../../blobs/" + blob.filename().string(), cache / "snapshots" / revision / "model.safetensors");
  }
  EXPECT_TRUE(contains(refusal([&] { read_checkpoint(cache); }), "2 snapshots"));
  put(cache / "refs" / "main", "ffff0000");
  EXPECT_EQ(find_model_folder(cache).root, cache / "snapshots" / "ffff0000");
  EXPECT_EQ(read_checkpoint(cache).sha256, read_checkpoint(cache / "snapshots" / "0123abcd").sha256);
  put(cache / "refs" / "main", "../blobs");
  EXPECT_TRUE(contains(refusal([&] { read_checkpoint(cache); }), "no revision's name"));
  put(cache / "refs" / "main", "0000");
  EXPECT_THROW(read_checkpoint(cache), Error);
  // A download that broke off: the blob's name is the SHA-256 that was announced.
  put(blob, weights({{"a", 2}}));
  put(cache / "refs" / "main", "ffff0000\n");
  EXPECT_TRUE(contains(refusal([&] { read_checkpoint(cache); }), "hub's cache took it for"));
}

TEST(ModelFolder, WithoutWeightsOrAShardIsMissing) {
  const test::ScratchDir scratch;
  put(scratch / "config.json", "{}");
  EXPECT_FALSE(is_model_folder(scratch.path()));
  const auto kind = [&] {
    try {
      read_checkpoint(scratch.path());
      return std::string();
    } catch (const Error& e) {
      return e.kind() == ErrorKind::missing ? e.message() : "another kind";
    }
  };
  EXPECT_TRUE(contains(kind(), "is a folder without weights"));
  put_shards(scratch.path());
  EXPECT_TRUE(is_model_folder(scratch.path()));
  fs::remove(scratch / "model-00002-of-00002.safetensors");
  EXPECT_TRUE(contains(kind(), "names the shard model-00002-of-00002.safetensors, which isn't there"));
}

TEST(ModelFolder, RefusesAnIndexThatItsShardsContradict) {
  const test::ScratchDir scratch;
  const auto why = [&] { return refusal([&] { read_checkpoint(scratch.path()); }); };
  put_shards(scratch.path());
  put(scratch / "model-00002-of-00002.safetensors", weights({{"b", 2}, {"a", 1}}));
  EXPECT_TRUE(contains(why(), "the tensor 'a' stands in model-00001-of-00002.safetensors and in model-00002"));
  put(scratch / "model-00002-of-00002.safetensors", weights({{"b", 2}, {"d", 1}}));
  EXPECT_TRUE(contains(why(), "holds the tensor 'd', which model.safetensors.index.json doesn't name"));
  put(scratch / "model-00002-of-00002.safetensors", weights({{"b", 2}}));
  put(scratch / "model-00001-of-00002.safetensors", weights({{"c", 3}}));
  EXPECT_TRUE(contains(why(), "names 1 tensors that its shards lack: 'a' in model-00001"));
  put(scratch / "model-00001-of-00002.safetensors", weights({{"c", 3}, {"b", 2}}));
  put(scratch / "model-00002-of-00002.safetensors", weights({{"a", 1}}));
  EXPECT_TRUE(contains(why(), "the tensor 'b' stands in model-00001"));
}

TEST(WeightsIndex, RefusesWhatLeadsOutOfTheFolderOrIsNoIndex) {
  const auto why = [](const std::string& json) { return refusal([&] { parse_weights_index(json); }); };
  for (const char* name : {"../a.bin", "/etc/passwd", "sub/a.bin", "a\\\\b", "..", "", ".hidden", "a\\u0007"})
    EXPECT_TRUE(contains(why(fmt::format(R"({{"weight_map":{{"x":"{}"}}}})", name)), "is no file beside it")) << name;
  EXPECT_TRUE(contains(why(R"({"weight_map":{"x":"a","x":"b"}})"), "stands twice"));
  EXPECT_TRUE(contains(why(R"({"weight_map":{"x":"a"},"weight_map":{"x":"b"}})"), "stands twice"));
  for (const char* json : {"[]", "3", R"("a")", "{}", R"({"weight_map":{}})", R"({"weight_map":[]})",
                           R"({"weight_map":3})", R"({"weight_map":{"x":3}})", R"({"weight_map":{"x":["a"]}})",
                           R"({"weight_map":{"x":{"y":"a"}}})", R"({"metadata":{"weight_map":{"x":"a"}}})", "{", ""})
    EXPECT_FALSE(why(json).empty()) << json;
  EXPECT_TRUE(contains(why(R"({"m":)" + std::string(2000, '[')), "nested too deep"));
  EXPECT_EQ(parse_weights_index(R"({"metadata":{"m":[1,{"a":null}]},"weight_map":{"x":"b","a":"c"}})").at(0).file, "c");
}

}  // namespace
}  // namespace vise::networks
