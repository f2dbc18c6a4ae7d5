#include "datasets/parquet/parquet.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <snappy-c.h>

#include "base/error.h"
#include "tests/packed_bytes.h"
#include "tests/unit/datasets/parquet/writer.h"

namespace vise::datasets {
namespace {

using namespace test;  // the writer's words
using parquet::Cell;
using parquet::Column;
using parquet::Cursor;
using parquet::File;
using parquet::Kind;

File parse(const std::string& bytes) {
  const ByteView view = as_byte_view(bytes);
  return File::parse({view.begin(), view.end()}, "file");
}

std::string text_of(const Column& column, const Cell& cell) {
  if (cell.is_null) return "null";
  if (column.kind == Kind::real) return fmt::format("{}", cell.real);
  if (column.kind == Kind::integer || column.kind == Kind::boolean) return fmt::format("{}", cell.integer);
  return std::string(cell.bytes);
}

std::string row_of(const Column& column, Cursor& cursor) {
  std::string row;
  if (cursor.is_null()) row = "null";
  int n = 0;
  for (Cell cell; cursor.next_value(cell); ++n) row += (n == 0 ? "" : " ") + text_of(column, cell);
  return column.is_list && !cursor.is_null() ? "[" + row + "]" : row;
}

// All rows of a column, as texts joined by commas.
std::string rows_of(const File& file, std::size_t column = 0) {
  std::string rows;
  for (std::size_t g = 0; g < file.groups(); ++g) {
    Cursor cursor = file.read(column, g);
    while (cursor.next_row()) rows += (rows.empty() ? "" : ",") + row_of(file.columns()[column], cursor);
  }
  return rows;
}

std::string one_column(const Node& node, int rows, const std::string& pages, int codec = 0) {
  return test::parquet({node}, {{rows, {{pages, rows, codec}}}});
}

std::string refusal(const std::string& bytes) {
  try {
    const File file = parse(bytes);
    for (std::size_t c = 0; c < file.columns().size(); ++c) rows_of(file, c);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.message();
  }
  return "read";
}
#define EXPECT_REFUSED(bytes, words) EXPECT_NE(refusal(bytes).find(words), std::string::npos) << refusal(bytes)

const Node kNumber{.name = "n", .physical = int32};
const Node kText{.name = "t", .physical = byte_array, .converted = kUtf8};
const Node kMaybe{.name = "m", .repeat = optional, .physical = int64};
// optional group l (LIST) { repeated group list { optional int32 element } }
const std::vector<Node> kListOfNumbers{{.name = "l", .repeat = optional, .converted = kList, .children = 1},
                                       {.name = "list", .repeat = repeated, .children = 1},
                                       {.name = "element", .repeat = optional, .physical = int32}};

TEST(Parquet, ReadsPlainValuesOfEveryType) {
  EXPECT_EQ(rows_of(parse(one_column(kNumber, 3, data_page(3, 0, little(7, 4) + little(-8, 4) + little(9, 4))))),
            "7,-8,9");
  EXPECT_EQ(rows_of(parse(one_column(kText, 3, data_page(3, 0, texts({"joy", "", "fear"}))))), "joy,,fear");
  EXPECT_EQ(rows_of(parse(one_column({.name = "b", .physical = boolean}, 10, data_page(10, 0, "\x05\x02")))),
            "1,0,1,0,0,0,0,0,0,1");
  EXPECT_EQ(rows_of(parse(one_column({.name = "f", .physical = real32}, 1, data_page(1, 0, little(0x3FC00000, 4))))),
            "1.5");
  EXPECT_EQ(
      rows_of(parse(one_column({.name = "d", .physical = real64}, 1, data_page(1, 0, little(0xBFF0000000000000, 8))))),
      "-1");
  EXPECT_EQ(rows_of(parse(one_column({.name = "x", .physical = fixed, .length = 2}, 2, data_page(2, 0, "abcd")))),
            "ab,cd");
}

// UINT_8 is 11, UINT_64 is 14: numbers whose sign bit is no sign.
TEST(Parquet, ReadsUnsignedNumbers) {
  EXPECT_EQ(rows_of(parse(one_column({.name = "u", .physical = int32, .converted = 13}, 1,
                                     data_page(1, 0, little(0xFFFFFFFF, 4))))),
            "4294967295");
  EXPECT_REFUSED(one_column({.name = "u", .physical = int64, .converted = 14}, 1, data_page(1, 0, little(~0ULL, 8))),
                 "the number 18446744073709551615 is too large");
}

TEST(Parquet, ReadsNullsInBothVersionsOfPages) {
  const std::string levels = packed_group("\x05"), values = little(3, 8) + little(4, 8);  // 1 0 1
  EXPECT_EQ(rows_of(parse(one_column(kMaybe, 3, data_page(3, 0, sized(levels) + values)))), "3,null,4");
  EXPECT_EQ(rows_of(parse(one_column(kMaybe, 3, data_page_v2(3, 1, 0, "", levels, values)))), "3,null,4");
  // A page of nulls alone has no values, whatever their encoding.
  EXPECT_EQ(rows_of(parse(one_column(kMaybe, 2, data_page_v2(2, 2, 8, "", run(2, 0), "")))), "null,null");
}

// [1 2], null, [], [null 3]: repetition 0 1 0 0 0 1, definition 3 3 0 1 2 3.
TEST(Parquet, TellsANullListFromAnEmptyOneAndANullElement) {
  const std::string repetition = packed_group(std::string("\x22", 1)), definition = packed_group("\x4F\x0E");
  const std::string values = little(1, 4) + little(2, 4) + little(3, 4);
  const std::string rows = "[1 2],null,[],[null 3]";
  const auto file = [](const std::string& pages) { return parse(test::parquet(kListOfNumbers, {{4, {{pages, 6}}}})); };
  EXPECT_EQ(rows_of(file(data_page(6, 0, sized(repetition) + sized(definition) + values))), rows);
  EXPECT_EQ(rows_of(file(data_page_v2(6, 3, 0, repetition, definition, values))), rows);
  EXPECT_EQ(file("").columns()[0].name, "l");
}

TEST(Parquet, GoesOnWithAListInTheNextPage) {
  const std::string first = data_page(2, 0, sized(run(2, 0)) + sized(run(2, 3)) + little(1, 4) + little(2, 4));
  const std::string second =
      data_page(2, 0, sized(packed_group("\x01")) + sized(run(2, 3)) + little(3, 4) + little(4, 4));
  EXPECT_EQ(rows_of(parse(test::parquet(kListOfNumbers, {{3, {{first + second, 4}}}}))), "[1],[2 3],[4]");
}

TEST(Parquet, ReadsListsAsOlderWritersNestThem) {
  const std::string values = little(5, 4) + little(6, 4);
  // repeated int32 n, without any structure around it
  EXPECT_EQ(rows_of(parse(test::parquet(
                {{.name = "n", .repeat = repeated, .physical = int32}},
                {{1, {{data_page(2, 0, sized(run(1, 0) + run(1, 1)) + sized(run(2, 1)) + values), 2}}}}))),
            "[5 6]");
  const File file = parse(test::parquet({{.name = "l", .converted = kList, .children = 1},
                                         {.name = "array", .repeat = repeated, .children = 1},
                                         {.name = "x", .physical = int32}},
                                        {}));
  EXPECT_EQ(file.columns()[0].name, "l:x");
}

TEST(Parquet, NamesTheFieldsOfStructures) {
  const File file =
      parse(test::parquet({{.name = "image", .repeat = optional, .children = 2},
                           {.name = "bytes", .repeat = optional, .physical = byte_array},
                           {.name = "path", .repeat = optional, .physical = byte_array, .converted = kUtf8},
                           kNumber},
                          {}, {{"huggingface", "{}"}}));
  ASSERT_EQ(file.columns().size(), 3U);
  EXPECT_EQ(file.columns()[0].name, "image:bytes");
  EXPECT_EQ(file.columns()[0].parent, "image");
  EXPECT_EQ(file.columns()[0].kind, Kind::bytes);
  EXPECT_EQ(file.columns()[1].kind, Kind::text);
  EXPECT_EQ(file.find("n"), 2U);
  EXPECT_EQ(file.text("huggingface"), "{}");
}

TEST(Parquet, ReadsDictionaries) {
  const std::string dictionary = dictionary_page(3, texts({"joy", "fear", "awe"}));
  for (const int encoding : {2, 8})  // 2 1 0 2 and a run of 1
    EXPECT_EQ(
        rows_of(parse(one_column(
            kText, 6, dictionary + data_page(6, encoding, "\2" + run(1, 2) + run(1, 1) + run(1, 0) + run(3, 2))))),
        "awe,fear,joy,awe,awe,awe");
  EXPECT_REFUSED(one_column(kText, 1, dictionary + data_page(1, 8, "\2" + run(1, 3))), "value 3 of a dictionary of 3");
  EXPECT_REFUSED(one_column(kText, 1, data_page(1, 8, "\2" + run(1, 0))), "without a dictionary");
}

// Encodings.md: 7, 5, 3, 1, 2, 3, 4, 5 are the differences -2 -2 -2 1 1 1 1, of which the smallest is -2.
TEST(Parquet, ReadsDifferences) {
  const std::string bytes("\x80\x01\x04\x08\x0E\x03\x02\0\0\0\xC0\x3F\0\0\0\0\0\0", 18);
  EXPECT_EQ(rows_of(parse(one_column(kNumber, 8, data_page(8, 5, bytes)))), "7,5,3,1,2,3,4,5");
  EXPECT_EQ(rows_of(parse(one_column(kNumber, 8, data_page(8, 5, bytes.substr(0, 12))))), "7,5,3,1,2,3,4,5");
  EXPECT_REFUSED(one_column(kNumber, 8, data_page(8, 5, bytes.substr(0, 11))), "cut off");
  EXPECT_REFUSED(one_column(kNumber, 7, data_page(7, 5, bytes)), "claims 8 values where there may be 7");
}

// Encodings.md's own example: axis, axle, babble, babyhood.
TEST(Parquet, ReadsByteArraysThatShareTheirBeginnings) {
  const auto four = [](const std::string& first, const std::string& smallest, const std::string& packed) {
    return "\x80\x01\x04\x04" + first + smallest + std::string("\4\0\0\0", 4) + packed +
           std::string(16 - packed.size(), '\0');
  };
  const std::string prefixes = four(std::string(1, 0), "\3", std::string("\x04\x05", 2));  // 0 2 0 3: +2 -2 +3, from -2
  const std::string lengths = four("\x08", "\3", std::string("\x60\x01", 2));              // 4 2 6 5: -2 +4 -1, from -2
  const Node text = kText;
  EXPECT_EQ(rows_of(parse(one_column(text, 4, data_page(4, 6, lengths + "axislebabbleyhood")))),
            "axis,le,babble,yhood");
  EXPECT_EQ(rows_of(parse(one_column(text, 4, data_page(4, 7, prefixes + lengths + "axislebabbleyhood")))),
            "axis,axle,babble,babyhood");
  EXPECT_REFUSED(one_column(text, 4, data_page(4, 6, lengths + "axislebabbleyhoo")), "claims 5 bytes where 4 remain");
}

TEST(Parquet, ReadsSplitStreamsAndRunsOfBooleans) {
  EXPECT_EQ(rows_of(parse(one_column({.name = "f", .physical = real32}, 2,
                                     data_page(2, 9, std::string("\0\0\0\0\xC0\x80\x3F\xBF", 8))))),
            "1.5,-1");
  EXPECT_EQ(
      rows_of(parse(one_column({.name = "b", .physical = boolean}, 3, data_page(3, 3, sized(run(2, 1) + run(1, 0)))))),
      "1,1,0");
}

std::string packed(int codec, const std::string& bytes) {
  if (codec == 6) return test::zstd(bytes);
  if (codec == 2) return test::gzip(bytes);
  std::string out(1000 + bytes.size(), '\0');
  std::size_t size = out.size();
  snappy_compress(bytes.data(), bytes.size(), out.data(), &size);
  return out.substr(0, size);
}

TEST(Parquet, UnpacksSnappyGzipAndZstd) {
  const std::string body = texts({std::string(500, 'a'), "b"});
  const auto file = [&](int codec, int claimed) {
    return one_column(kText, 2, data_page(2, 0, packed(codec, body), claimed), codec);
  };
  for (const int codec : {1, 2, 6}) {
    EXPECT_EQ(rows_of(parse(file(codec, 509))), std::string(500, 'a') + ",b") << codec;
    EXPECT_REFUSED(file(codec, 508), "doesn't unpack");
    EXPECT_REFUSED(file(codec, 510), "doesn't unpack");
    EXPECT_REFUSED(file(codec, 1 << 30), "claims to unpack to 1073741824");
  }
  // Version 2 says of a page whether it is packed, and never packs levels.
  const std::string nine = little(9, 8);
  for (const bool is_packed : {true, false})
    EXPECT_EQ(rows_of(parse(one_column(
                  kMaybe, 2,
                  data_page_v2(2, 1, 0, "", packed_group("\2"), is_packed ? packed(6, nine) : nine, 8, is_packed), 6))),
              "null,9");
  // Members of gzip may follow each other.
  EXPECT_EQ(
      rows_of(parse(one_column(kNumber, 2, data_page(2, 0, packed(2, little(1, 4)) + packed(2, little(2, 4)), 8), 2))),
      "1,2");
}

TEST(Parquet, RefusesWhatItDoesNotReadByName) {
  const std::string page = data_page(1, 0, little(1, 4));
  for (const auto& [codec, name] : {std::pair(3, "LZO"), {4, "Brotli"}, {5, "LZ4"}, {7, "LZ4_RAW"}, {99, "codec 99"}})
    EXPECT_REFUSED(one_column(kNumber, 1, page, codec), fmt::format("is packed with {}, which is not read", name));
  EXPECT_REFUSED(one_column(kNumber, 1, data_page(1, 7, "")), "DELTA_BYTE_ARRAY, which is not read for this type");
  EXPECT_REFUSED(one_column(kMaybe, 1, data_page(1, 0, "\1" + little(1, 8), -1, 4)), "BIT_PACKED, which is not read");
  EXPECT_REFUSED(one_column({.name = "old", .physical = int96}, 1, page), "is an INT96 timestamp, which is not read");
  EXPECT_REFUSED(one_column({.name = "t", .physical = int64, .converted = 9}, 1, page),
                 "is a timestamp, which is not read");
  EXPECT_REFUSED("PAR1" + little(0, 4) + "PARE", "encrypted");
  EXPECT_REFUSED("GIF89a, a picture", "doesn't begin with PAR1");
}

// Nothing that a file claims is allocated or believed before its bytes are seen.
TEST(Parquet, RefusesWhatDoesNotHoldTogether) {
  const std::string page = data_page(2, 0, little(1, 4) + little(2, 4));
  EXPECT_EQ(refusal(one_column(kNumber, 2, page)), "read");
  EXPECT_REFUSED(one_column(kNumber, 1, page), "claims 2 values where the chunk has 1 left");
  EXPECT_REFUSED(one_column(kNumber, 3, page), "lack 1 of its 3 values");
  EXPECT_REFUSED(one_column(kNumber, 3, data_page(3, 0, little(1, 8))), "fewer values than it claims");
  EXPECT_REFUSED(one_column(kText, 1, data_page(1, 0, little(0xFFFFFFFF, 4) + "x")),
                 "claims 4294967295 bytes where 1 remain");
  EXPECT_REFUSED(test::parquet({kNumber}, {{1, {{page, 2}}}}), "has 1 rows and 'n' 2 values");
  EXPECT_REFUSED(test::parquet({kNumber}, {{2, {{page, 2}, {page, 2}}}}), "2 chunks for 1 columns");
  EXPECT_REFUSED(test::parquet({{.name = "s", .children = 3}, kNumber}, {}), "claims more columns than there are");
  EXPECT_REFUSED(one_column(kMaybe, 1, data_page(1, 0, sized(run(1, 1)))), "fewer values than it claims");
  EXPECT_REFUSED(one_column(kMaybe, 1, data_page(1, 0, little(99, 4))), "definition levels claim 99 bytes");
  // The second list begins before the first.
  EXPECT_REFUSED(
      test::parquet(kListOfNumbers, {{1, {{data_page(1, 0, sized(run(1, 1)) + sized(run(1, 3)) + little(1, 4)), 1}}}}),
      "the first value goes on with a list");
}

// A file of two columns and all kinds of pages, for the two tests below.
std::string mixed_file() {
  const std::string pages =
      dictionary_page(2, texts({"joy", "fear"})) +
      data_page(3, 8, sized(packed_group("\5")) + "\1" + run(1, 0) + run(1, 1)) +
      data_page_v2(2, 0, 7, "", run(2, 1), std::string("\x80\1\4\2\0\0\0\0\0\0\x80\1\4\2\6\0\0\0\0\0", 20) + "joyawe");
  return test::parquet({{.name = "t", .repeat = optional, .physical = byte_array, .converted = kUtf8}, kNumber},
                       {{5, {{pages, 5}, {data_page(5, 0, std::string(20, '\1')), 5}}}}, {{"key", "value"}});
}

TEST(Parquet, RefusesEveryBeginningOfAFile) {
  const std::string file = mixed_file();
  EXPECT_EQ(rows_of(parse(file)), "joy,null,fear,joy,awe");
  for (std::size_t size = 0; size < file.size(); ++size) EXPECT_NE(refusal(file.substr(0, size)), "read") << size;
}

// Read or refused, never anything else: the sanitizers' builds of this test see the rest.
TEST(Parquet, SurvivesEveryChangedByte) {
  const std::string file = mixed_file();
  int refused = 0;
  for (std::size_t i = 0; i < file.size(); ++i)
    for (const int value : {0, 1, 0x7F, 0x80, 0xFF, file[i] ^ 1, file[i] ^ 0x10}) {
      std::string changed = file;
      changed[i] = static_cast<char>(value);
      refused += refusal(changed) != "read";
    }
  EXPECT_GT(refused, 500);
}

TEST(Parquet, SeeksWithoutReadingThePagesBetween) {
  std::string pages;
  for (int p = 0; p < 4; ++p)
    pages += data_page(3, 0, texts({std::to_string(3 * p), std::to_string(3 * p + 1), std::to_string(3 * p + 2)}));
  // The second page cannot be read: a value claims 99 bytes.
  pages[pages.find(sized(std::string("3")))] = 99;
  const File file = parse(one_column(kText, 12, pages));
  Cursor cursor = file.read(0, 0);
  const auto at = [&](std::uint64_t row) {
    cursor.seek(row);
    return cursor.next_row() ? row_of(file.columns()[0], cursor) : "none";
  };
  for (const std::uint64_t from : {0U, 2U, 6U, 8U, 9U, 11U})
    for (const std::uint64_t to : {0U, 1U, 2U, 6U, 7U, 8U, 9U, 10U, 11U}) {
      EXPECT_EQ(at(from), std::to_string(from));
      EXPECT_EQ(at(to), std::to_string(to)) << from;
    }
  cursor.seek(6);
  ASSERT_TRUE(cursor.next_row());  // and its value is not asked for
  EXPECT_EQ(at(6), "6");
  cursor.seek(8);
  ASSERT_TRUE(cursor.next_row());
  EXPECT_EQ(at(9), "9");
  std::uint64_t left = 0;
  while (cursor.next_row()) ++left;
  EXPECT_EQ(left, 2U);
  EXPECT_THROW(at(3), Error);
  EXPECT_THROW(at(13), Error);
}

TEST(Parquet, SeeksInLists) {
  const std::string first = data_page(2, 0, sized(run(2, 0)) + sized(run(2, 3)) + little(1, 4) + little(2, 4));
  const std::string second =
      data_page(2, 0, sized(packed_group("\x01")) + sized(run(2, 3)) + little(3, 4) + little(4, 4));
  const File file = parse(test::parquet(kListOfNumbers, {{3, {{first + second, 4}}}}));
  Cursor cursor = file.read(0, 0);
  for (const auto& [row, text] : {std::pair(2U, "[4]"), {1U, "[2 3]"}, {0U, "[1]"}, {1U, "[2 3]"}}) {
    cursor.seek(row);
    ASSERT_TRUE(cursor.next_row());
    EXPECT_EQ(row_of(file.columns()[0], cursor), text);
  }
}

}  // namespace
}  // namespace vise::datasets
