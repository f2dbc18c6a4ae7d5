#include "datasets/archives/archive.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <thread>

#include "base/random.h"
#include "tests/unit/datasets/archives/packed.h"

namespace vise::datasets {
namespace {

using test::as_text;
using test::contains;
using test::gzip;
using test::MiniTree;
using test::refusal;
using test::tar;
using test::tar_header;
using test::tar_member;
using test::TarFile;
using test::zip;
using test::zstd;

std::vector<std::string> image_names(const ArchiveIndex& index) {
  std::vector<std::string> names;
  for (const ArchiveMember& image : index.images) names.push_back(image.name);
  return names;
}

class Archive : public testing::Test {
 protected:
  ArchiveIndex scanned(const std::string& bytes) { return scan_archive(written(bytes)); }
  Path written(const std::string& bytes) {
    write_file_atomically(tree_ / "a.bin", bytes);
    return tree_ / "a.bin";
  }
  std::string refused(const std::string& bytes) {
    return refusal([&] { scanned(bytes); });
  }

  MiniTree tree_;
};

const std::vector<TarFile> kFiles{
    {"b/2.png", "two"},      {"a/1.jpg", std::string(70'000, '1')}, {"./c.webp", "three"},
    {"a/.DS_Store", "junk"}, {"__MACOSX/a/._1.jpg", "junk"},        {"labels.csv", "path\n"},
    {"notes.doc", "other"}};

TEST_F(Archive, GivesTheSameMembersInEveryForm) {
  std::vector<test::Member> members;
  for (const TarFile& file : kFiles)
    members.push_back({file.name.substr(file.name.starts_with("./") ? 2 : 0), file.data,
                       static_cast<std::uint16_t>(file.data.size() > 100 ? 8 : 0)});
  const std::string plain = tar(kFiles);
  for (const auto& [bytes, form] :
       {std::pair(plain, ArchiveForm::tar), std::pair(gzip(plain), ArchiveForm::tar_gzip),
        std::pair(zstd(plain), ArchiveForm::tar_zstd), std::pair(zip(members), ArchiveForm::zip),
        // Files of several gzip members and Zstandard frames are what pigz and pzstd write.
        std::pair(gzip(plain.substr(0, 1000)) + gzip(plain.substr(1000)), ArchiveForm::tar_gzip),
        std::pair(zstd(plain.substr(0, 1000)) + zstd(plain.substr(1000)), ArchiveForm::tar_zstd)}) {
    const ArchiveIndex index = scanned(bytes);
    EXPECT_EQ(index.form, form);
    EXPECT_EQ(image_names(index), (test::Names{"a/1.jpg", "b/2.png", "c.webp"}));
    ASSERT_EQ(index.texts.size(), 1u);
    EXPECT_EQ(index.texts[0].text, "path\n");
    EXPECT_EQ(index.others, 1u);
    EXPECT_EQ(index.other, "notes.doc");
    ArchiveReader reader(index);
    EXPECT_EQ(as_text(reader.read(index.images[2])), "three");
    EXPECT_EQ(as_text(reader.read(index.images[0])), std::string(70'000, '1'));
    EXPECT_EQ(as_text(reader.read(index.images[1])), "two");
  }
}

TEST_F(Archive, OfAPackedTarIsReadInAnyOrderByManyThreads) {
  std::vector<TarFile> files;
  RandomStream random("archive-test", 0);
  for (int i = 0; i < 400; ++i) {
    std::string data(90'000 + random.below(30'000), '\0');
    for (char& c : data) c = static_cast<char>(random.below(256));
    files.push_back({fmt::format("{:04}.png", i), data});
  }
  const ArchiveIndex index = scanned(zstd(tar(files)));
  ArchiveReader reader(index);
  std::vector<std::jthread> threads;
  std::atomic<std::size_t> next = 0, wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < files.size(); i = next++)
        if (as_text(reader.read(index.images[i])) != files[i].data) ++wrong;
    });
  threads.clear();
  // 40 MB: the first is further behind than what is kept.
  if (as_text(reader.read(index.images[0])) != files[0].data) ++wrong;
  if (as_text(reader.read(index.images[399])) != files[399].data) ++wrong;
  EXPECT_EQ(wrong, 0u);
}

TEST_F(Archive, KnowsLongNamesOfGnuAndPax) {
  const std::string name = std::string(60, 'x') + "/" + std::string(90, 'y') + "/1.png";
  const std::string gnu = tar_member({"././@LongLink", name + '\0', 'L'}) + tar_member({name.substr(0, 100), "g"});
  std::string record = " path=" + name + "\n";
  record = std::to_string(record.size() + 3) + record;
  const std::string pax = tar_member({"PaxHeaders/1", "15 comment=hey\n" + record, 'x'}) + tar_member({"short", "p"}) +
                          tar_member({"2.png", "q"});
  const ArchiveIndex of_gnu = scanned(gnu + std::string(1024, '\0')), of_pax = scanned(pax + std::string(1024, '\0'));
  EXPECT_EQ(image_names(of_gnu), test::Names{name});
  EXPECT_EQ(image_names(of_pax), (test::Names{"2.png", name}));
  EXPECT_EQ(as_text(ArchiveReader(of_pax).read(of_pax.images[1])), "p");
}

TEST_F(Archive, RefusesNamesThatLeadOut) {
  for (const char* const name : {"/etc/1.png", "../1.png", "a/../../1.png", "a\\1.png", "a/\xFF.png"}) {
    EXPECT_TRUE(contains(refused(tar({{name, "x"}})), "the name '")) << name;
    EXPECT_TRUE(contains(refused(zip({{name, "x"}})), "name '")) << name;
  }
  EXPECT_EQ(image_names(scanned(tar({{"a../b...png", "x"}}))), test::Names{"a../b...png"});
}

TEST_F(Archive, RefusesNamesGivenTwice) {
  EXPECT_TRUE(contains(refused(tar({{"1.png", "x"}, {"./1.png", "y"}})), "two members are called '1.png'"));
  EXPECT_TRUE(contains(refused(zip({{"1.png", "x"}, {"1.png", "y"}})), "two members are called '1.png'"));
}

TEST_F(Archive, RefusesEncryptedAndUnknownPackings) {
  EXPECT_TRUE(contains(refused(zip({{"1.png", "x", 0, 1}})), "'1.png' is encrypted"));
  EXPECT_TRUE(contains(refused(zip({{"1.png", "x", 99}})), "method 99"));
}

TEST_F(Archive, CountsLinksAndFollowsNone) {
  const ArchiveIndex index = scanned(tar({{"1.png", "x"}, {"2.png", "", '2'}, {"3.png", "", '1'}, {"d/", "", '5'}}));
  EXPECT_EQ(image_names(index), test::Names{"1.png"});
  EXPECT_EQ(index.links, 2u);
  EXPECT_EQ(index.link, "2.png");
  EXPECT_TRUE(contains(refused(tar({{"1.png", "x", 'S'}})), "which is not read"));
}

// Wherever a lawful archive is cut, and whatever is put behind it, it is refused and not read in part.
TEST_F(Archive, RefusesEveryCut) {
  const std::string plain = tar({{"1.png", "first"}, {"2.png", std::string(600, 'x')}});
  for (const std::string& whole : {plain, gzip(plain), zstd(plain), zip({{"1.png", "first"}, {"2.png", "x"}})}) {
    const std::size_t step = whole == plain ? 100 : 1, last = whole == plain ? plain.size() - 1024 : whole.size() - 1;
    for (std::size_t size = 0; size <= last; size += step) EXPECT_THROW(scanned(whole.substr(0, size)), Error) << size;
    EXPECT_NO_THROW(scanned(whole));
  }
  EXPECT_TRUE(contains(refused(plain + plain), "something follows the end blocks"));
  EXPECT_NO_THROW(scanned(plain + std::string(10'240, '\0')));  // a record's filling
}

TEST_F(Archive, RefusesSizesThatLie) {
  const std::string zeros(1024, '\0');
  for (const std::string& size :
       {std::string("77777777777"), std::string("\x80\0\0\0\0\x7F\0\0\0\0\0\0", 12),
        std::string("\x80\x7F\0\0\0\0\0\0\0\0\0\0", 12), std::string("00x"), std::string(12, ' ')})
    EXPECT_THROW(scanned(tar_header({"1.png", "", '0', size}) + zeros), Error) << size;
  // A pax header that would take memory, one that is no list of records, one that speaks for all.
  EXPECT_TRUE(contains(refused(tar_header({"p", "", 'x', "77777777777"}) + zeros), "extension header"));
  for (const char* const record : {"999 path=a\n", "3 path=a\n", "x", "12 path a\n", "-9 path=a\n"})
    EXPECT_THROW(scanned(tar({{"p", record, 'x'}, {"1.png", "x"}})), Error) << record;
  EXPECT_TRUE(contains(refused(tar({{"p", "10 path=a\n", 'g'}, {"1.png", "x"}})), "gives all members one path"));
  EXPECT_TRUE(contains(refused(tar({{"p", "24 GNU.sparse.size=1000\n", 'x'}, {"1.png", "x"}})), "sparse"));
}

// A member whose packed bytes are small and whose claim is not costs no memory.
TEST_F(Archive, RefusesBombs) {
  const std::string bomb = zip({{"1.png", std::string(20 << 20, '\0'), 8}});
  EXPECT_LT(bomb.size(), 40'000u);
  std::string lying = bomb;
  const std::size_t directory = lying.rfind("PK\1\2");
  lying.replace(directory + 24, 4, "\xFF\xFF\xFF\x3F");  // a gigabyte
  const ArchiveIndex index = scanned(lying);
  EXPECT_TRUE(contains(refusal([&] { ArchiveReader(index).read(index.images[0]); }), "more than it may"));
  lying.replace(directory + 24, 4, std::string("\x09\0\0\0", 4));  // less than there is
  const ArchiveIndex less = scanned(lying);
  EXPECT_TRUE(contains(refusal([&] { ArchiveReader(less).read(less.images[0]); }), "doesn't inflate to"));
  // Two members over the same bytes, as the bombs of D. Fifield have them.
  std::string shared = zip({{"1.png", "xxxxxxxxxxxx"}, {"2.png", "y"}});
  const std::size_t second = shared.rfind("PK\1\2");
  shared.replace(second + 42, 4, std::string(4, '\0'));
  EXPECT_TRUE(contains(refused(shared), "two members share bytes"));
}

// A Zstandard frame of blocks that repeat one byte: four bytes for 131,072.
TEST_F(Archive, RefusesToUnpackAWeekOfZeros) {
  std::string frame("\x28\xB5\x2F\xFD\x00\x50", 6);  // windows of 1 MB
  const std::string block("\x02\x00\x10\x00", 4);    // of 131,072 zeros, another follows
  for (int i = 0; i < 10'000; ++i) frame += block;
  frame += std::string("\x01\0\0", 3);
  const std::string header = tar_header({.name = "a.bin", .data = "", .size_field = "77777777777"});
  EXPECT_TRUE(contains(refused(zstd(header) + frame), "a bomb"));
}

TEST_F(Archive, OfAMillionEmptyMembersIsReadInBoundedMemory) {
  std::string bytes;
  const std::string header = tar_header({"e", ""});
  for (int i = 0; i < 200'000; ++i) bytes += header;
  const ArchiveIndex index = scanned(gzip(bytes + tar({{"1.png", "x"}})));
  EXPECT_EQ(index.others, 200'000u);
  EXPECT_EQ(image_names(index), test::Names{"1.png"});
}

TEST_F(Archive, ThatChangesMeanwhileIsNotReadOn) {
  const ArchiveIndex index = scanned(tar({{"1.png", "x"}}));
  ArchiveReader reader(index);
  written(tar({{"1.png", "other"}}));
  EXPECT_TRUE(contains(refusal([&] { reader.read(index.images[0]); }), "has changed since"));
}

TEST_F(Archive, DamagedInAByteIsRefusedOrGivesOtherBytes) {
  const std::string good = zip({{"1.png", std::string(300, 'x'), 8}, {"2.png", "second"}});
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    try {
      const ArchiveIndex index = scanned(bad);
      ArchiveReader reader(index);
      for (const ArchiveMember& image : index.images) {
        const std::string data = as_text(reader.read(image));
        EXPECT_TRUE(data == std::string(300, 'x') || data == "second") << at;
      }
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::input) << at;
    }
  }
}

// What a scan found is written down, and asked again without opening the archive.
TEST_F(Archive, IndexIsKeptAndOpensNoArchive) {
  const Path file = written(gzip(tar(kFiles))), cache = tree_ / "cache";
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_TRUE(image_names(archive_index(file, cache)).size() == 3);
  EXPECT_FALSE(std::filesystem::exists(cache)) << "changed within two seconds: not to be remembered";
  std::this_thread::sleep_for(std::chrono::milliseconds(3200));
  const ArchiveIndex first = archive_index(file, cache);
  EXPECT_TRUE(std::filesystem::exists(cache / "paths/archives"));
  const int watch = ::inotify_init1(IN_NONBLOCK);
  ASSERT_GE(::inotify_add_watch(watch, file.c_str(), IN_OPEN), 0);
  const ArchiveIndex again = archive_index(file, cache);
  char event[1024];
  EXPECT_LT(::read(watch, event, sizeof event), 0) << "the archive was opened";
  EXPECT_EQ(image_names(again), image_names(first));
  EXPECT_EQ(again.texts[0].text, "path\n");
  EXPECT_EQ(again.identity, first.identity);
  EXPECT_EQ(as_text(ArchiveReader(again).read(again.images[1])), "two");
  EXPECT_GT(::read(watch, event, sizeof event), 0) << "the watch sees nothing";
  ::close(watch);
  // A damaged index is none.
  for (const auto& entry : std::filesystem::directory_iterator(cache / "paths/archives")) {
    std::string bytes = read_text_file(entry.path());
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_file_atomically(entry.path(), bytes);
  }
  EXPECT_EQ(image_names(archive_index(file, cache)), image_names(first));
}

TEST(ArchiveNames, AreKnownByTheirEndings) {
  for (const char* const name : {"a.zip", "A.ZIP", "a.tar", "a.tar.gz", "a.tgz", "a.tar.zst"})
    EXPECT_TRUE(is_archive_name(name)) << name;
  EXPECT_FALSE(is_archive_name("a.tar.bz2"));
  EXPECT_TRUE(contains(unread_archive_hint("a.tar.bz2"), ".tar.zst"));
  EXPECT_EQ(archive_stem("x/img.tar.gz"), "img");
  EXPECT_EQ(archive_stem("x/v1.2.zip"), "v1.2");
}

}  // namespace
}  // namespace vise::datasets
