#include "base/zip.h"

#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::networks {
namespace {

using test::contains;
using test::Member;
using test::refusal;

std::string as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

TEST(ZipArchive, GivesStoredMembersAsViewsAndInflatesTheOthers) {
  const std::string data =
      test::zip({{"a/x", "hello"}, {"a/y", std::string(1000, 'y'), 8}, {"a/empty", ""}}, "PK\5\6 a comment");
  const ByteView bytes = as_byte_view(data);
  const ZipArchive zip = ZipArchive::open(bytes);
  ASSERT_EQ(zip.entries().size(), 3U);
  const ByteView x = zip.stored(*zip.find("a/x"));
  EXPECT_EQ(as_text(x), "hello");
  EXPECT_TRUE(x.data() >= bytes.data() && x.data() < bytes.data() + bytes.size());
  EXPECT_EQ(as_text(zip.inflate(*zip.find("a/y"), 1000)), std::string(1000, 'y'));
  EXPECT_TRUE(zip.stored(*zip.find("a/empty")).empty());
  EXPECT_EQ(zip.find("A/X"), nullptr);
}

TEST(ZipArchive, InflatesNoMoreThanIsAllowed) {
  const std::string data = test::zip({{"bomb", std::string(1 << 20, '\0'), 8}});
  const ZipArchive zip = ZipArchive::open(as_byte_view(data));
  EXPECT_TRUE(contains(refusal([&] { zip.inflate(zip.entries()[0], 1000); }), "more than it may"));
}

TEST(ZipArchive, SeesEveryFlippedBitOfAMember) {
  const std::string good = test::zip({{"m", "0123456789"}});
  for (std::size_t bit = 0; bit < 80; ++bit) {
    std::string bad = good;
    bad[31 + bit / 8] ^= static_cast<char>(1 << bit % 8);
    const ZipArchive zip = ZipArchive::open(as_byte_view(bad));
    EXPECT_TRUE(contains(refusal([&] { zip.stored(zip.entries()[0]); }), "CRC-32")) << bit;
  }
}

TEST(ZipArchive, RefusesNamesThatLeadAnywhere) {
  for (const std::string& name : {std::string("../x"), std::string("a/../../x"), std::string("/x"), std::string("a\\x"),
                                  std::string(), std::string("a\0b", 3), std::string("\xff"), std::string("a/..")})
    EXPECT_TRUE(contains(refusal([&] {
                           ZipArchive::open(as_byte_view(test::zip({{name, "x"}})));
                         }),
                         "the member name"))
        << name;
  EXPECT_EQ(ZipArchive::open(as_byte_view(test::zip({{"..a/b..", "x"}}))).entries().size(), 1U);
}

TEST(ZipArchive, RefusesTwoMembersOfOneName) {
  const std::string data = test::zip({{"a", "x"}, {"b", "y"}, {"a", "z"}});
  EXPECT_TRUE(contains(refusal([&] { ZipArchive::open(as_byte_view(data)); }), "two members are called 'a'"));
}

TEST(ZipArchive, RefusesEncryptedMembersAndUnknownMethods) {
  EXPECT_TRUE(contains(refusal([&] { ZipArchive::open(as_byte_view(test::zip({{"a", "x", 0, 1}}))); }), "encrypted"));
  EXPECT_TRUE(contains(refusal([&] { ZipArchive::open(as_byte_view(test::zip({{"a", "x", 99}}))); }), "method 99"));
}

// Wherever a lawful archive is cut, and whatever is added to it, it is refused and not read in part.
TEST(ZipArchive, RefusesEveryTruncation) {
  const std::string good = test::zip({{"a/data.pkl", "hello"}, {"a/version", "3\n"}});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(ZipArchive::open(as_byte_view(good.substr(0, size))), Error) << size;
  EXPECT_THROW(ZipArchive::open(as_byte_view(good + "x")), Error);
  EXPECT_THROW(ZipArchive::open(as_byte_view("x" + good)), Error);
}

// No single changed byte of the directory or the end record may crash the reader, or give a member another's bytes.
TEST(ZipArchive, SurvivesEveryChangedByteOfItsDirectory) {
  const std::string good = test::zip({{"a", "first"}, {"b", "second"}});
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const int change : {1, 0x80, 0xFF}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ change);
      try {
        const ZipArchive zip = ZipArchive::open(as_byte_view(bad));
        for (const ZipEntry& entry : zip.entries()) {
          const std::string data = entry.deflated ? as_text(zip.inflate(entry, 100)) : as_text(zip.stored(entry));
          EXPECT_TRUE(data == "first" || data == "second") << at;
        }
      } catch (const Error&) {
      }
    }
}

}  // namespace
}  // namespace vise::networks
