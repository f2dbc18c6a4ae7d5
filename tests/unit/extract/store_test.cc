#include "extract/store.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/error.h"
#include "base/npy.h"
#include "tests/shared.h"

namespace vise {
namespace {

constexpr std::size_t kDim = 3;

FeatureKey key() { return {{{"weights", "abc"}, {"layer", "layer4"}}, kDim}; }

ContentHash content(std::uint64_t i) { return content_hash(as_byte_view("image " + std::to_string(i))); }

std::vector<float> row(std::uint64_t i) {
  const auto x = static_cast<float>(i);
  return {x, x + 0.5f, -x};
}

class StoreTest : public ::testing::Test {
 protected:
  FeatureStore open() { return FeatureStore(scratch.path(), key(), log); }

  void add(std::uint64_t begin, std::uint64_t end) {
    FeatureStore store = open();
    FeatureWriter writer(store, context);
    for (std::uint64_t i = begin; i < end; ++i) writer.add(content(i), 10 + i, row(i));
    writer.finish({});
  }

  // Rows that the store holds and that are right; a wrong one fails the test.
  std::size_t count_right(std::uint64_t n) {
    FeatureStore store = open();
    std::vector<std::uint32_t> rows;
    for (std::uint64_t i = 0; i < n; ++i)
      if (const StoredRow* stored = store.find(content(i))) rows.push_back(*stored->row);
    store.check_rows(rows, log);
    if (store.size() == 0) return 0;
    const FeatureMap map = store.map();
    std::size_t right = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      const StoredRow* stored = store.find(content(i));
      if (!stored) continue;
      const auto values = map.values.subspan(*stored->row * kDim, kDim);
      EXPECT_EQ(std::vector<float>(values.begin(), values.end()), row(i));
      ++right;
    }
    return right;
  }

  Path folder() { return open().folder(); }

  void flip_byte(const Path& path, std::int64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }

  test::ScratchDir scratch;
  RecordingLog log;
  Context context{log, {}, 1};
};

TEST_F(StoreTest, KeepsRowsAcrossRunsAndAppendsNewOnes) {
  add(0, 300);
  EXPECT_EQ(count_right(300), 300u);
  add(300, 310);
  EXPECT_EQ(count_right(310), 310u);
  EXPECT_TRUE(log.warnings().empty());
}

TEST_F(StoreTest, IsReadableByNumpyAtAnyTimeAfterABlock) {
  add(0, 5);
  const NpyArray array = NpyArray::open(folder() / "features.npy");
  EXPECT_EQ(array.shape(), (std::vector<std::uint64_t>{5, kDim}));
  EXPECT_EQ(array.as<float>()[3 * kDim + 1], 3.5f);
}

TEST_F(StoreTest, RemembersWhyAnImageHasNoRow) {
  {
    FeatureStore store = open();
    FeatureWriter writer(store, context);
    writer.add_unreadable(content(0), 17, "is cut off,\n\"really\"");
    writer.add(content(1), 17, row(1));
    writer.finish({});
  }
  const FeatureStore store = open();
  ASSERT_NE(store.find(content(0)), nullptr);
  EXPECT_FALSE(store.find(content(0))->row);
  EXPECT_EQ(store.find(content(0))->reason, "is cut off, \"really\"");
  EXPECT_EQ(store.find(content(1))->row, 0u);
}

TEST_F(StoreTest, LosesAtMostTheBlockUnderWayWhenKilledAtAnyMoment) {
  for (int round = 0; round < 40; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Silent silent;
      FeatureStore store(scratch.path(), key(), silent);
      FeatureWriter writer(store, Context{silent, {}, 1});
      for (std::uint64_t i = 0; i < 4000; ++i)
        if (!store.find(content(i))) {
          writer.add(content(i), i, row(i));
          if (i % 16 == 15) writer.flush();
        }
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(RandomStream("kill", static_cast<std::uint64_t>(round)).below(12000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    count_right(4000);
  }
  add(0, 4000);
  EXPECT_EQ(count_right(4000), 4000u);
}

TEST_F(StoreTest, ComputesDamagedRowsAgainAndSaysSo) {
  add(0, 300);
  flip_byte(folder() / "features.npy", 128 + 40);
  EXPECT_EQ(count_right(300), 300u - FeatureWriter::kBlockRows);
  EXPECT_FALSE(log.warnings().empty());
  add(0, FeatureWriter::kBlockRows);
  EXPECT_EQ(count_right(300), 300u);
  RecordingLog quiet;
  FeatureStore(scratch.path(), key(), quiet);
  EXPECT_TRUE(quiet.warnings().empty());
}

TEST_F(StoreTest, ComputesRowsAgainAfterADamagedJournalLine) {
  add(0, 300);
  flip_byte(folder() / "manifest.csv", 100);
  EXPECT_EQ(count_right(300), 300u - FeatureWriter::kBlockRows);
  add(0, 300);
  EXPECT_EQ(count_right(300), 300u);
}

TEST_F(StoreTest, ComputesRowsAgainAfterATruncation) {
  add(0, 600);
  std::filesystem::resize_file(folder() / "features.npy", 128 + 300 * kDim * sizeof(float));
  EXPECT_EQ(count_right(600), 256u);
  add(256, 600);
  EXPECT_EQ(count_right(600), 600u);
  std::filesystem::resize_file(folder() / "manifest.csv", 70);
  EXPECT_EQ(count_right(600), 0u);
  add(0, 600);
  EXPECT_EQ(count_right(600), 600u);
}

TEST_F(StoreTest, RefusesAnotherVersionsFolder) {
  add(0, 1);
  write_file_atomically(folder() / "manifest.csv", std::string_view("#vise-eval/feature-manifest 9\nrow\n"));
  EXPECT_THROW(open(), Error);
}

TEST_F(StoreTest, StopsWaitingForALockWhenAskedTo) {
  FeatureStore first = open(), second = open();
  const FeatureWriter holder(first, context);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(FeatureWriter(second, Context{log, stop.get_token(), 1}), Error);
}

}  // namespace
}  // namespace vise
