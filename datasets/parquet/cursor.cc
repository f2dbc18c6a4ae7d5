#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/half.h"
#include "datasets/parquet/contents.h"
#include "datasets/parquet/levels.h"
#include "datasets/parquet/pages.h"

namespace vise::datasets::parquet {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, what); }

// A fixed decimal is big-endian, of at most 8 bytes (schema.cc).
std::int64_t big_endian(std::string_view bytes) {
  // Two's complement: shorter than 64 bits, so the sign is extended first.
  std::uint64_t value = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return static_cast<std::int64_t>(value);
}

// A value's bits by the column's type: low bits of the 64, sign extended unless the column says that it has none.
std::int64_t integer_of(const Column& column, const Value& value) {
  const auto low = static_cast<std::uint32_t>(value.bits);
  if (column.physical == Physical::boolean) return static_cast<std::int64_t>(value.bits & 1);
  if (column.physical == Physical::fixed) return big_endian(value.bytes);
  const bool is_unsigned = column.annotation == Annotation::unsigned_integer;
  if (column.physical == Physical::int32)
    return is_unsigned ? std::int64_t{low} : std::int64_t{static_cast<std::int32_t>(low)};
  if (is_unsigned && value.bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    refuse(fmt::format("the number {} is too large", value.bits));
  return static_cast<std::int64_t>(value.bits);
}

// A decimal is a whole number and a power of ten; float16 comes as two bytes, little-endian.
double real_of(const Column& column, const Value& value) {
  if (column.annotation == Annotation::decimal)
    return static_cast<double>(integer_of(column, value)) / std::pow(10.0, column.scale);
  if (column.annotation == Annotation::half)
    return half_to_float(static_cast<std::uint16_t>(static_cast<std::uint8_t>(value.bytes[0]) |
                                                    static_cast<std::uint8_t>(value.bytes[1]) << 8));
  if (column.physical == Physical::real32) return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits));
  return std::bit_cast<double>(value.bits);
}

// What the reader's three kinds of cells hold of a value: an integer, a real number, or bytes.
Cell cell_of(const Column& column, const Value& value) {
  if (column.physical == Physical::fixed && value.bytes.size() != static_cast<std::size_t>(column.length))
    refuse(fmt::format("a value of {} bytes in a column of {}", value.bytes.size(), column.length));
  Cell cell;
  cell.is_null = false;
  switch (column.kind) {
    case Kind::boolean:
    case Kind::integer:
      cell.integer = integer_of(column, value);
      break;
    case Kind::real:
      cell.real = real_of(column, value);
      break;
    default:
      cell.bytes = value.bytes;
  }
  return cell;
}

}  // namespace

// Entries (a value, a null or an empty list, with its two levels) as rows: a row begins at repetition level 0.
class Cursor::Rows {
 public:
  Rows(std::shared_ptr<const File::Contents> contents, std::size_t column, std::size_t group)
      : contents_(std::move(contents)),
        column_(contents_->metadata.columns[column]),
        group_(group),
        chunk_(column),
        rows_(contents_->metadata.groups[group].rows) {
    restart();
  }

  bool next_row() {
    // The values of the row before that nobody asked for.
    for (Cell unused; next_value(unused);) {
    }
    if (state_ != State::next_row && !next_entry()) {
      if (row_ != rows_) refuse(fmt::format("its pages hold {} rows of {}", row_, rows_));
      return false;
    }
    if (repetition_ != 0) refuse("the first value goes on with a list");
    if (++row_ > rows_) refuse(fmt::format("its pages hold more than its {} rows", rows_));
    state_ = State::entry;
    // Dremel's definition levels (Melnik et al., VLDB 2010): a level says how many of the optional
    // and repeated nodes on the way to the value exist. At the highest there is a value; at a list's
    // level below its elements it is empty, and lower it is null.
    is_null_ = definition_ < (column_.is_list ? column_.empty_level : column_.max_definition);
    return true;
  }

  bool is_null() const { return is_null_; }

  bool next_value(Cell& cell) {
    // Whether a list goes on is only seen from the next entry, which is read here and kept for the next row if it is
    // not of this one.
    if (state_ == State::given && column_.is_list) {
      state_ = next_entry() ? (repetition_ > 0 ? State::entry : State::next_row) : State::outside;
      if (state_ == State::entry && definition_ < column_.element_level) refuse("a list goes on with an empty one");
    }
    if (state_ != State::entry) return false;
    state_ = State::given;
    if (definition_ == column_.max_definition) {
      cell = cell_of(column_, value());
      return true;
    }
    cell = Cell();
    // A null within a list counts as an element, an empty list has none.
    return column_.is_list && definition_ >= column_.element_level;
  }

  void seek(std::uint64_t row) {
    // Backwards within the page that is in memory: it is decoded again, not read again.
    if (row < row_ && !column_.is_list && page_row_ <= row && entries_ > 0) {
      open_page();
    } else if (row < row_) {
      restart();
    }
    while (row_ < row) pass(row - row_);
  }

