#include "extract/features/cache.h"

#include "base/error.h"
#include "tests/shared.h"

namespace vise::features {
namespace {

class CacheTest : public testing::Test {
 protected:
  static FeatureKey key(const std::string& weights) {
    return {{{"weights", weights}, {"architecture", "resnet18"}}, 4};
  }
  static ContentHash content(std::uint64_t i) { return {i, i + 1}; }
  static std::vector<float> row(std::uint64_t i) {
    const auto f = static_cast<float>(i);
    return {f, f + 1, f + 2, f + 3};
  }

  void fill(const Path& cache, const std::string& weights, std::uint64_t begin, std::uint64_t end) {
    FeatureStore store(cache, key(weights), log_);
    FeatureWriter writer(store, context_);
    for (std::uint64_t i = begin; i < end; ++i)
      if (!store.has(content(i))) writer.add(content(i), 100 + i, row(i));
    writer.finish({{"engine", "test"}});
  }

  void flip_a_byte(const Path& cache, const std::string& weights) {
    const Path file = cache / "features" / key(weights).str() / "features.npy";
    std::string bytes = read_text_file(file);
    bytes[bytes.size() - 3] ^= 1;
    write_file_atomically(file, bytes);
  }

  RecordingLog log_;
  Context context_{log_};
  test::ScratchDir one_, two_;
};

TEST_F(CacheTest, ListsWhatLiesInItWithItsKeyInWords) {
  fill(one_.path(), "seed 1", 0, 300);
  fill(one_.path(), "seed 2", 0, 10);
  const auto all = list_cache(one_.path(), log_);
  ASSERT_EQ(all.size(), 2u);
  const CachedFeatures& larger = all[0].rows == 300 ? all[0] : all[1];
  EXPECT_EQ(larger.rows, 300u);
  EXPECT_EQ(larger.key.dim, 4u);
  EXPECT_NE(larger.words().find("seed 1"), std::string::npos) << larger.words();
  EXPECT_GE(larger.disk_bytes, 300u * 16);
}

TEST_F(CacheTest, KnowsAFolderWhoseRunWasCutShort) {
  {
    FeatureStore store(one_.path(), key("seed 1"), log_);
    FeatureWriter writer(store, context_);
    writer.add(content(1), 5, row(1));
    writer.flush();  // and no finish()
  }
  const auto all = list_cache(one_.path(), log_);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].rows, 1u);
}

TEST_F(CacheTest, VerifyFindsAFlippedByteAndRepairDropsItsBlock) {
  fill(one_.path(), "seed 1", 0, 300);
  const CachedFeatures cached = list_cache(one_.path(), log_)[0];
  EXPECT_EQ(check_cached(one_.path(), cached, false, context_), 0u);
  flip_a_byte(one_.path(), "seed 1");
  EXPECT_EQ(check_cached(one_.path(), cached, false, context_), 1u);
  EXPECT_EQ(check_cached(one_.path(), cached, true, context_), 1u);
  EXPECT_EQ(check_cached(one_.path(), cached, false, context_), 0u);
  EXPECT_EQ(list_cache(one_.path(), log_)[0].rows, 256u);
}

TEST_F(CacheTest, MergeAddsWhatIsMissingAndKeepsEveryBit) {
  fill(one_.path(), "seed 1", 0, 400);
  fill(two_.path(), "seed 1", 300, 700);
  fill(two_.path(), "seed 2", 0, 5);
  const MergeCounts counts = merge_cache(two_.path(), one_.path(), false, context_);
  EXPECT_EQ(counts.added, 305u);
  EXPECT_EQ(counts.known, 100u);
  const FeatureStore merged(one_.path(), key("seed 1"), log_);
  const FeatureMap map = merged.map();
  for (std::uint64_t i = 0; i < 700; ++i) {
    ASSERT_NE(merged.row(content(i)), kNoRow) << i;
    const auto values = map.values.subspan(merged.row(content(i)) * 4, 4);
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), row(i));
  }
  for (const auto& [content, stored] : merged.items()) EXPECT_EQ(stored.bytes, 100 + content.high);
}

TEST_F(CacheTest, MergeRefusesDamagedBlocksAndFoldersThatAreNoCache) {
  fill(two_.path(), "seed 1", 0, 300);
  flip_a_byte(two_.path(), "seed 1");
  EXPECT_THROW(merge_cache(two_.path(), one_.path(), false, context_), Error);
  EXPECT_TRUE(list_cache(one_.path(), log_).empty());
  EXPECT_THROW(merge_cache(two_ / "features", one_.path(), false, context_), Error);
}

TEST_F(CacheTest, RemovesOneFolderAndLeavesTheOthers) {
  fill(one_.path(), "seed 1", 0, 3);
  fill(one_.path(), "seed 2", 0, 3);
  const auto all = list_cache(one_.path(), log_);
  remove_cached(one_.path(), all[0], context_);
  const auto rest = list_cache(one_.path(), log_);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].folder, all[1].folder);
}

}  // namespace
}  // namespace vise::features
