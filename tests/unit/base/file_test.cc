#include "base/file.h"

#include "base/error.h"
#include "tests/shared.h"

namespace vise {
namespace {

std::size_t entries(const Path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

TEST(AtomicFile, LeavesNothingWhenItIsNotCommitted) {
  const test::ScratchDir dir;
  {
    AtomicFile file(dir / "a.txt");
    file.write("half");
  }
  EXPECT_EQ(entries(dir.path()), 0u);
}

TEST(AtomicFile, KeepsTheOldFileUntilTheNewOneIsWhole) {
  const test::ScratchDir dir;
  write_file_atomically(dir / "a.txt", "old");
  AtomicFile file(dir / "a.txt");
  file.write("new");
  EXPECT_EQ(read_text_file(dir / "a.txt"), "old");
  file.commit();
  EXPECT_EQ(read_text_file(dir / "a.txt"), "new");
  EXPECT_EQ(entries(dir.path()), 1u);
}

TEST(AtomicFile, MakesMissingFolders) {
  const test::ScratchDir dir;
  write_file_atomically(dir / "x/y/z.txt", "deep");
  EXPECT_EQ(read_text_file(dir / "x/y/z.txt"), "deep");
}

TEST(ReadFile, SaysMissingForWhatIsNotThereAndBoundsWhatItAllocates) {
  const test::ScratchDir dir;
  try {
    read_file(dir / "none");
    FAIL() << "read a file that isn't there";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
    EXPECT_NE(e.message().find("none"), std::string::npos);
  }
  write_file_atomically(dir / "a", "0123456789");
  EXPECT_EQ(read_file(dir / "a", 10).size(), 10u);
  EXPECT_THROW(read_file(dir / "a", 9), Error);
}

TEST(MappedFile, MapsAnEmptyFileToNothing) {
  const test::ScratchDir dir;
  write_file_atomically(dir / "empty", "");
  EXPECT_TRUE(MappedFile(dir / "empty").bytes().empty());
}

}  // namespace
}  // namespace vise
