#include "extract/networks/checkpoint/readers.h"
#include "extract/networks/checkpoint/tar.h"
#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::networks {
namespace {

using test::contains;
using test::refusal;

constexpr const char* kTwo = R"({"y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"__metadata__":{"a":"b"},)"
                             R"("a/~x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}})";

ContainerContents read(const std::string& bytes) { return read_container(as_byte_view(bytes), nullptr, {}); }

std::string why_not(std::string_view header, std::string_view data) {
  return refusal([&] { read(test::safetensors(header, data)); });
}

TEST(Safetensors, GivesTensorsInTheHeadersOrder) {
  const std::string bytes = test::safetensors(kTwo, std::string(8, '\0') + test::little(1.5F));
  const ContainerContents contents = read(bytes);
  EXPECT_EQ(contents.container, Container::safetensors);
  ASSERT_EQ(contents.tensors.size(), 2U);
  EXPECT_EQ(contents.tensors[0].name, "y");
  EXPECT_EQ(contents.tensors[0].tensor.to_floats(), std::vector<float>{1.5F});
  EXPECT_EQ(contents.tensors[1].pointer, "/a~1~0x");
  EXPECT_EQ(contents.tensors[1].tensor.strides, (std::vector<std::int64_t>{2, 1}));
}

TEST(Safetensors, RefusesAHeaderThatSaysAnythingTwiceOrAside) {
  constexpr const char* x = R"("x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_TRUE(contains(why_not(std::string("{") + x + "," + x + "}", "1"), "stands twice"));
  EXPECT_TRUE(
      contains(why_not(R"({"x":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", "1"), "stands twice"));
  EXPECT_TRUE(
      contains(why_not(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":"z"}})", "1"), "unknown field"));
  EXPECT_TRUE(
      contains(why_not(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", "1"), "more than two offsets"));
  EXPECT_TRUE(contains(why_not(R"({"x":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", "1"), "an array"));
  EXPECT_TRUE(contains(why_not(R"({"x":{"dtype":"U8","shape":{"a":1},"data_offsets":[0,1]}})", "1"), "an object"));
  EXPECT_TRUE(contains(why_not(R"({"x":[1]})", "1"), "an array"));
  EXPECT_TRUE(
      contains(why_not(std::string(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})") + '\0', "1"), "a NUL"));
}

TEST(Safetensors, RefusesBytesThatNoTensorCovers) {
  EXPECT_TRUE(contains(why_not("{}", "1"), "cover 0 of 1 bytes"));
  EXPECT_TRUE(contains(why_not(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", "12"), "leave a hole"));
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string good = test::safetensors(kTwo, std::string(8, '\0') + test::little(1.5F));
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_THROW(read(good.substr(0, size)), Error) << size;
}

std::string tar_member(std::string name, const std::string& data, char type = '0') {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char octal[13];
  std::snprintf(octal, sizeof octal, "%011o", static_cast<unsigned>(data.size()));
  header.replace(124, 11, octal);
  header[156] = type;
  header.replace(257, 5, "ustar");
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(octal, sizeof octal, "%06o", sum);
  header.replace(148, 7, std::string(octal) + '\0');
  return header + data + std::string((512 - data.size() % 512) % 512, '\0');
}

TEST(Tar, ReadsPlainMembersAndRefusesLinks) {
  const std::string end(1024, '\0');
  const std::string good = tar_member("./a", "hello") + tar_member("b", std::string(600, 'b')) + end;
  const auto members = read_tar(as_byte_view(good));
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].name, "a");
  EXPECT_EQ(members[1].data.size(), 600U);
  EXPECT_TRUE(contains(refusal([&] { read_tar(as_byte_view(tar_member("l", "", '2') + end)); }), "only plain files"));
  EXPECT_TRUE(
      contains(refusal([&] { read_tar(as_byte_view(tar_member("a", "1") + tar_member("a", "2"))); }), "two members"));
  std::string damaged = good;
  damaged[3] = 'x';
  EXPECT_TRUE(contains(refusal([&] { read_tar(as_byte_view(damaged)); }), "checksum"));
  EXPECT_TRUE(contains(refusal([&] { read_tar(as_byte_view(good.substr(0, 515))); }), "cut off"));
}

}  // namespace
}  // namespace vise::networks
