#include "extract/features/store_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"

namespace vise::features {
namespace {

constexpr std::string_view kPreamble = "#vise-eval/feature-manifest 1\nrow,content,bytes,status,reason\n";
constexpr std::string_view kFamily = "#vise-eval/feature-manifest ";
// A block is any number of item lines and one trailer: "#block,FIRST_ROW,ROWS,CHECKSUM
// OF THE ROWS' BYTES,CHECKSUM OF THE LINES". Without its trailer a block doesn't count,
// so a torn write is as good as none.
constexpr std::string_view kTrailer = "#block,";
constexpr std::size_t kLineChecksumBytes = 17;  // 16 hex digits and the newline

// Exactly 16 digits, as checksums and halves of contents are written.
bool parse_hex(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return text.size() == 16 && error == std::errc() && end == text.data() + text.size();
}

bool parse_count(std::string_view text, std::uint64_t& value) {
  std::int64_t signed_value = 0;
  if (!parse_int(text, signed_value) || signed_value < 0) return false;
  value = static_cast<std::uint64_t>(signed_value);
  return true;
}

// The next lines up to and with a trailer; empty when no whole trailer follows.
// Trailers are found by how their lines begin; no item's line begins with '#'.
std::string_view take_block(std::string_view& rest) {
  for (std::size_t line = 0;;) {
    const auto end = rest.find('\n', line);
    if (end == std::string_view::npos) return {};
    if (rest.substr(line).starts_with(kTrailer)) {
      const std::string_view block = rest.substr(0, end + 1);
      rest.remove_prefix(end + 1);
      return block;
    }
    line = end + 1;
  }
}

// "row,content,bytes,status,reason" of a block, its fields as JournalBlockWriter writes them; nothing for another line.
std::optional<JournalItem> parse_item(std::string_view line, const JournalBlock& block) {
  JournalItem item;
  const auto take = [&](std::size_t length) {
    const std::string_view field = line.substr(0, length);
    line.remove_prefix(std::min(line.size(), length + 1));
    return field;
  };
  const std::string_view row_text = take(line.find(','));
  if (line.size() < 33 || line[32] != ',') return std::nullopt;
  std::uint64_t row = 0;
  const std::string_view content = take(32);
  if (!parse_hex(content.substr(0, 16), item.content.high) || !parse_hex(content.substr(16), item.content.low))
    return std::nullopt;
  if (!parse_count(take(line.find(',')), item.stored.bytes)) return std::nullopt;
  const bool is_ok = take(line.find(',')) == "ok";
  // An image that can't be read has no row, and one that can has one.
  if (is_ok != !row_text.empty()) return std::nullopt;
  if (is_ok) {
    if (!parse_count(row_text, row) || row < block.first_row || row >= block.first_row + block.rows)
      return std::nullopt;
    item.stored.row = static_cast<std::uint32_t>(row);
  } else {
    CsvReader reason(line, "reason");
    if (reason.next()) item.stored.reason = reason.cells()[0];
  }
  return item;
}

// Nothing when a checksum or a number is wrong. `piece` is the block's part of `text`.
std::optional<JournalBlock> parse_block(std::string_view text, std::string_view piece) {
  const auto before_trailer = piece.find_last_of('\n', piece.size() - 2);
  const std::size_t trailer_at = before_trailer == std::string_view::npos ? 0 : before_trailer + 1;
  const std::vector<std::string> cells = split(piece.substr(trailer_at, piece.size() - 1 - trailer_at), ',');
  JournalBlock block;
  block.begin = static_cast<std::uint64_t>(piece.data() - text.data());
  block.bytes = piece.size();
  std::uint64_t checksum = 0;
  if (cells.size() != 5 || !parse_count(cells[1], block.first_row) || !parse_count(cells[2], block.rows) ||
      !parse_hex(cells[3], block.data_checksum) || !parse_hex(cells[4], checksum))
    return std::nullopt;
  // Everything before the checksum itself is covered, the trailer's own numbers too.
  if (checksum64(as_byte_view(piece.substr(0, piece.size() - kLineChecksumBytes))) != checksum) return std::nullopt;
  // Written so that the sum can't overflow.
  if (block.first_row > kMostRows || block.rows > kMostRows - block.first_row) return std::nullopt;
  return block;
}

}  // namespace

std::string_view journal_preamble() { return kPreamble; }

void JournalBlockWriter::add(const ContentHash& content, StoredRow stored) {
  for (char& c : stored.reason)
    if (c == '\n' || c == '\r') c = ' ';  // a line is a row
  lines_ += fmt::format("{},{},{},{},{}\n", stored.row ? std::to_string(*stored.row) : "", content.str(), stored.bytes,
                        stored.row ? "ok" : "unreadable", csv_cell(stored.reason));
  items_.push_back({content, std::move(stored)});
}

std::string JournalBlockWriter::text(std::uint64_t first_row, std::uint64_t rows, std::uint64_t data_checksum) const {
  std::string text = lines_ + fmt::format("{}{},{},{:016x},", kTrailer, first_row, rows, data_checksum);
  text += fmt::format("{:016x}\n", checksum64(as_byte_view(text)));
  return text;
}

void JournalBlockWriter::clear() {
  lines_.clear();
  items_.clear();
}

Journal parse_journal(std::string_view text, std::string_view name) {
  Journal journal;
  if (!text.starts_with(kPreamble)) {
    const std::string_view first_line = kPreamble.substr(0, kPreamble.find('\n') + 1);
    if (text.starts_with(kFamily) && text.find('\n') != std::string_view::npos && !text.starts_with(first_line))
      throw Error(ErrorKind::input, fmt::format("{}: was written by another version of vise-eval", name),
                  "use that version, or another --cache");
    // Shorter text is a preamble that was torn off while a first writer was killed;
    // nothing had been promised.
    journal.damaged = text.size() > kPreamble.size();
    return journal;
  }
  std::string_view rest = text.substr(kPreamble.size());
  while (true) {
    const std::string_view piece = take_block(rest);
    if (piece.empty()) break;
    if (const auto block = parse_block(text, piece))
      journal.blocks.push_back(*block);
    else
      ++journal.damaged;
  }
  // The next writer truncates here: what follows is the start of a block without a trailer.
  journal.sound_bytes = text.size() - rest.size();
  return journal;
}

// The block's checksum holds already, so a line that isn't ours is another version's or a bug's.
bool block_items(std::string_view text, const JournalBlock& block, std::vector<JournalItem>& items) {
  items.clear();
  std::string_view rest = text.substr(block.begin, block.bytes);
  while (!rest.starts_with(kTrailer)) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    auto item = parse_item(rest.substr(0, end), block);
    if (!item) return false;
    items.push_back(std::move(*item));
    rest.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace vise::features
