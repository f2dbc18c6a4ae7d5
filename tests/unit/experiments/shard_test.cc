// Shards of an extraction: which items they have, what they leave to the cache, and what a merge accepts of them.
#include "extract/features/shard.h"

#include <sys/stat.h>

#include <set>

#include "base/error.h"
#include "experiments/launcher/shard_run.h"
#include "extract/features/cache.h"
#include "tests/plain_file.h"
#include "tests/shared.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

TEST(Shard, PartsAreDisjointAndWholeAndEven) {
  for (const std::size_t of : {1, 2, 3, 7, 64})
    for (const std::size_t count : {0, 1, 5, 63, 2'000, 8'192, 100'000, 1'000'003}) {
      std::vector<bool> seen(count);
      std::size_t total = 0, least = count, most = 0;
      for (std::size_t number = 1; number <= of; ++number) {
        const std::vector<std::uint32_t> items = features::Shard{number, of}.items(count);
        for (const std::uint32_t item : items) {
          ASSERT_LT(item, count);
          ASSERT_FALSE(seen[item]);
          seen[item] = true;
        }
        total += items.size();
        least = std::min(least, items.size());
        most = std::max(most, items.size());
      }
      EXPECT_EQ(total, count);
      EXPECT_LE(static_cast<double>(most - least), std::max(1.0, 0.04 * static_cast<double>(count / of)))
          << of << " " << count;
    }
}

TEST(Shard, LargePartsAreWholeBlocks) {
  const std::vector<std::uint32_t> items = features::Shard{2, 4}.items(1'000'000);
  for (std::size_t begin = 0; begin + 256 <= items.size(); begin += 256) {
    EXPECT_EQ(items[begin] % 256, 0u);
    EXPECT_EQ(items[begin + 255], items[begin] + 255);
  }
}

TEST(Shard, IsSaidAsIOfN) {
  EXPECT_EQ(features::Shard::parse("3/64").number, 3u);
  EXPECT_EQ(features::Shard::parse("3/64").str(), "3/64");
  for (const char* text : {"", "3", "0/4", "5/4", "a/b", "1/2/3", "1/0"})
    EXPECT_THROW(features::Shard::parse(text), Error) << text;
}

class ShardRunTest : public testing::Test {
 protected:
  static constexpr int kImages = 30;

  void SetUp() override {
    test::register_everything();  // whether tokens are wanted is the probe's to say
    for (int i = 0; i < kImages; ++i) {
      std::string picture = "P6\n8 8\n255\n";
      RandomStream random("shard-test", static_cast<std::uint64_t>(i));
      for (int k = 0; k < 8 * 8 * 3; ++k) picture += static_cast<char>(random.below(256));
      test::write_plainly(scratch_ / "images" / (i % 2 ? "calm" : "tense") / (std::to_string(i) + ".ppm"), picture);
    }
  }

  RunRequest request(const Path& into) {
    RunRequest request;
    request.tasks = {task_for_data(scratch_ / "images", "label")};
    request.backbones = {"colour-histogram"};
    request.extract.cache = scratch_ / "cache";
    request.extract.into = into;
    return request;
  }
  features::ShardRecord extract(std::size_t number, std::size_t of) {
    return extract_shard(request(folder(number)), {number, of}, "plan", context_);
  }
  Path folder(std::size_t number) const { return scratch_ / ("shard" + std::to_string(number)); }
  static std::size_t rows(const features::ShardRecord& record) {
    std::size_t sum = 0;
    for (const auto& [key, of_key] : record.rows) sum += of_key;
    return sum;
  }

  test::ScratchDir scratch_;
  RecordingLog log_;
  Context context_{log_};
};

TEST_F(ShardRunTest, PartsComputeEachImageOnceAndMergeIntoTheWhole) {
  for (std::size_t number = 1; number <= 3; ++number) {
    const features::ShardRecord record = extract(number, 3);
    EXPECT_EQ(record.state, features::ShardState::done);
    EXPECT_EQ(record.to_compute, 10u);
    EXPECT_EQ(rows(record), 10u);
    EXPECT_EQ(features::read_shard_record(folder(number))->rows, record.rows);
  }
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "cache/features")) << "a shard leaves the cache as it is";
  for (std::size_t number = 1; number <= 3; ++number) {
    const features::MergeCounts counts = features::merge_cache(folder(number), scratch_ / "cache", true, context_);
    EXPECT_EQ(counts.added, 10u);
    EXPECT_EQ(features::read_shard_record(folder(number))->state, features::ShardState::merged);
    EXPECT_FALSE(std::filesystem::exists(folder(number) / "features"));
  }
  EXPECT_EQ(features::count_kept(scratch_ / "cache").begin()->second, 30u);
  EXPECT_EQ(features::merge_cache(folder(1), scratch_ / "cache", true, context_).added, 0u) << "twice is once";
}

