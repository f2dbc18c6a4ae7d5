#include "extract/features/path_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/child.h"
#include "tests/shared.h"

namespace vise::features {
namespace {

// Waits until the file system's clock has left the two seconds in which nothing is remembered.
FileIdentity aged(FileIdentity identity) {
  identity.mtime_ns -= 10'000'000'000;
  identity.ctime_ns -= 10'000'000'000;
  return identity;
}

TEST(PathCache, RemembersAFileByItsWholeIdentity) {
  const test::ScratchDir scratch;
  const Path file = scratch / "a,\"b\".jpg";
  write_file_atomically(file, std::string_view("pixels"));
  const FileIdentity identity = aged(FileIdentity::of(file));
  {
    PathCache cache(scratch / "paths");
    EXPECT_EQ(cache.find(identity), nullptr);
    cache.put(identity, "hash, one");
    cache.save();
  }
  PathCache cache(scratch / "paths");
  ASSERT_NE(cache.find(identity), nullptr);
  EXPECT_EQ(*cache.find(identity), "hash, one");
  FileIdentity other = identity;
  other.ctime_ns += 1;
  EXPECT_EQ(cache.find(other), nullptr);
}

// A run over a million images keeps no text of them all, and one that is killed has not learnt in vain.
TEST(PathCache, WritesWhatItLearnsAsItGoes) {
  const test::ScratchDir scratch;
  constexpr std::uint64_t kMany = 20'000;
  const auto identity = [&](std::uint64_t i) {
    return FileIdentity{.path = (scratch / fmt::format("images/{:06}.jpg", i)).string(), .size = i};
  };
  PathCache killed(scratch / "paths");
  for (std::uint64_t i = 0; i < kMany; ++i) killed.put(identity(i), "value");
  PathCache cache(scratch / "paths");
  EXPECT_NE(cache.find(identity(0)), nullptr);
  EXPECT_EQ(cache.find(identity(kMany - 1)), nullptr);
  killed.save();
  PathCache later(scratch / "paths");
  for (std::uint64_t i = 0; i < kMany; ++i) ASSERT_NE(later.find(identity(i)), nullptr) << i;
}

TEST(PathCache, TellsTwoFilesOfEqualPathSizeAndTimeApart) {
  const test::ScratchDir scratch;
  const Path file = scratch / "x.jpg";
  write_file_atomically(file, std::string_view("one"));
  const FileIdentity before = FileIdentity::of(file);
  const timespec times[2] = {{before.mtime_ns / 1'000'000'000, before.mtime_ns % 1'000'000'000},
                             {before.mtime_ns / 1'000'000'000, before.mtime_ns % 1'000'000'000}};
  // Again until the file system's clock, which ticks every few milliseconds, has gone on.
  ASSERT_TRUE(test::wait_for([&] {
    const FileDescriptor out(::open(file.c_str(), O_WRONLY));
    write_fully(out.get(), as_byte_view("two"), 0, file);
    EXPECT_EQ(::futimens(out.get(), times), 0);
    return FileIdentity::of(file).ctime_ns != before.ctime_ns;
  }));
  const FileIdentity after = FileIdentity::of(file);
  EXPECT_EQ(before.mtime_ns, after.mtime_ns);
  EXPECT_EQ(before.size, after.size);
  EXPECT_EQ(before.inode, after.inode);
  EXPECT_FALSE(before == after);
}

TEST(PathCache, DoesNotTrustAFileThatChangedJustNow) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "x", std::string_view("1"));
  PathCache cache(scratch / "paths");
  cache.put(FileIdentity::of(scratch / "x"), "value");
  EXPECT_EQ(cache.find(FileIdentity::of(scratch / "x")), nullptr);
}

TEST(PathCache, IgnoresDamagedLinesAndKeepsTheRest) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "a", std::string_view("1"));
  write_file_atomically(scratch / "b", std::string_view("2"));
  const FileIdentity a = aged(FileIdentity::of(scratch / "a")), b = aged(FileIdentity::of(scratch / "b"));
  {
    PathCache cache(scratch / "paths");
    cache.put(a, "A");
    cache.save();
    cache.put(b, "B");
    cache.save();
  }
  for (const auto& shard : std::filesystem::directory_iterator(scratch / "paths")) {
    std::string text = read_text_file(shard.path());
    text[text.find(",A,") + 1] = 'X';
    write_file_atomically(shard.path(), text + "half a li");
  }
  PathCache cache(scratch / "paths");
  EXPECT_EQ(cache.find(a), nullptr);
  ASSERT_NE(cache.find(b), nullptr);
}

TEST(FileIdentity, SaysWhichFileIsMissing) {
  try {
    FileIdentity::of("/nowhere/at/all.jpg");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
    EXPECT_NE(e.message().find("/nowhere/at/all.jpg"), std::string::npos);
  }
}

}  // namespace
}  // namespace vise::features
