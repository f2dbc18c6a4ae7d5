#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/checkpoint/readers.h"
#include "tests/shared.h"
#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::networks {
namespace {

using test::contains;
using test::float_tensor;
using test::refusal;
using test::text;

const std::string kFloats = test::little(1.0F) + test::little(2.0F);

ContainerContents read(const std::string& bytes, const ReadOptions& options = {}) {
  return read_container(as_byte_view(bytes), nullptr, options);
}

std::string why_not(const std::string& bytes) {
  return refusal([&] { read(bytes); });
}

TEST(Checkpoint, GivesTensorsAsViewsOfTheFile) {
  const std::string bytes = test::zip_checkpoint("\x80\x02}" + text("w") + float_tensor("0", 2, 2) + "s.", {kFloats});
  const ContainerContents contents = read(bytes);
  EXPECT_EQ(contents.container, Container::zip);
  ASSERT_EQ(contents.tensors.size(), 1U);
  EXPECT_EQ(contents.tensors[0].name, "w");
  EXPECT_EQ(contents.tensors[0].pointer, "/w");
  EXPECT_EQ(contents.tensors[0].tensor.to_floats(), (std::vector<float>{1, 2}));
  const auto* const at = reinterpret_cast<const char*>(contents.tensors[0].tensor.storage.data());
  EXPECT_TRUE(at > bytes.data() && at < bytes.data() + bytes.size());
}

TEST(Checkpoint, NamesTensorsByTheirPath) {
  const std::string inner = "}" + text("a~b/c") + float_tensor("0", 2, 1) + "s";
  const std::string bytes = test::zip_checkpoint("\x80\x02}" + text("list") + "](" + inner + "es.", {kFloats});
  const ContainerContents contents = read(bytes);
  ASSERT_EQ(contents.tensors.size(), 1U);
  EXPECT_EQ(contents.tensors[0].name, "list.0.a~b/c");
  EXPECT_EQ(contents.tensors[0].pointer, "/list/0/a~0b~1c");
}

TEST(Checkpoint, ReadsTheSamePickleFromTheOldStream) {
  const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  const std::string facts = "\x80\x02}" + text("little_endian") + "\x88s.";
  std::string tensor = float_tensor("7", 2, 2);
  tensor.replace(tensor.find("tQ"), 2, "NtQ");  // the sixth item of the old ids
  const std::string bytes = magic + "\x80\x02M\xe9\x03." + facts + "\x80\x02" + tensor + "." + "\x80\x02]" + text("7") +
                            "a." + test::little(std::int64_t{2}) + kFloats;
  const ContainerContents contents = read(bytes);
  EXPECT_EQ(contents.container, Container::legacy);
  ASSERT_EQ(contents.tensors.size(), 1U);
  EXPECT_EQ(contents.tensors[0].tensor.to_floats(), (std::vector<float>{1, 2}));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(read(bytes.substr(0, size)), Error) << size;
}

TEST(Checkpoint, SaysWhatPeopleSavedInItsPlace) {
  EXPECT_TRUE(contains(why_not("\n\n<!DOCTYPE HTML>\n<html>"), "an HTML page"));
  EXPECT_TRUE(contains(why_not("<?xml version=\"1.0\"?><Error/>"), "XML"));
  EXPECT_TRUE(contains(why_not("{\"message\": \"Not Found\"}"), "JSON"));
  EXPECT_TRUE(contains(why_not("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"));
  EXPECT_TRUE(contains(why_not("\x1f\x8b\x08 something"), "gunzip"));
  EXPECT_TRUE(contains(why_not(""), "is empty"));
  EXPECT_TRUE(contains(why_not(std::string(600, '\0')), "nothing but zeros"));
  EXPECT_TRUE(contains(why_not("weights go here"), "a text file"));
  EXPECT_TRUE(contains(why_not("\x80\x02}."), "not one that torch.save wrote"));
}

TEST(Checkpoint, RefusesForeignObjectsByNameUnlessToldToSkipThem) {
  const std::string pickle = "\x80\x02}(" + text("w") + float_tensor("0", 2, 2) + text("args") +
                             test::global("argparse", "Namespace") + ")\x81}" + text("lr") +
                             "K\x01"
                             "sbu.";
  const std::string bytes = test::zip_checkpoint(pickle, {kFloats});
  EXPECT_TRUE(contains(why_not(bytes), "argparse.Namespace"));
  const ContainerContents contents = read(bytes, {.skip_foreign = true});
  EXPECT_EQ(contents.tensors.size(), 1U);
  EXPECT_EQ(contents.opaque, std::vector<std::string>{"argparse.Namespace"});
}

TEST(Checkpoint, NeverBuildsATensorFromWhatItSkipped) {
  std::string tensor = float_tensor("0", 2, 2);
  const std::size_t begin = tensor.find("(X"), end = tensor.find('Q') + 1;
  tensor.replace(tensor.find('(', begin + 1) == std::string::npos ? begin : begin, end - begin,
                 test::global("evil", "Storage"));
  const std::string bytes = test::zip_checkpoint("\x80\x02}" + text("w") + tensor + "s.", {kFloats});
  EXPECT_THROW(read(bytes, {.skip_foreign = true}), Error);
}

TEST(Checkpoint, RefusesAModuleInPlaceOfItsStateDict) {
  const std::string bytes =
      test::zip_checkpoint("\x80\x02" + test::global("torch.nn.modules.linear", "Linear") + ")\x81.", {});
  EXPECT_TRUE(contains(why_not(bytes), "torch.nn.modules.linear.Linear"));
  EXPECT_TRUE(contains(why_not(bytes), "save model.state_dict()"));
}

// 2^20 x 64 views of one small storage: nothing is allocated for them, and they are refused before anybody could try.
TEST(Checkpoint, RefusesTensorsThatRepeatTheirStorageWithoutBound) {
  std::string tensor = float_tensor("0", 2, 2);
  const std::string strided = test::tuple(test::number(2)) + test::tuple(test::number(1));
  tensor.replace(tensor.find(strided), strided.size(),
                 test::tuple(test::number(1 << 30)) + test::tuple(test::number(0)));
  EXPECT_TRUE(contains(why_not(test::zip_checkpoint("\x80\x02}" + text("w") + tensor + "s.", {kFloats})),
                       "repeats its storage"));
}

TEST(Checkpoint, NeverPutsControlCharactersOfTheFileIntoAMessage) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "x.pth", test::zip_checkpoint("\x80\x02"
                                                                "cevil\x1b[31m\nna\xffme\n.",
                                                                {}));
  const std::string message = refusal([&] { read_checkpoint(scratch / "x.pth"); });
  EXPECT_TRUE(contains(message, "evil\\x1b[31m.na\\xffme")) << message;
}

TEST(Checkpoint, NamesAFileThatIsNotThere) {
  try {
    read_checkpoint("/nowhere/x.pth");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
  }
}

}  // namespace
}  // namespace vise::networks
