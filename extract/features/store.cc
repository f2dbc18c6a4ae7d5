#include "extract/features/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>

#include "base/error.h"
#include "base/half.h"
#include "base/npy.h"
#include "base/text.h"

namespace vise::features {
namespace {

const std::vector<std::string> kStorages{"fp32", "fp16"};
constexpr std::size_t kHeaderBytes = 128;            // features.npy's header, of one length however many rows follow
constexpr std::uint32_t kUnreadableBit = kMostRows;  // in the index, where rows are numbered below it

// Made where it isn't there, never truncated: what it holds is what other runs have computed.
FileDescriptor open_read_write(const Path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file) throw_errno("cannot write", path);
  return file;
}

void truncate_to(const FileDescriptor& file, std::uint64_t bytes, const Path& path) {
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) throw_errno("cannot write", path);
}

void sync(const FileDescriptor& file, const Path& path) {
  // fdatasync also writes the length that reading the data back needs; times and permissions may wait.
  if (::fdatasync(file.get()) != 0) throw_errno("cannot write", path);
}

// Whether all of `bytes` was there to read.
bool read_fully(const FileDescriptor& file, std::span<std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

// Padded to one length, which the npy format allows (spaces before the header's newline), so
// that the number of rows can be rewritten in place.
std::string header_of(const FeatureKey& key, std::uint64_t rows) {
  std::string header =
      npy_header(key.storage() == Storage::fp16 ? "f2" : "f4", std::vector<std::uint64_t>{rows, key.dim}, kHeaderBytes);
  assert(header.size() == kHeaderBytes);
  return header;
}

}  // namespace

std::string_view storage_name(Storage storage) { return kStorages[static_cast<std::size_t>(storage)]; }

Storage parse_storage(std::string_view text) {
  const auto found = std::find(kStorages.begin(), kStorages.end(), text);
  if (found == kStorages.end())
    throw Error(ErrorKind::usage, fmt::format("unknown storage '{}'", text), suggest(text, kStorages));
  return static_cast<Storage>(found - kStorages.begin());
}

// 128 bits of the hash, as a folder's name; the parts are in features.json.
std::string FeatureKey::str() const { return sha256_hex(canonical_json(parts)).substr(0, 32); }

Storage FeatureKey::storage() const {
  const auto found = parts.find("storage");
  return found == parts.end() ? Storage::fp32 : parse_storage(found->get<std::string>());
}

// Opening reads the journal; rows are read when they are used.
FeatureStore::FeatureStore(const Path& cache, FeatureKey key, Log& log)
    : folder_(cache / "features" / key.str()), key_(std::move(key)) {
  read_journal(log);
}

std::uint64_t FeatureStore::row_offset(std::uint64_t row) const { return kHeaderBytes + row * row_bytes(); }

void FeatureStore::put(const JournalItem& item) {
  if (item.stored.row) return index_.put(item.content, *item.stored.row);
  index_.put(item.content, kUnreadableBit | static_cast<std::uint32_t>(reasons_.size()));
  reasons_.push_back(item.stored.reason);
}

// Journal to index. What fails a check here is left out and counted, not an error: a cache may be computed again.
void FeatureStore::read_journal(Log& log) {
  journal_ = {};
  index_ = {};
  reasons_.clear();
  std::error_code error;
  const std::string text =
      std::filesystem::exists(manifest_path(), error) ? read_text_file(manifest_path()) : std::string();
  journal_ = parse_journal(text, manifest_path().string());
  const std::uint64_t data_bytes =
      std::filesystem::exists(data_path(), error) ? std::filesystem::file_size(data_path()) : 0;
  // The manifest's heading is written before the first row: rows without it are a manifest that was lost.
  if (journal_.sound_bytes == 0 && journal_.damaged == 0 && data_bytes > kHeaderBytes) journal_.damaged = 1;
  // Bounded by what the file can hold: a damaged number in the journal must not ask for gigabytes.
  index_.reserve(std::min(end_row(), data_bytes / std::max<std::size_t>(row_bytes(), 1)));
  std::vector<JournalItem> items;
  const std::size_t damaged = std::erase_if(journal_.blocks, [&](const JournalBlock& block) {
    // Rows were cut off, for example by a copy that stopped. Their checksum is verified when they
    // are used, not now: opening a store must not read all of it.
    if (block.rows > 0 && row_offset(block.first_row + block.rows) > data_bytes) return true;
    if (!block_items(text, block, items)) return true;
    // Where a content occurs twice, the later block counts.
    for (const JournalItem& item : items) put(item);
    return false;
  });
  journal_.damaged += damaged;
  if (journal_.damaged > 0)
    log.warn(fmt::format("{}: {} damaged block(s); their rows are computed again", folder_.string(), journal_.damaged));
}