  // The error with its place before it.
  [[noreturn]] void fail(const Error& error) const {
    if (error.kind() != ErrorKind::input) throw error;
    throw Error(
        error.kind(),
        fmt::format("{}: row group {}, column '{}': {}", contents_->name, group_, column_.name, error.message()),
        error.hint().empty() ? "the file is damaged: download or copy it again" : error.hint());
  }

 private:
  enum class State { outside, entry, given, next_row };  // what became of the entry that was read last

  bool next_entry() {
    if (left_ == 0) {
      if (!pages_->next()) return false;
      begin_page();
    }
    --left_;
    repetition_ = static_cast<int>(repetitions_.next());
    definition_ = static_cast<int>(definitions_.next());
    if (repetition_ > column_.max_repetition || definition_ > column_.max_definition)
      refuse(fmt::format("levels {} and {}, where {} and {} are the highest", repetition_, definition_,
                         column_.max_repetition, column_.max_definition));
    return true;
  }

  void begin_page() {
    values_.reset();  // they may be in the memory that is filled now
    page_ = pages_->load();
    entries_ = pages_->entries();
    page_row_ = row_;
    open_page();
  }

  // The page in memory from its beginning.
  void open_page() {
    values_.reset();
    left_ = entries_;
    row_ = page_row_;
    state_ = State::outside;
    repetitions_ = levels(page_.repetition, column_.max_repetition);
    definitions_ = levels(page_.definition, column_.max_definition);
  }

  void restart() {
    // Pages are read from the chunk's beginning again.
    values_.reset();
    pages_.emplace(*contents_->source, contents_->metadata.groups[group_].chunks[chunk_], column_);
    left_ = entries_ = row_ = page_row_ = 0;
    state_ = State::outside;
  }

  // Past one row, or past a page of at most `rows` rows that isn't loaded.
  void pass(std::uint64_t rows) {
    if (column_.is_list || left_ > 0) {
      if (!next_row()) refuse(fmt::format("its pages hold {} rows of {}", row_, rows_));
      return;
    }
    state_ = State::outside;  // the last page's last value, if nobody asked for it, goes with its page
    if (!pages_->next()) refuse(fmt::format("its pages hold {} rows of {}", row_, rows_));
    // Without lists an entry is a row, so a page's header says how many rows it has, and
    // whole pages are passed unread.
    if (pages_->entries() > rows) return begin_page();
    entries_ = 0;
    row_ += pages_->entries();
  }

  // Levels take as many bits as the highest one needs; where that is 0 none are stored.
  static RunDecoder levels(ByteView bytes, int most) {
    return most == 0 ? RunDecoder() : RunDecoder(bytes, bits_of(static_cast<std::uint32_t>(most)));
  }

  // A page of nulls alone may have no values that could be opened.
  Value value() {
    if (!values_) values_ = open_values(page_.encoding, column_, page_.values, entries_, pages_->dictionary());
    return values_->next();
  }

  std::shared_ptr<const File::Contents> contents_;
  const Column& column_;
  std::size_t group_, chunk_;
  std::uint64_t rows_, row_ = 0;  // of the group; those that were begun
  std::optional<PageReader> pages_;
  Page page_;
  RunDecoder repetitions_, definitions_;
  std::unique_ptr<ValueDecoder> values_;
  std::uint64_t entries_ = 0, left_ = 0;  // of the page in memory
  std::uint64_t page_row_ = 0;            // its first row, where a row is an entry
  int repetition_ = 0, definition_ = 0;
  State state_ = State::outside;
  bool is_null_ = true;
};

Cursor::Cursor(std::unique_ptr<Rows> rows) : rows_(std::move(rows)) {}
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor& Cursor::operator=(Cursor&&) noexcept = default;
Cursor::~Cursor() = default;

bool Cursor::is_null() const { return rows_->is_null(); }

bool Cursor::next_row() try { return rows_->next_row(); } catch (const Error& error) {
  rows_->fail(error);
}

bool Cursor::next_value(Cell& cell) try { return rows_->next_value(cell); } catch (const Error& error) {
  rows_->fail(error);
}

void Cursor::seek(std::uint64_t row) try { rows_->seek(row); } catch (const Error& error) {
  rows_->fail(error);
}

Cursor File::read(std::size_t column, std::size_t group) const {
  const Column& wanted = columns()[column];
  const auto error = [&](const std::string& what, std::string hint) {
    return Error(ErrorKind::input, fmt::format("{}: column '{}': {}", contents_->name, wanted.name, what),
                 std::move(hint));
  };
  if (wanted.kind == Kind::unread) throw error(fmt::format("is {}, which is not read", wanted.reason), "");
  try {
    return Cursor(std::make_unique<Cursor::Rows>(contents_, column, group));
  } catch (const Error& refused) {
    throw error(refused.message(), refused.hint());
  }
}

}  // namespace vise::datasets::parquet
