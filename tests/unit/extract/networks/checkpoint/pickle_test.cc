#include "base/pickle.h"

#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::networks {
namespace {

using test::contains;
using test::refusal;

std::string json_of(const std::string& pickle) {
  PickleHeap heap;
  PickleWorld plain;
  return pickle_to_json(heap, run_pickle(as_byte_view(pickle), heap, plain).value);
}

std::string why_not(const std::string& pickle) {
  return refusal([&] { json_of(pickle); });
}

// The expected texts are json.dumps(pickle.loads(...)) of Python 3.11.
TEST(Pickle, BuildsPlainValuesOfEveryProtocol) {
  EXPECT_EQ(json_of("(dp0\nVa\np1\nI1\nsVb\nF2.5\ns."), R"({"a": 1, "b": 2.5})");
  EXPECT_EQ(json_of("\x80\x02(K\x01\x88N\x8a\x01\xfft."), "[1, true, null, -1]");
  EXPECT_EQ(json_of(std::string("\x80\x04\x95\x07\0\0\0\0\0\0\0]\x94(K\x07"
                                "e.",
                                18)),
            "[7]");
  EXPECT_EQ(json_of("\x80\x02]" + test::text("caf\xC3\xA9") + "a."), R"(["caf\u00e9"])");
}

TEST(Pickle, KeepsWholeNumbersPastSixtyFourBitsExactly) {
  // 2^70, -2^63 - 1 and -2^63, which still fits.
  EXPECT_EQ(json_of(std::string("\x8a\x09\0\0\0\0\0\0\0\0\x40.", 12)), "1180591620717411303424");
  EXPECT_EQ(json_of(std::string("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\xff.", 12)), "-9223372036854775809");
  EXPECT_EQ(json_of(std::string("\x8a\x08\0\0\0\0\0\0\0\x80.", 11)), "-9223372036854775808");
  EXPECT_EQ(json_of("L-00018446744073709551616L\n."), "-18446744073709551616");
}

TEST(Pickle, TakesTheLaterOfTwoEqualKeys) {
  // Python: 1 == 1.0 == True are one key.
  EXPECT_EQ(json_of(std::string("}(K\x01K\x02G\x3f\xf0\0\0\0\0\0\0K\x03u.", 19)), R"({"1": 3})");
  std::string many = "}(";
  for (int i = 0; i < 100; ++i) many += test::text(std::to_string(i % 50)) + test::number(i);
  EXPECT_TRUE(json_of(many + "u.").starts_with(R"({"0": 50, "1": 51)"));
}

TEST(Pickle, NamesOpcodeAndPlace) {
  EXPECT_TRUE(contains(why_not("\x80\x02]K\x01s."), "byte 5: SETITEM: sets an item of a list") ||
              contains(why_not("\x80\x02]K\x01s."), "byte 5: SETITEM: the stack is empty"));
  EXPECT_TRUE(contains(why_not("\xfe."), "byte 0: opcode 0xfe"));
}

TEST(Pickle, RefusesEveryGlobalByItsName) {
  EXPECT_TRUE(contains(why_not("cos\nsystem\n."), "os.system"));
  EXPECT_TRUE(contains(why_not("\x80\x04\x8c\x02os\x8c\x06system\x93."), "os.system"));
  EXPECT_TRUE(contains(why_not("(ios\nsystem\n."), "os.system"));
}

TEST(Pickle, ChecksLengthsBeforeUse) {
  EXPECT_TRUE(contains(why_not("\x8e\xff\xff\xff\xff\xff\xff\xff\xff."), "passes the end"));
  EXPECT_TRUE(
      contains(why_not(std::string("\x80\x04\x95\x03\0\0\0\0\0\0\0X\x05\0\0\0hello.", 22)), "end of the frame"));
  EXPECT_TRUE(contains(why_not("X\xff"), "passes the end"));
}

TEST(Pickle, CannotReachBelowAMark) {
  EXPECT_TRUE(contains(why_not("]K\x01(a."), "the stack is empty"));
  EXPECT_TRUE(contains(why_not("K\x01(."), "the stack is empty"));
}

TEST(Pickle, BoundsNestingStackAndObjects) {
  EXPECT_TRUE(contains(why_not(std::string(200, ']') + std::string(199, 'a') + "."), "deeper than 64"));
  EXPECT_TRUE(contains(why_not(std::string(100'000, ']')), "values on the stack"));
  EXPECT_TRUE(contains(why_not("]q\x01h\x01"
                               "a."),
                       "holds itself"));
  std::string many;
  for (int i = 0; i < 510'000; ++i) many += "]0";
  EXPECT_TRUE(contains(why_not(many), "objects"));
}

// A shared list ten times in a list, thirty levels deep, is 10^30 values written out.
TEST(Pickle, RefusesWhatIsSmallOnlyByReference) {
  std::string pickle = "](" + test::text("lol") + "eq" + std::string(1, '\0');
  for (char level = 1; level < 30; ++level) {
    pickle += "](";
    for (int i = 0; i < 10; ++i) pickle += std::string("h") + static_cast<char>(level - 1);
    pickle += std::string("eq") + level;
  }
  EXPECT_TRUE(contains(why_not(pickle + "."), "more than 200000 parts"));
}

TEST(Pickle, RefusesKeysThatTakeForEverToHash) {
  EXPECT_TRUE(contains(why_not("})K\x01s."), "a tuple stands as a key"));
  EXPECT_TRUE(
      contains(why_not("}" + test::text(std::string(5000, 'k')) + "K\x01s."), "a key of a dict has 5000 bytes"));
}

TEST(Pickle, DecodesPython2Literals) {
  EXPECT_EQ(json_of("S'a\\x41\\n\\101\\\\'\n."), R"("aA\nA\\")");
  EXPECT_EQ(json_of("V\\u00e9\\U0001F600\n."), R"("\u00e9\ud83d\ude00")");
  EXPECT_TRUE(contains(why_not("V\\ud800\n."), "surrogate"));
  EXPECT_TRUE(contains(why_not("S'abc\n."), "quotes"));
}

TEST(Pickle, RefusesTextThatIsNotUtf8) {
  for (const char* bad : {"\xC3\x28", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\xFF"})
    EXPECT_TRUE(contains(why_not(test::text(bad) + "."), "not UTF-8")) << bad;
}

}  // namespace
}  // namespace vise::networks
