// Archives as data sets (../shared/data/archives), as a user meets them: the features and the table of the files.
#include <sys/inotify.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/npy.h"
#include "base/text.h"
#include "tests/program/program.h"

namespace vise {
namespace {

using test::contains;
using test::Outcome;
using test::Program;
using test::read_text;

class Archives : public testing::Test {
 protected:
  void SetUp() override {
    VISE_NEEDS_SHARED();
    const Path data = test::shared_dir() / "data";
    for (const Json& row : parse_json(read_text(data / "archives/rows.json"), "rows.json")) {
      const std::string path = row["path"], label = row["label"];
      std::filesystem::create_directories(program_ / "files" / label);
      std::filesystem::copy_file(data / "datasets/bass" / path,
                                 program_ / "files" / label / path.substr(path.rfind('/') + 1));
    }
  }

  static std::string at(const std::string& name) { return test::shared_dir() / "data/archives" / name; }

  // By the image's own file name: its row of colour-histogram, as bytes.
  std::map<std::string, std::string> features(const std::string& data, const std::string& cache) {
    const std::string out = program_ / ("features-" + cache);
    const Outcome made = program_.run(
        {"extract", "--data", data, "--backbone", "colour-histogram", "--out", out, "--cache", program_ / cache});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    std::map<std::string, std::string> rows;
    const std::string npy = read_text(out + "/features.npy"), manifest = read_text(out + "/manifest.csv");
    const std::vector<std::string> lines = split(std::string(trim(manifest)), '\n');
    std::size_t first = 0;
    while (first < lines.size() && !contains(lines[first], ".png")) ++first;
    constexpr std::size_t kHeader = 128;  // docs/formats/features.md
    const std::size_t count = lines.size() - first, dim = (npy.size() - kHeader) / count;
    EXPECT_EQ(count, 24u);
    EXPECT_EQ(dim % 4, 0u);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string id = lines[first + i].substr(0, lines[first + i].find(".png") + 4);
      rows[id.substr(id.find_last_of("/,") + 1)] = npy.substr(npy.size() - (count - i) * dim, dim);
    }
    return rows;
  }

  Program program_;
};

TEST_F(Archives, GiveTheFeaturesOfTheFilesBitByBit) {
  const auto files = features(program_ / "files", "cache-files");
  ASSERT_EQ(files.size(), 24u);
  for (const char* const name : {"deflated.zip", "zip64.zip", "pax-long.tar", "ustar.tar.gz", "ustar.tar.zst", "wds"})
    EXPECT_TRUE(features(at(name), std::string("cache-") + name) == files) << name;
}

// The same pictures, already known as files: content decides, so nothing is computed and no row is new.
TEST_F(Archives, ShareTheRowsOfTheFiles) {
  features(program_ / "files", "cache");
  const auto stores = [&] {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(program_ / "cache/features"))
      if (entry.is_regular_file()) all += fmt::format("{} {}\n", entry.path().filename().string(), entry.file_size());
    return all;
  };
  const std::string before = stores();
  features(at("stored.zip"), "cache");
  EXPECT_EQ(stores(), before);
}

TEST_F(Archives, GiveTheTableOfTheFilesAndAreNotOpenedAgain) {
  const auto table = [&](const std::string& data, const std::string& out) {
    const Outcome ran = program_.run({"run", "--data", data, "--backbone", "colour-histogram", "--out", out});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.out.substr(ran.out.find('\n'));
  };
  const std::string files = table("files", "of-files");
  std::filesystem::copy_file(at("ustar.tar.gz"), program_ / "files.tar.gz");
  const std::string packed = table("files.tar.gz", "of-tar");
  EXPECT_EQ(packed, files);
  // Settled for over two seconds, it is remembered.
  ::sleep(4);
  table("files.tar.gz", "again");
  const int watch = ::inotify_init1(IN_NONBLOCK);
  ASSERT_GE(::inotify_add_watch(watch, (program_ / "files.tar.gz").c_str(), IN_OPEN), 0);
  EXPECT_EQ(table("files.tar.gz", "warm"), files);
  char event[1024];
  EXPECT_LT(::read(watch, event, sizeof event), 0) << "the archive was opened";
  ::close(watch);
}

TEST_F(Archives, AreAuditedAndGetATaskFile) {
  const Outcome audit = program_.run({"audit", "--data", at("wds"), "--html", "audit.html"});
  EXPECT_EQ(audit.exit_code, 0) << audit.out << audit.err;
  EXPECT_CONTAINS(audit.out, "24");
  std::filesystem::copy_file(at("ustar.tar.zst"), program_ / "moods.tar.zst");
  const Outcome made = program_.run({"init-task", "moods.tar.zst"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.out, "moods.yaml\n");
  EXPECT_CONTAINS(read_text(program_ / "moods.yaml"), "data: \"moods.tar.zst\"");
  const Outcome ran = program_.run({"run", "--task", "moods.yaml", "--backbone", "colour-histogram", "--out", "out"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const Outcome shards = program_.run({"init-task", at("wds/*.tar"), "--out", "shards.yaml"});
  ASSERT_EQ(shards.exit_code, 0) << shards.err;
  EXPECT_EQ(program_.run({"run", "--task", "shards.yaml", "--backbone", "colour-histogram", "--dry-run"}).exit_code, 0);
}

TEST_F(Archives, ThatAreDamagedEndWithFourAndTheirName) {
  std::string bytes = read_text(at("ustar.tar"));
  write_file_atomically(program_ / "cut.tar", bytes.substr(0, 40'000));
  const Outcome cut = program_.run({"audit", "--data", "cut.tar"});
  EXPECT_EQ(cut.exit_code, 4);
  EXPECT_CONTAINS(cut.err, "cut.tar: tar: ");
  write_file_atomically(program_ / "a.tar.xz", "x");
  EXPECT_EQ(program_.run({"audit", "--data", "a.tar.xz"}).exit_code, 4);
  EXPECT_EQ(program_.run({"audit", "--data", "no-{0..3}.tar"}).exit_code, 3);
}

}  // namespace
}  // namespace vise
