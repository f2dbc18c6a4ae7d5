#include "datasets/parquet_images.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vise::datasets {

ParquetImages::ParquetImages(Path root, std::vector<Shard> shards)
    : root_(std::move(root)), shards_(std::move(shards)) {
  for (std::size_t s = 0; s < shards_.size(); ++s) by_id_.emplace(shards_[s].id, s);
}

// "FILE/ROW", where the file's id may have slashes of its own.
std::optional<ParquetImages::Place> ParquetImages::find(const std::string& id) const {
  const auto slash = id.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto shard = by_id_.find(id.substr(0, slash));
  std::int64_t row = 0;
  if (shard == by_id_.end() || !parse_int(id.substr(slash + 1), row) || row < 0) return std::nullopt;
  if (static_cast<std::uint64_t>(row) >= shards_[shard->second].rows) return std::nullopt;
  return Place{shard->second, static_cast<std::uint64_t>(row)};
}

ParquetImages::Place ParquetImages::at(const std::string& id) const {
  if (const auto place = find(id)) return *place;
  throw Error(ErrorKind::missing, fmt::format("{}: there is no row '{}'", root_.string(), id));
}

bool ParquetImages::has(const std::string& id) const { return find(id).has_value(); }

FileIdentity ParquetImages::identity(const std::string& id) const {
  const Place place = at(id);
  const Shard& shard = shards_[place.shard];
  // The row and the column within the file's identity; the size of one image isn't known without its page.
  return shard.identity.piece(fmt::format("{}", place.row), 0, shard.column);
}

std::uint64_t ParquetImages::place(const std::string& id) const {
  const Place place = at(id);
  // In this order each page is unpacked once.
  return static_cast<std::uint64_t>(place.shard) << 40 | place.row;
}

// Refused where the file has changed since it was listed: its rows could be other images.
void ParquetImages::open(std::size_t shard) const {
  reading_.reset();
  const Path path = root_ / shards_[shard].id;
  parquet::File file = parquet::File::open(path);
  const auto column = file.find(shards_[shard].column);
  if (FileIdentity::of(path) != shards_[shard].identity || !column)
    throw Error(ErrorKind::input, fmt::format("{}: has changed since it was opened", path.string()),
                "run the command again");
  // The rows before each group, and all rows at the end, so that a row's group is found by bisection.
  std::vector<std::uint64_t> first_rows{0};
  for (std::size_t g = 0; g < file.groups(); ++g) first_rows.push_back(first_rows.back() + file.group_rows(g));
  reading_ = Reading{shard, std::move(file), *column, std::move(first_rows), SIZE_MAX, std::nullopt};
}

parquet::Cursor& ParquetImages::cursor_at(const Place& place) const {
  if (!reading_ || reading_->shard != place.shard) open(place.shard);
  const auto& first_rows = reading_->first_rows;
  const auto after = std::upper_bound(first_rows.begin(), first_rows.end(), place.row);
  const auto group = static_cast<std::size_t>(after - first_rows.begin()) - 1;
  if (reading_->group != group) {
    reading_->cursor.reset();  // its page's memory, before the next one's
    reading_->cursor = reading_->file.read(reading_->column, group);
    reading_->group = group;
  }
  reading_->cursor->seek(place.row - first_rows[group]);
  return *reading_->cursor;
}

std::vector<std::byte> ParquetImages::read(const std::string& id) const {
  const Place place = at(id);
  // Threads take turns with one cursor, so that one page is in memory, not one for each thread.
  const std::lock_guard lock(mutex_);
  try {
    parquet::Cursor& cursor = cursor_at(place);
    parquet::Cell cell;
    // A null is an image of no bytes, which no decoder reads.
    if (!cursor.next_row() || !cursor.next_value(cell)) return {};
    const ByteView bytes = as_byte_view(cell.bytes);
    return {bytes.begin(), bytes.end()};
  } catch (...) {
    reading_.reset();  // half a page is no place to continue from
    throw;
  }
}

}  // namespace vise::datasets