std::optional<StoredRow> FeatureStore::find(const ContentHash& content) const {
  const std::uint32_t* const value = index_.find(content);
  if (!value) return std::nullopt;
  if (*value & kUnreadableBit) return StoredRow{std::nullopt, reasons_[*value & ~kUnreadableBit]};
  return StoredRow{*value, {}};
}

std::uint32_t FeatureStore::row(const ContentHash& content) const {
  const std::uint32_t* const value = index_.find(content);
  return value && !(*value & kUnreadableBit) ? *value : kNoRow;
}

// The row behind the last one of any block: where the next block begins.
std::uint64_t FeatureStore::end_row() const {
  std::uint64_t end = 0;
  for (const JournalBlock& block : journal_.blocks) end = std::max(end, block.first_row + block.rows);
  return end;
}

std::vector<bool> FeatureStore::are_sound(std::span<const JournalBlock> blocks) {
  const FileDescriptor data(::open(data_path().c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<bool> sound;
  std::vector<std::byte> rows;
  for (const JournalBlock& block : blocks) {
    rows.resize(block.rows * row_bytes());
    sound.push_back(rows.empty() || (data && read_fully(data, rows, row_offset(block.first_row)) &&
                                     checksum64(rows) == block.data_checksum));
    // Remembered for the next writer, which drops them from the journal.
    if (!sound.back()) suspects_.push_back(block.first_row);
  }
  return sound;
}

std::size_t FeatureStore::check_rows(std::span<const std::uint32_t> rows, Log& log) {
  // Only the blocks that hold a wanted row are read: a run of a thousand images in a store
  // of millions costs its own blocks.
  std::vector<bool> wanted(end_row());
  for (const std::uint32_t row : rows)
    if (row != kNoRow) wanted[row] = true;
  const auto from = [&](std::uint64_t row) { return wanted.begin() + static_cast<std::ptrdiff_t>(row); };
  std::vector<JournalBlock> touched;
  for (const JournalBlock& block : journal_.blocks)
    if (std::find(from(block.first_row), from(block.first_row + block.rows), true) !=
        from(block.first_row + block.rows))
      touched.push_back(block);
  const std::vector<bool> sound = are_sound(touched);
  const auto failed = static_cast<std::size_t>(std::count(sound.begin(), sound.end(), false));
  if (failed == 0) return 0;
  for (std::size_t i = 0; i < touched.size(); ++i) {
    if (sound[i]) continue;
    const std::uint64_t first = touched[i].first_row, end = first + touched[i].rows;
    // From now on the contents of a damaged block count as missing, so that the caller computes them again.
    index_.erase_values([&](std::uint32_t row) { return row >= first && row < end; });
    std::erase_if(journal_.blocks, [&](const JournalBlock& b) { return b.rows > 0 && b.first_row == first; });
  }
  log.warn(fmt::format("{}: {} block(s) of rows are not what was written; they are computed again",
                       data_path().string(), failed));
  return failed;
}

bool FeatureStore::has_sound_facts() const {
  std::error_code error;
  if (!std::filesystem::exists(facts_path(), error)) return false;
  const Json facts = Json::parse(read_text_file(facts_path(), 16 << 20), nullptr, false);
  return facts.is_object() && facts.value("key", Json()) == key_.parts;
}

bool FeatureStore::has_sound_header() const {
  const FileDescriptor data(::open(data_path().c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> header(kHeaderBytes);
  if (!data) return journal_.blocks.empty();
  if (!read_fully(data, header, 0)) return false;
  // The number of rows may be ahead of what we know, since rows are written before it; all else is fixed.
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  constexpr std::string_view kShape = "'shape': (";
  const auto at = text.find(kShape);
  if (at == std::string_view::npos) return false;
  const std::string_view digits =
      text.substr(at + kShape.size(), text.find(',', at + kShape.size()) - at - kShape.size());
  std::int64_t rows = 0;
  return parse_int(digits, rows) && rows >= static_cast<std::int64_t>(end_row()) &&
         row_offset(static_cast<std::uint64_t>(rows)) <= std::filesystem::file_size(data_path()) &&
         text == header_of(key_, static_cast<std::uint64_t>(rows));
}

FeatureMap FeatureStore::halves() const {
  assert(key_.storage() == Storage::fp16);
  FeatureMap result{MappedFile(data_path()), {}, {}};
  const ByteView bytes = result.file.bytes().subspan(std::min(result.file.bytes().size(), kHeaderBytes));
  result.halves = {reinterpret_cast<const std::uint16_t*>(bytes.data()), bytes.size() / sizeof(std::uint16_t)};
  return result;
}

FeatureMap FeatureStore::map() const {
  std::vector<std::uint32_t> all(key_.storage() == Storage::fp16 ? end_row() : 0);
  std::iota(all.begin(), all.end(), 0U);
  return map(all);
}

FeatureMap FeatureStore::map(std::span<std::uint32_t> rows) const {
  FeatureMap result{MappedFile(data_path()), {}, {}};
  const ByteView bytes = result.file.bytes().subspan(std::min(result.file.bytes().size(), kHeaderBytes));
  if (key_.storage() == Storage::fp32) {
    result.values = {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
    return result;
  }
  const auto count =
      static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](auto r) { return r != kNoRow; }));
  result.widened.resize(count * key_.dim);
  const std::size_t bytes_a_row = row_bytes();
  std::uint32_t next = 0;
  for (std::uint32_t& row : rows) {
    if (row == kNoRow) continue;
    const auto* const halves = reinterpret_cast<const std::uint16_t*>(bytes.data() + row * bytes_a_row);
    widen({halves, key_.dim}, std::span(result.widened).subspan(next * key_.dim, key_.dim));
    // The caller's row numbers now index the widened copy, which has the wanted rows alone.
    row = next++;
  }
  result.values = result.widened;
  // The widened copy is all that is used, so the mapping is given back.
  result.file = {};
  return result;
}

std::size_t FeatureStore::count_damaged() {
  const std::vector<bool> sound = are_sound(journal_.blocks);
  return journal_.damaged + static_cast<std::size_t>(std::count(sound.begin(), sound.end(), false));
}

std::vector<JournalItem> FeatureStore::items() const {
  std::vector<JournalItem> all, of_block;
  if (journal_.blocks.empty()) return all;
  const std::string text = read_text_file(manifest_path());
  for (const JournalBlock& block : parse_journal(text, manifest_path().string()).blocks) {
    if (!block_items(text, block, of_block)) continue;
    for (JournalItem& item : of_block) {
      const std::uint32_t* const kept = index_.find(item.content);
      // A content may occur in several blocks after damage; only the entry that the index kept is given.
      if (kept && (item.stored.row ? *kept == *item.stored.row : *kept >= kUnreadableBit))
        all.push_back(std::move(item));
    }
  }
  return all;
}

// The result is ignored: a cache that is mounted read-only can't be marked and is still good.
void FeatureStore::mark_used() const { ::utimensat(AT_FDCWD, (folder_ / "lock").c_str(), nullptr, 0); }

FeatureWriter::FeatureWriter(FeatureStore& store, const Context& context) : store_(store) {
  lock(context);
  // Again, under the lock: another process may have appended since the store was opened.
  store_.read_journal(context.log);
  drop_damaged(context.log);
  next_row_ = store_.end_row();
  open_files();
}

void FeatureWriter::lock(const Context& context) {
  const Path path = store_.folder_ / "lock";
  bool told = false;
  while (true) {
    std::error_code error;  // opening reports what is wrong
    // In the loop: the folder may be removed by `cache gc` while we wait.
    std::filesystem::create_directories(store_.folder_, error);
    lock_ = open_read_write(path);
    while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) throw_errno("cannot lock", path);
      if (!told)
        context.log.info(fmt::format("another process is writing {}; waiting for it", store_.folder_.string()));
      told = true;
      context.throw_if_stopped();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (holds_the_folders_lock()) return;
  }
}

// The folder may have been removed (`cache gc`) while we waited, and made anew by a third process with another lock.
bool FeatureWriter::holds_the_folders_lock() const {
  struct stat held {};
  struct stat present {};
  return ::fstat(lock_.get(), &held) == 0 && ::stat((store_.folder_ / "lock").c_str(), &present) == 0 &&
         held.st_ino == present.st_ino && held.st_dev == present.st_dev;
}

// Blocks that failed a check of ours are checked again, since another writer may have mended them; others are checked
// when their rows are used.
void FeatureWriter::drop_damaged(Log& log) {
  std::vector<JournalBlock> doubtful;
  for (const JournalBlock& block : store_.journal_.blocks)
    if (std::ranges::count(store_.suspects_, block.first_row) > 0) doubtful.push_back(block);
  store_.suspects_.clear();
  const std::vector<bool> sound = store_.are_sound(doubtful);
  const std::size_t damaged =
      store_.journal_.damaged + static_cast<std::size_t>(std::count(sound.begin(), sound.end(), false));
  if (damaged == 0) return;
  const std::string old = store_.journal_.blocks.empty() ? std::string() : read_text_file(store_.manifest_path());
  std::string text(journal_preamble());
  for (const JournalBlock& block : store_.journal_.blocks)
    if (block.rows == 0 || std::ranges::count(store_.suspects_, block.first_row) == 0)
      // Sound blocks are copied byte for byte, with the checksums that they have.
      text += old.substr(block.begin, block.bytes);
  store_.suspects_.clear();
  write_file_atomically(store_.manifest_path(), text);
  log.info(fmt::format("{}: dropped {} damaged block(s)", store_.folder_.string(), damaged));
  store_.read_journal(log);
}

void FeatureWriter::open_files() {
  data_ = open_read_write(store_.data_path());
  manifest_ = open_read_write(store_.manifest_path());
  if (store_.journal_.sound_bytes == 0) {
    write_fully(manifest_.get(), as_byte_view(journal_preamble()), 0, store_.manifest_path());
    store_.journal_.sound_bytes = journal_preamble().size();
  }
  // What a killed writer left behind the last whole block goes.
  truncate_to(manifest_, store_.journal_.sound_bytes, store_.manifest_path());
  truncate_to(data_, store_.row_offset(next_row_), store_.data_path());
  write_header(next_row_);
  // The key in words from the first moment on, so that `cache` verbs know what an unfinished folder is.
  if (!store_.has_sound_facts()) write_facts(Json::object());
}

void FeatureWriter::write_facts(Json facts) {
  facts["schema"] = "vise-eval/features";
  facts["version"] = 1;
  facts["key"] = store_.key_.parts;
  facts["dim"] = store_.key_.dim;
  facts["rows"] = next_row_;
  write_file_atomically(store_.facts_path(), facts.dump(2) + "\n");
}

void FeatureWriter::write_header(std::uint64_t rows) {
  write_fully(data_.get(), as_byte_view(header_of(store_.key_, rows)), 0, store_.data_path());
}

void FeatureWriter::add(const ContentHash& content, std::uint64_t bytes, std::span<const float> row) {
  assert(row.size() == store_.key_.dim);
  const auto number = static_cast<std::uint32_t>(next_row_ + pending_rows_.size() / store_.row_bytes());
  if (store_.key_.storage() == Storage::fp32) {
    const ByteView values = std::as_bytes(row);
    pending_rows_.insert(pending_rows_.end(), values.begin(), values.end());
  } else {
    const auto beyond = std::ranges::find_if(row, [](float v) { return std::abs(v) > kLargestHalf; });
    // Converted silently it would be infinity, and every product with it.
    if (beyond != row.end())
      throw Error(ErrorKind::input, fmt::format("a feature of {} is beyond what float16 holds", *beyond),
                  store_.key_.parts.value("pool", "") == "tokens" ? "tokens are kept in float16 alone: another --layer"
                                                                  : "--store fp32");
    std::vector<std::uint16_t> halves(row.size());
    narrow(row, halves);
    const ByteView values = std::as_bytes(std::span(halves));
    pending_rows_.insert(pending_rows_.end(), values.begin(), values.end());
  }
  pending_.add(content, {number, {}, bytes});
  if (pending_.size() >= kBlockRows) flush();
}

void FeatureWriter::add_unreadable(const ContentHash& content, std::uint64_t bytes, const std::string& reason) {
  pending_.add(content, {std::nullopt, reason, bytes});
  if (pending_.size() >= kBlockRows) flush();
}

// The order is the promise: rows reach the disk before the line that vouches for them.
void FeatureWriter::flush() {
  if (pending_.size() == 0) return;
  JournalBlock block{next_row_, pending_rows_.size() / store_.row_bytes(), checksum64(pending_rows_)};
  const std::string text = pending_.text(block.first_row, block.rows, block.data_checksum);
  block.begin = store_.journal_.sound_bytes;
  block.bytes = text.size();
  write_fully(data_.get(), pending_rows_, static_cast<std::int64_t>(store_.row_offset(next_row_)), store_.data_path());
  write_header(next_row_ + block.rows);
  sync(data_, store_.data_path());
  write_fully(manifest_.get(), as_byte_view(text), static_cast<std::int64_t>(block.begin), store_.manifest_path());
  sync(manifest_, store_.manifest_path());
  store_.journal_.sound_bytes += text.size();
  store_.journal_.blocks.push_back(block);
  next_row_ += block.rows;
  for (const JournalItem& item : pending_.items()) store_.put(item);
  pending_.clear();
  pending_rows_.clear();
}

void FeatureWriter::finish(Json facts) {
  flush();
  write_facts(std::move(facts));
}

}  // namespace vise::features
