// What may happen to a cache: whatever it is, the next run gives the rows of an undisturbed one, bit for bit.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>

#include "base/npy.h"
#include "tests/child.h"
#include "tests/unit/extract/drawn.h"

namespace vise::test {
namespace {

constexpr int kImages = 700;  // two whole blocks and a part

// Floors need no network, so that hundreds of runs take seconds; the store is the same.
class DamageTest : public DrawnImages {
 protected:
  void SetUp() override {
    ids_ = put_several(kImages, 6);
    const features::Features features = run(cache_.path());
    key_ = features.key;
    undisturbed_ = rows_of(features);
  }

  features::Features run(const Path& cache) {
    features::ExtractOptions options = options_;
    options.cache = cache;
    return features::extract_features(dataset(ids_), {{features::parse_backbone("colour-histogram")}}, options,
                                      {log_, {}, 2})[0];
  }

  std::vector<std::vector<float>> rows_of(const features::Features& features) const {
    std::vector<std::vector<float>> rows;
    for (std::size_t item = 0; item < ids_.size(); ++item) rows.push_back(row(features, item));
    return rows;
  }

  // Copies the sound cache, damages the copy, and runs over it twice.
  void expect_repaired(const std::string& what, const std::function<void(const Path& folder)>& damage,
                       std::size_t most_computed) {
    SCOPED_TRACE(what);
    const ScratchDir copy;
    std::filesystem::copy(cache_.path(), copy.path(), std::filesystem::copy_options::recursive);
    const Path folder = copy / "features" / key_.str();
    damage(folder);
    const std::size_t warnings_before = log_.warnings().size();
    const features::Features repaired = run(copy.path());
    EXPECT_LE(repaired.computed, most_computed);
    EXPECT_GT(log_.warnings().size(), warnings_before) << "repaired without a word";
    EXPECT_EQ(rows_of(repaired), undisturbed_);
    EXPECT_EQ(NpyArray::open(folder / "features.npy").shape()[1], repaired.dim);
    const std::size_t warnings_after = log_.warnings().size();
    EXPECT_EQ(run(copy.path()).computed, 0u);
    EXPECT_EQ(log_.warnings().size(), warnings_after);
  }

  static void flip(const Path& file, std::size_t at) {
    std::string bytes = read_text_file(file);
    bytes.at(at) ^= 4;
    write_file_atomically(file, bytes);
  }

  static std::function<void(const Path&)> flipped(const char* file, std::size_t at) {
    return [=](const Path& folder) { flip(folder / file, at); };
  }
  static std::function<void(const Path&)> cut(const char* file, std::uint64_t bytes) {
    return [=](const Path& folder) { std::filesystem::resize_file(folder / file, bytes); };
  }

  std::vector<std::string> ids_;
  features::FeatureKey key_;
  std::vector<std::vector<float>> undisturbed_;
};

constexpr std::size_t kBlock = features::FeatureWriter::kBlockRows;
constexpr std::uint64_t kRowBytes = 512 * sizeof(float);

TEST_F(DamageTest, AFlippedByteCostsOneBlock) {
  expect_repaired("first row", flipped("features.npy", 128), kBlock);
  expect_repaired("a row of the second block", flipped("features.npy", 128 + 300 * kRowBytes + 7), kBlock);
  expect_repaired("last byte", flipped("features.npy", 128 + kImages * kRowBytes - 1), kBlock);
  expect_repaired("the manifest's first line", flipped("manifest.csv", 70), kBlock);
  expect_repaired("a hash in the manifest", flipped("manifest.csv", 20000), kBlock);
}

TEST_F(DamageTest, AFlippedByteOutsideTheBlocksIsFoundToo) {
  expect_repaired("the type in the header", flipped("features.npy", 22), 0);
  expect_repaired("more rows in the header than there are", flipped("features.npy", 63), 0);
  expect_repaired("the header's padding", flipped("features.npy", 120), 0);
  expect_repaired("the key in words", flipped("features.json", 40), 0);
  expect_repaired("the manifest's heading", flipped("manifest.csv", 45), kImages);
}

TEST_F(DamageTest, ATruncatedFileCostsWhatIsGone) {
  expect_repaired("half a row", cut("features.npy", 128 + kImages * kRowBytes - 9), kBlock);
  expect_repaired("the second half", cut("features.npy", 128 + 300 * kRowBytes), kImages - kBlock);
  expect_repaired("all rows", cut("features.npy", 128), kImages);
  expect_repaired("the header", cut("features.npy", 10), kImages);
  expect_repaired("everything", cut("features.npy", 0), kImages);
  expect_repaired("the manifest", cut("manifest.csv", 0), kImages);
  expect_repaired("features.json", cut("features.json", 5), 0);
}

TEST_F(DamageTest, ARemovedFileCostsWhatIsGone) {
  for (const char* name : {"features.npy", "manifest.csv"})
    expect_repaired(
        name, [&](const Path& folder) { std::filesystem::remove(folder / name); }, kImages);
  expect_repaired(
      "features.json", [](const Path& folder) { std::filesystem::remove(folder / "features.json"); }, 0);
}

// Images that were worked on, counted where a killed process's count survives.
class SharedCount final : public Log {
 public:
  SharedCount()
      : count_(static_cast<std::atomic<std::uint64_t>*>(
            ::mmap(nullptr, sizeof *count_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~SharedCount() override { ::munmap(count_, sizeof *count_); }
  void info(std::string_view) override {}
  void warn(std::string_view) override {}
  void progress(std::string_view, std::uint64_t done, std::uint64_t) override {
    std::uint64_t known = *count_;
    while (known < done && !count_->compare_exchange_weak(known, done)) {
    }
  }
  std::uint64_t take() { return count_->exchange(0); }

 private:
  std::atomic<std::uint64_t>* count_;
};

TEST_F(DamageTest, ARunKilledAtAnyMomentLosesAtMostOneBlock) {
  SharedCount count;
  const auto start = [&](const Path& cache) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    features::ExtractOptions options = options_;
    options.cache = cache;
    features::extract_features(dataset(ids_), {{features::parse_backbone("colour-histogram")}}, options,
                               {count, {}, 2});
    ::_exit(0);
  };
  const ScratchDir timed;
  const double whole = cpu_seconds_until_the_end_of(start(timed.path()));
  count.take();
  const int rounds = kill_rounds(10);
  int cut_short = 0;
  for (int round = 0; round < rounds; ++round) {
    const ScratchDir cache;
    const pid_t child = start(cache.path());
    ASSERT_GE(child, 0);
    const auto moment = RandomStream("kill", static_cast<std::uint64_t>(round)).below(1'000'000);
    let_work(child, 0.7e-6 * whole * static_cast<double>(moment));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    cut_short += WIFSIGNALED(status);
    Silent silent;
    const std::size_t stored = features::FeatureStore(cache.path(), key_, silent).size();
    EXPECT_LE(count.take(), stored + kBlock) << round;
    const std::size_t warnings_before = log_.warnings().size();
    const features::Features again = run(cache.path());
    EXPECT_EQ(again.computed, kImages - stored) << round;
    EXPECT_EQ(rows_of(again), undisturbed_) << round;
    EXPECT_EQ(log_.warnings().size(), warnings_before) << "a kill is no damage";
  }
  EXPECT_GE(5 * cut_short, rounds) << "nearly all runs had ended before they were killed: nothing was shown";
}

}  // namespace
}  // namespace vise::test