TEST_F(ShardRunTest, WhatTheCacheHasIsLeftOut) {
  extract(1, 2);
  features::merge_cache(folder(1), scratch_ / "cache", false, context_);
  const features::ShardRecord all = extract_shard(request(scratch_ / "rest"), {1, 1}, "plan", context_);
  EXPECT_EQ(all.to_compute, 30u) << "files this young are not remembered by their path: an upper bound";
  EXPECT_EQ(rows(all), 15u);
}

TEST_F(ShardRunTest, AMergeRefusesAShardThatIsNotDone) {
  features::ShardRecord record = extract(1, 2);
  record.state = features::ShardState::running;
  features::write_shard_record(folder(1), record);
  try {
    features::merge_cache(folder(1), scratch_ / "cache", true, context_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
    EXPECT_NE(e.message().find("shard 1/2 is not done"), std::string::npos) << e.message();
  }
}

TEST_F(ShardRunTest, AMergeDropsDamagedBlocksAndTheSameCallComputesTheirRows) {
  extract(1, 2);
  const Path features = std::filesystem::directory_iterator(folder(1) / "features")->path() / "features.npy";
  std::string bytes = read_text_file(features);
  bytes[bytes.size() / 2] ^= 1;
  write_file_atomically(features, bytes);
  EXPECT_THROW(features::merge_cache(folder(1), scratch_ / "cache", true, context_), Error);
  EXPECT_EQ(features::read_shard_record(folder(1))->state, features::ShardState::damaged);
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "cache/features")) << "nothing of it is added";
  EXPECT_EQ(rows(extract(1, 2)), 15u);
  EXPECT_EQ(features::merge_cache(folder(1), scratch_ / "cache", true, context_).added, 15u);
}

TEST_F(ShardRunTest, AMergeFindsAStoreThatWasCutOffAtAWholeBlock) {
  extract(1, 2);
  std::filesystem::remove_all(std::filesystem::directory_iterator(folder(1) / "features")->path());
  EXPECT_THROW(features::merge_cache(folder(1), scratch_ / "cache", true, context_), Error);
  EXPECT_EQ(features::read_shard_record(folder(1))->state, features::ShardState::damaged);
}

// The number of a shared file system's device differs from node to node.
TEST_F(ShardRunTest, AMergeTakesOverWhatIsKnownOfPathsUnderThisMachinesDevice) {
  const Path image = scratch_ / "images/calm/1.ppm";
  FileIdentity there = FileIdentity::of(image);
  there.ctime_ns -= 10'000'000'000;
  there.mtime_ns -= 10'000'000'000;
  const FileIdentity here = there;
  there.device += 1;
  const ContentHash content = content_hash(read_file(image));
  features::PathCache of_shard(scratch_ / "shard/paths");
  of_shard.put(there, content.str());
  of_shard.save();
  features::PathCache merged(scratch_ / "paths");
  merged.take_from(scratch_ / "shard/paths");
  merged.save();
  features::PathCache again(scratch_ / "paths");
  ASSERT_NE(again.find(here), nullptr);
  EXPECT_EQ(*again.find(here), content.str());
}

}  // namespace
}  // namespace vise::experiments
