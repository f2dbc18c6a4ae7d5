#include "extract/store_journal.h"

#include <fmt/format.h>

#include <charconv>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"

namespace vise {
namespace {

constexpr std::string_view kPreamble = "#vise-eval/feature-manifest 1\nrow,content,bytes,status,reason\n";
constexpr std::string_view kFamily = "#vise-eval/feature-manifest ";
constexpr std::string_view kTrailer = "#block,";
constexpr std::size_t kLineChecksumBytes = 17;  // 16 hex digits and the newline

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

// Nothing when a checksum or a number is wrong.
std::optional<JournalBlock> parse_block(std::string_view text, std::string_view name) {
  const auto before_trailer = text.find_last_of('\n', text.size() - 2);
  const std::size_t trailer_at = before_trailer == std::string_view::npos ? 0 : before_trailer + 1;
  const std::vector<std::string> cells = split(text.substr(trailer_at, text.size() - 1 - trailer_at), ',');
  JournalBlock block;
  std::uint64_t checksum = 0;
  if (cells.size() != 5 || !parse_count(cells[1], block.first_row) || !parse_count(cells[2], block.rows) ||
      !parse_hex(cells[3], block.data_checksum) || !parse_hex(cells[4], checksum))
    return std::nullopt;
  if (checksum64(as_byte_view(text.substr(0, text.size() - kLineChecksumBytes))) != checksum) return std::nullopt;
  block.text = text;
  CsvReader csv(text.substr(0, trailer_at), std::string(name));
  while (csv.next()) {
    StoredRow stored;
    std::uint64_t row = 0;
    if (parse_count(csv.cells()[0], row)) stored.row = static_cast<std::uint32_t>(row);
    parse_count(csv.cells()[2], stored.bytes);
    stored.reason = csv.cells()[4];
    block.items.emplace_back(ContentHash::parse(csv.cells()[1]), std::move(stored));
  }
  return block;
}

}  // namespace

std::string_view journal_preamble() { return kPreamble; }

void JournalBlockWriter::add(const ContentHash& content, StoredRow stored) {
  for (char& c : stored.reason)
    if (c == '\n' || c == '\r') c = ' ';  // a line is a row
  lines_ += fmt::format("{},{},{},{},{}\n", stored.row ? std::to_string(*stored.row) : "", content.str(), stored.bytes,
                        stored.row ? "ok" : "unreadable", csv_cell(stored.reason));
  items_.emplace_back(content, std::move(stored));
}

JournalBlock JournalBlockWriter::close(std::uint64_t first_row, std::uint64_t rows, std::uint64_t data_checksum) {
  JournalBlock block{first_row, rows, data_checksum, std::move(lines_), std::move(items_)};
  block.text += fmt::format("{}{},{},{:016x},", kTrailer, first_row, rows, data_checksum);
  block.text += fmt::format("{:016x}\n", checksum64(as_byte_view(block.text)));
  lines_.clear();
  items_.clear();
  return block;
}

Journal parse_journal(std::string_view text, std::string_view name) {
  Journal journal;
  if (!text.starts_with(kPreamble)) {
    const std::string_view first_line = kPreamble.substr(0, kPreamble.find('\n') + 1);
    if (text.starts_with(kFamily) && text.find('\n') != std::string_view::npos && !text.starts_with(first_line))
      throw Error(ErrorKind::input, fmt::format("{}: was written by another version of vise-eval", name),
                  "use that version, or another --cache");
    journal.damaged = text.size() > kPreamble.size();
    return journal;
  }
  std::string_view rest = text.substr(kPreamble.size());
  while (true) {
    const std::string_view piece = take_block(rest);
    if (piece.empty()) break;
    if (auto block = parse_block(piece, name))
      journal.blocks.push_back(std::move(*block));
    else
      ++journal.damaged;
  }
  journal.sound_bytes = text.size() - rest.size();
  return journal;
}

}  // namespace vise
