#include "extract/features/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/npy.h"
#include "tests/child.h"
#include "tests/shared.h"

namespace vise::features {
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
      if (store.has(content(i))) rows.push_back(store.row(content(i)));
    store.check_rows(rows, log);
    if (store.size() == 0) return 0;
    const FeatureMap map = store.map();
    std::size_t right = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      if (!store.has(content(i))) continue;
      const auto values = map.values.subspan(store.row(content(i)) * kDim, kDim);
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
  ASSERT_TRUE(store.find(content(0)));
  EXPECT_FALSE(store.find(content(0))->row);
  EXPECT_EQ(store.find(content(0))->reason, "is cut off, \"really\"");
  EXPECT_EQ(store.row(content(1)), 0u);
}

TEST_F(StoreTest, LosesAtMostTheBlockUnderWayWhenKilledAtAnyMoment) {
  constexpr int kRounds = 100;
  int cut_short = 0;
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Silent silent;
      FeatureStore store(scratch.path(), key(), silent);
      FeatureWriter writer(store, Context{silent, {}, 1});
      for (std::uint64_t i = 0; i < 4000; ++i)
        if (!store.has(content(i))) {
          writer.add(content(i), i, row(i));
          if (i % 16 == 15) writer.flush();
        }
      ::_exit(0);
    }
    test::let_work(child,
                   1e-6 * static_cast<double>(RandomStream("kill", static_cast<std::uint64_t>(round)).below(12000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    cut_short += WIFSIGNALED(status);
    count_right(4000);
  }
  EXPECT_GE(cut_short, 5) << "the rows were there after a few rounds: kills came too late to show anything";
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

TEST_F(StoreTest, KeepsHalvesWhereTheKeySaysSo) {
  FeatureKey half_key = key();
  half_key.parts["storage"] = "fp16";
  {
    FeatureStore store(scratch.path(), half_key, log);
    FeatureWriter writer(store, context);
    for (std::uint64_t i = 0; i < 300; ++i) writer.add(content(i), 1, row(i));
    EXPECT_THROW(writer.add(content(300), 1, std::vector<float>{1, 65505, 2}), Error);
    writer.finish({});
  }
  FeatureStore store(scratch.path(), half_key, log);
  std::vector<std::uint32_t> rows{store.row(content(299)), kNoRow, store.row(content(5)), store.row(content(5))};
  EXPECT_EQ(store.check_rows(rows, log), 0u);
  const FeatureMap map = store.map(rows);
  EXPECT_EQ(rows, (std::vector<std::uint32_t>{0, kNoRow, 1, 2}));
  EXPECT_EQ(map.values.size(), 3 * kDim);
  EXPECT_EQ(map.values[1], 299.5f);
  EXPECT_EQ(map.values[kDim + 2], -5.0f);
  EXPECT_EQ(store.map().values[7 * kDim], 7.0f);
}

// `cache gc` removes a folder under its lock; who waited for that lock must not write beside a third process that made
// the folder anew.
TEST_F(StoreTest, AWriterWhoseFolderWasRemovedWhileItWaitedLocksTheNewOne) {
  add(0, 3);
  FeatureStore waiting = open();
  const Path lock_file = folder() / "lock";
  FileDescriptor held(::open(lock_file.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  // The other process removes the folder once the writer has said that it waits.
  struct RemoveWhenWaitedFor final : Log {
    explicit RemoveWhenWaitedFor(std::function<void()> remove) : remove_folder(std::move(remove)) {}
    void info(std::string_view text) override {
      if (text.find("waiting for it") != std::string_view::npos) remove_folder();
    }
    void warn(std::string_view) override {}
    void progress(std::string_view, std::uint64_t, std::uint64_t) override {}
    std::function<void()> remove_folder;
  } other([&] {
    std::filesystem::remove_all(lock_file.parent_path());
    held = {};
  });
  FeatureWriter writer(waiting, {other, {}, 1});
  EXPECT_FALSE(held) << "it did not wait";
  const FileDescriptor again(::open(lock_file.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(again);
  EXPECT_NE(::flock(again.get(), LOCK_EX | LOCK_NB), 0) << "the folder's lock is free";
  EXPECT_FALSE(waiting.has(content(0))) << "rows that are gone";
  writer.add(content(0), 1, row(0));
  writer.finish({});
  EXPECT_EQ(count_right(3), 1u);
}

TEST_F(StoreTest, IndexesContentsWhoseHashesCollide) {
  ContentIndex index;
  const auto hash = [](std::uint64_t i) { return ContentHash{i * 3, i / 7 * 1024}; };  // low halves that collide
  for (std::uint64_t i = 0; i < 20000; ++i) index.put(hash(i), static_cast<std::uint32_t>(i));
  index.put(hash(5), 77);
  EXPECT_EQ(index.size(), 20000u);
  EXPECT_EQ(*index.find(hash(5)), 77u);
  index.erase_values([](std::uint32_t value) { return value % 2 == 0; });
  EXPECT_EQ(index.size(), 10000u);
  for (std::uint64_t i = 6; i < 20000; ++i) {
    const std::uint32_t* const found = index.find(hash(i));
    ASSERT_EQ(found != nullptr, i % 2 == 1) << i;
    if (found) {
      EXPECT_EQ(*found, i);
    }
  }
  EXPECT_EQ(index.find({1, 1}), nullptr);
}

}  // namespace
}  // namespace vise::features
