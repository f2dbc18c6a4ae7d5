// Every value of files that other programs wrote, as another program reads it (oracle.mjs). Needs node and its
// packages, which Debian doesn't have: npm install @duckdb/node-api parquet-wasm apache-arrow, then
// VISE_NODE_MODULES=$PWD/node_modules. VISE_PARQUET_TESTING is a clone of github.com/apache/parquet-testing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "datasets/parquet/parquet.h"
#include "tests/shared.h"

namespace vise::datasets::parquet {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

bool is_equal(const Column& column, const Cell& cell, const Json& wanted) {
  if (cell.is_null || wanted.is_null()) return cell.is_null && wanted.is_null();
  if (wanted == "?") return true;
  if (column.kind == Kind::integer || column.kind == Kind::boolean) return wanted == fmt::format("{}", cell.integer);
  if (column.kind != Kind::real) return wanted == hex(cell.bytes);
  const double value = wanted.is_string() ? std::stod(wanted.get<std::string>()) : wanted.get<double>();
  const bool is_decimal = column.annotation == Annotation::decimal;  // which the other may round otherwise
  return is_decimal ? std::abs(value - cell.real) <= 1e-12 * std::abs(value) : value == cell.real;
}

// The row's number where it differs; -1 where all are equal.
std::int64_t first_difference(const File& file, std::size_t column, const Json& rows) {
  const Column& of = file.columns()[column];
  std::size_t row = 0;
  for (std::size_t g = 0; g < file.groups(); ++g) {
    Cursor cursor = file.read(column, g);
    for (; cursor.next_row(); ++row) {
      const Json& wanted = rows.at(row);
      std::size_t n = 0;
      bool is_same = cursor.is_null() == wanted.is_null();
      for (Cell cell; cursor.next_value(cell); ++n)
        is_same = is_same &&
                  (of.is_list ? n < wanted.size() && is_equal(of, cell, wanted.at(n)) : is_equal(of, cell, wanted));
      if (!is_same || (of.is_list && n != wanted.size())) return static_cast<std::int64_t>(row);
    }
  }
  return row == rows.size() ? -1 : static_cast<std::int64_t>(row);
}

class Oracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* const modules = std::getenv("VISE_NODE_MODULES")) modules_ = modules;
    if (modules_.empty()) GTEST_SKIP() << "skipped: VISE_NODE_MODULES is not set";
  }

  Ended run(const std::string& verb, const Path& place) const {
    return run_process({"node", (Path(VISE_SOURCE_DIR) / "tests/unit/datasets/parquet/oracle.mjs").string(), modules_,
                        verb, place.string()});
  }

  // How many columns were compared: none where the other program doesn't read the file, or we don't, by name.
  std::size_t compare(const Path& path) const {
    const Ended other = run("read", path);
    std::size_t compared = 0;
    if (other.code != 0) return 0;
    std::map<std::string, Json> rows;
    for (const std::string& line : split(other.out, '\n'))
      if (Json column = line.empty() ? Json() : parse_json(line, "the oracle"); !column.is_null())
        rows[column["name"].get<std::string>()] = std::move(column["rows"]);
    try {
      const File file = File::open(path);
      for (std::size_t c = 0; c < file.columns().size(); ++c) {
        const Column& column = file.columns()[c];
        if (column.kind == Kind::unread) continue;
        EXPECT_TRUE(rows.contains(column.name)) << path << ": " << column.name;
        EXPECT_EQ(first_difference(file, c, rows[column.name]), -1) << path << ": " << column.name;
        ++compared;
      }
    } catch (const Error& error) {
      refused_ += fmt::format("{}\n", error.message());
    }
    return compared;
  }

  std::string modules_;
  mutable std::string refused_;
};

TEST_F(Oracle, AgreesOnFilesOfTwoOtherWriters) {
  const test::ScratchDir scratch;
  const Ended written = run("write", scratch.path());
  ASSERT_EQ(written.code, 0) << written.err;
  std::size_t columns = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) columns += compare(entry.path());
  EXPECT_EQ(columns, 8U * 14 + 9U * 8);
  EXPECT_EQ(refused_, "");
}

TEST_F(Oracle, AgreesOnTheFormatsOwnTestFiles) {
  const char* const folder = std::getenv("VISE_PARQUET_TESTING");
  if (!folder) GTEST_SKIP() << "skipped: VISE_PARQUET_TESTING is not set";
  std::size_t columns = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Path(folder) / "data"))
    if (entry.path().extension() == ".parquet") columns += compare(entry.path());
  EXPECT_GT(columns, 350U);
  for (const std::string& line : split(refused_, '\n'))
    if (!line.empty()) fmt::print("refused: {}\n", line);
}

}  // namespace
}  // namespace vise::datasets::parquet
