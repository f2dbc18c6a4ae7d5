// Kills, full disks, read-only folders and two processes at once: afterwards the same command writes the same files.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <cstdlib>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "tests/child.h"
#include "tests/plain_file.h"
#include "tests/program/program.h"
#include "tests/program/small_disk.h"

namespace vise::test {
namespace {

constexpr int kImages = 600;  // two whole blocks of 256 rows and a part

class RobustTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kImages; ++i) {
      const std::string name = fmt::format("images/{}/{:03}.ppm", i % 2 ? "calm" : "tense", i);
      write_plainly(program_ / name, noise_picture(name, 6));
    }
    ASSERT_EQ(extract(program_ / "undisturbed", "reference").exit_code, 0);
  }

  // A floor: no network, so that a run takes a moment; the store is the same.
  std::vector<std::string> words(const Path& cache, const Path& out) const {
    return {"extract", "--json",       "--data", (program_ / "images").string(), "--backbone", "colour-histogram",
            "--cache", cache.string(), "--out",  (program_ / out).string(),      "--threads",  "2"};
  }
  Outcome extract(const Path& cache, const Path& out) { return program_.run(words(cache, out)); }

  static std::size_t computed(const Outcome& outcome) {
    return Json::parse(outcome.out).at("computed").get<std::size_t>();
  }

  void expect_same_files(const Path& out) const {
    for (const char* name : {"features.npy", "manifest.csv", "features.json"})
      EXPECT_EQ(read_text(program_ / out / name), read_text(program_ / "reference" / name)) << name;
  }

  Path features_folder(const Path& cache) const {
    return std::filesystem::directory_iterator(cache / "features")->path();
  }

  Program program_;
};

TEST_F(RobustTest, KilledAtRandomMomentsARerunWritesTheSameFiles) {
  const int rounds = kill_rounds(5);
  const double whole = cpu_seconds_until_the_end_of(program_.start(words(program_ / "timed", "timed-out")));
  int cut_short = 0;
  for (int round = 0; round < rounds; ++round) {
    const Path cache = program_ / fmt::format("cache-{}", round), out = fmt::format("out-{}", round);
    const pid_t child = program_.start(words(cache, out));
    const auto moment = RandomStream("kill", static_cast<std::uint64_t>(round)).below(1'000'000);
    let_work(child, 0.7e-6 * whole * static_cast<double>(moment));
    ::kill(child, SIGKILL);
    cut_short += program_.wait(child).exit_code == 128 + SIGKILL;
    const Outcome again = extract(cache, out);
    EXPECT_EQ(again.exit_code, 0) << again.err;
    expect_same_files(out);
    std::filesystem::remove_all(cache);
    std::filesystem::remove_all(program_ / out);
  }
  EXPECT_GE(5 * cut_short, rounds) << "nearly all runs had ended before they were killed: nothing was shown";
}

TEST_F(RobustTest, TwoProcessesOnOneKeyComputeEachImageOnce) {
  const Path cache = program_ / "shared";
  Program other;
  const pid_t first = program_.start(words(cache, "one")), second = other.start(words(cache, "two"));
  const Outcome one = program_.wait(first), two = other.wait(second);
  ASSERT_EQ(one.exit_code, 0) << one.err;
  ASSERT_EQ(two.exit_code, 0) << two.err;
  EXPECT_EQ(computed(one) + computed(two), static_cast<std::size_t>(kImages));
  expect_same_files("one");
  expect_same_files("two");
}

TEST_F(RobustTest, TheLockOfADeadProcessKeepsNobodyWaiting) {
  const Path cache = program_ / "locked";
  const Path folder = cache / "features" / features_folder(program_ / "undisturbed").filename();
  std::filesystem::create_directories(folder);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const int lock = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT, 0666);
    if (::flock(lock, LOCK_EX) == 0 && ::write(ends[1], "!", 1) == 1) ::pause();
    ::_exit(1);
  }
  char held = 0;
  ASSERT_EQ(::read(ends[0], &held, 1), 1);
  ::close(ends[0]);
  ::close(ends[1]);
  const pid_t waiting = program_.start(words(cache, "out"));
  wait_for([&] { return contains(read_text(program_ / "stderr"), "waiting for it"); });
  EXPECT_CONTAINS(read_text(program_ / "stderr"), "another process is writing");
  EXPECT_EQ(::waitpid(waiting, nullptr, WNOHANG), 0) << "it didn't wait";
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  const Outcome outcome = program_.wait(waiting);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_files("out");
}

// One block of 256 rows of 2 kB fits, the second doesn't.
TEST_F(RobustTest, AFullDiskIsSaidAndCostsOneBlock) {
  const Path cache = program_ / "small";
  SmallDisk disk(cache);
  SKIP_WITHOUT_A_DISK(disk);
  const Outcome full = extract(cache, "full-out");
  EXPECT_EQ(full.exit_code, 4);
  EXPECT_CONTAINS(full.err, "No space left on device");
  EXPECT_EQ(extract(cache, "full-out").exit_code, 4) << "still full";
  disk.remount(0, "size=8m");
  const Outcome outcome = extract(cache, "out");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(computed(outcome), static_cast<std::size_t>(kImages - 256));
  expect_same_files("out");
}

// features.npy has 1.2 MB.
TEST_F(RobustTest, ALimitOfFileSizesIsAnErrorThatLeavesNoPartialFile) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const struct rlimit low { 1U << 20, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
  const Outcome outcome = extract(program_ / "undisturbed", "limited");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_CONTAINS(outcome.err, "File too large");
  for (const auto& entry : std::filesystem::directory_iterator(program_ / "limited"))
    EXPECT_FALSE(contains(entry.path().filename().string(), "tmp")) << entry.path();
}

TEST_F(RobustTest, APlaceThatCannotBeAFolderIsNamedByItsOptionBeforeAnyWork) {
  write_plainly(program_ / "notes.txt", "mine");
  const Path inside = program_ / "notes.txt/results";
  const Outcome outcome = extract(program_ / "cold", inside);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_CONTAINS(outcome.err,
                  "--out: " + inside.string() + ": " + (program_ / "notes.txt").string() + " is a file, not a folder");
  EXPECT_FALSE(std::filesystem::exists(program_ / "cold"));
}

TEST_F(RobustTest, AReadOnlyCacheServesWhatItHasAndSaysWhatItCannotKeep) {
  const Path cache = program_ / "read-only";
  SmallDisk disk(cache);
  SKIP_WITHOUT_A_DISK(disk);
  disk.remount(0, "size=8m");
  ASSERT_EQ(extract(cache, "first").exit_code, 0);
  disk.remount(MS_RDONLY, "size=8m");
  const Outcome warm = extract(cache, "warm");
  EXPECT_EQ(warm.exit_code, 0) << warm.err;
  EXPECT_EQ(computed(warm), 0u);
  expect_same_files("warm");
  const std::string name = "images/calm/new.ppm";
  write_plainly(program_ / name, noise_picture(name, 6));
  const Outcome cold = extract(cache, "cold");
  EXPECT_EQ(cold.exit_code, 4);
  EXPECT_CONTAINS(cold.err, "Read-only file system");
  std::filesystem::remove(program_ / name);
  disk.remount(0, "size=8m");
  EXPECT_EQ(extract(cache, "again").exit_code, 0);
  expect_same_files("again");
}

}  // namespace
}  // namespace vise::test
