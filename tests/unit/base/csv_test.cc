#include "base/csv.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vise {
namespace {

TEST(CsvReader, KeepsCommasQuotesAndNewlinesInsideQuotes) {
  CsvReader csv(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\nz\",2\r\n\n,\"\"\n",
      "t.csv");
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.cells()[0], "a");
  EXPECT_EQ(csv.cells()[1], "b");
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.cells()[0], "x, \"y\"\nz");
  EXPECT_EQ(csv.cells()[1], "2");
  EXPECT_EQ(csv.row(), 2u);
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.row(), 5u);
  EXPECT_EQ(csv.cells().size(), 2u);
  EXPECT_FALSE(csv.next());
}

TEST(CsvReader, NamesTheLineOfAnUnclosedQuote) {
  CsvReader csv("a\n\"b\nc", "t.csv");
  ASSERT_TRUE(csv.next());
  try {
    csv.next();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "t.csv: line 2: a quoted cell is never closed");
  }
}

TEST(CsvLine, ReadsBackAsWritten) {
  const std::vector<std::string> cells{"plain", "a,b", "say \"x\"", "two\nlines", ""};
  const std::string line = csv_line(cells);
  CsvReader csv(line, "t.csv");
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(std::vector<std::string>(csv.cells().begin(), csv.cells().end()), cells);
}

TEST(CsvTable, SuggestsTheNearestColumn) {
  const CsvTable table = CsvTable::parse("path,label\na,b\n", "t.csv");
  try {
    table.column("lable");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("'label'"), std::string::npos);
  }
}

}  // namespace
}  // namespace vise
