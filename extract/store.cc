#include "extract/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/npy.h"

namespace vise {
namespace {

constexpr std::size_t kHeaderBytes = 128;  // features.npy's header, of one length however many rows follow

FileDescriptor open_read_write(const Path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file) throw_errno("cannot write", path);
  return file;
}

void truncate_to(const FileDescriptor& file, std::uint64_t bytes, const Path& path) {
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) throw_errno("cannot write", path);
}

void sync(const FileDescriptor& file, const Path& path) {
  if (::fdatasync(file.get()) != 0) throw_errno("cannot write", path);
}

}  // namespace

std::string FeatureKey::str() const { return sha256_hex(canonical_json(parts)).substr(0, 32); }

FeatureStore::FeatureStore(const Path& cache, FeatureKey key, Log& log)
    : folder_(cache / "features" / key.str()), key_(std::move(key)) {
  read_journal(log);
}

std::uint64_t FeatureStore::row_offset(std::uint64_t row) const {
  return kHeaderBytes + row * key_.dim * sizeof(float);
}

void FeatureStore::keep_blocks(std::vector<JournalBlock> sound) {
  journal_.blocks = std::move(sound);
  index_.clear();
  for (const JournalBlock& block : journal_.blocks)
    for (const auto& [content, stored] : block.items) index_.insert_or_assign(content, stored);
}

void FeatureStore::read_journal(Log& log) {
  journal_ = {};
  index_.clear();
  std::error_code error;
  if (!std::filesystem::exists(manifest_path(), error)) return;
  journal_ = parse_journal(read_text_file(manifest_path()), manifest_path().string());
  const std::uint64_t data_bytes =
      std::filesystem::exists(data_path(), error) ? std::filesystem::file_size(data_path()) : 0;
  std::vector<JournalBlock> sound;
  for (JournalBlock& block : journal_.blocks) {
    if (block.rows == 0 || row_offset(block.first_row + block.rows) <= data_bytes)
      sound.push_back(std::move(block));
    else
      ++journal_.damaged;
  }
  keep_blocks(std::move(sound));
  if (journal_.damaged > 0)
    log.warn(fmt::format("{}: {} damaged block(s); their rows are computed again", folder_.string(), journal_.damaged));
}

const StoredRow* FeatureStore::find(const ContentHash& content) const {
  const auto found = index_.find(content);
  return found == index_.end() ? nullptr : &found->second;
}

bool FeatureStore::is_sound(const JournalBlock& block, ByteView data) const {
  const std::uint64_t begin = row_offset(block.first_row), end = row_offset(block.first_row + block.rows);
  return block.rows == 0 || (end <= data.size() && checksum64(data.subspan(begin, end - begin)) == block.data_checksum);
}

std::uint64_t FeatureStore::end_row() const {
  std::uint64_t end = 0;
  for (const JournalBlock& block : journal_.blocks) end = std::max(end, block.first_row + block.rows);
  return end;
}

std::size_t FeatureStore::check_rows(std::span<const std::uint32_t> rows, Log& log) {
  if (rows.empty()) return 0;
  const MappedFile data(data_path());
  std::vector<std::uint32_t> sorted(rows.begin(), rows.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<JournalBlock> sound;
  std::size_t failed = 0;
  for (JournalBlock& block : journal_.blocks) {
    const auto first = std::lower_bound(sorted.begin(), sorted.end(), block.first_row);
    const bool touched = first != sorted.end() && *first < block.first_row + block.rows;
    if (!touched || is_sound(block, data.bytes()))
      sound.push_back(std::move(block));
    else
      ++failed;
  }
  keep_blocks(std::move(sound));
  if (failed > 0)
    log.warn(fmt::format("{}: {} block(s) of rows are not what was written; they are computed again",
                         data_path().string(), failed));
  return failed;
}

FeatureMap FeatureStore::map() const {
  FeatureMap result{MappedFile(data_path()), {}};
  const ByteView bytes = result.file.bytes();
  if (bytes.size() > kHeaderBytes)
    result.values = {reinterpret_cast<const float*>(bytes.data() + kHeaderBytes),
                     (bytes.size() - kHeaderBytes) / sizeof(float)};
  return result;
}

std::size_t FeatureStore::count_damaged() const {
  std::error_code error;
  const MappedFile data = std::filesystem::exists(data_path(), error) ? MappedFile(data_path()) : MappedFile();
  std::size_t damaged = journal_.damaged;
  for (const JournalBlock& block : journal_.blocks) damaged += is_sound(block, data.bytes()) ? 0 : 1;
  return damaged;
}

std::vector<std::pair<ContentHash, StoredRow>> FeatureStore::items() const {
  std::vector<std::pair<ContentHash, StoredRow>> all;
  for (const JournalBlock& block : journal_.blocks) all.insert(all.end(), block.items.begin(), block.items.end());
  return all;
}

void FeatureStore::mark_used() const { ::utimensat(AT_FDCWD, (folder_ / "lock").c_str(), nullptr, 0); }

FeatureWriter::FeatureWriter(FeatureStore& store, const Context& context) : store_(store) {
  std::error_code error;  // lock() reports what is wrong
  std::filesystem::create_directories(store_.folder_, error);
  lock(context);
  store_.read_journal(context.log);
  drop_damaged(context.log);
  open_files();
}

void FeatureWriter::lock(const Context& context) {
  const Path path = store_.folder_ / "lock";
  lock_ = open_read_write(path);
  bool told = false;
  while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw_errno("cannot lock", path);
    if (!told) context.log.info(fmt::format("another process is writing {}; waiting for it", store_.folder_.string()));
    told = true;
    context.throw_if_stopped();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void FeatureWriter::drop_damaged(Log& log) {
  std::error_code error;
  const MappedFile data =
      std::filesystem::exists(store_.data_path(), error) ? MappedFile(store_.data_path()) : MappedFile();
  std::vector<JournalBlock> sound;
  for (JournalBlock& block : store_.journal_.blocks) {
    if (store_.is_sound(block, data.bytes()))
      sound.push_back(std::move(block));
    else
      ++store_.journal_.damaged;
  }
  store_.keep_blocks(std::move(sound));
  next_row_ = store_.end_row();
  if (store_.journal_.damaged == 0) return;
  std::string text(journal_preamble());
  for (const JournalBlock& block : store_.journal_.blocks) text += block.text;
  write_file_atomically(store_.manifest_path(), text);
  log.info(fmt::format("{}: dropped {} damaged block(s)", store_.folder_.string(), store_.journal_.damaged));
  store_.journal_.sound_bytes = text.size();
  store_.journal_.damaged = 0;
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
  std::error_code error;
  if (!std::filesystem::exists(store_.folder_ / "features.json", error)) write_facts(Json::object());
}

void FeatureWriter::write_facts(Json facts) {
  facts["schema"] = "vise-eval/features";
  facts["version"] = 1;
  facts["key"] = store_.key_.parts;
  facts["dim"] = store_.key_.dim;
  facts["rows"] = next_row_;
  write_file_atomically(store_.folder_ / "features.json", facts.dump(2) + "\n");
}

void FeatureWriter::write_header(std::uint64_t rows) {
  const std::string header = npy_header("f4", std::vector<std::uint64_t>{rows, store_.key_.dim}, kHeaderBytes);
  assert(header.size() == kHeaderBytes);
  write_fully(data_.get(), as_byte_view(header), 0, store_.data_path());
}

void FeatureWriter::add(const ContentHash& content, std::uint64_t bytes, std::span<const float> row) {
  assert(row.size() == store_.key_.dim);
  const auto number = static_cast<std::uint32_t>(next_row_ + pending_rows_.size() / store_.key_.dim);
  pending_.add(content, {number, {}, bytes});
  pending_rows_.insert(pending_rows_.end(), row.begin(), row.end());
  if (pending_.size() >= kBlockRows) flush();
}

void FeatureWriter::add_unreadable(const ContentHash& content, std::uint64_t bytes, const std::string& reason) {
  pending_.add(content, {std::nullopt, reason, bytes});
  if (pending_.size() >= kBlockRows) flush();
}

// The order is the promise: rows reach the disk before the line that vouches for them.
void FeatureWriter::flush() {
  if (pending_.size() == 0) return;
  const ByteView rows = std::as_bytes(std::span(pending_rows_));
  JournalBlock block = pending_.close(next_row_, pending_rows_.size() / store_.key_.dim, checksum64(rows));
  write_fully(data_.get(), rows, static_cast<std::int64_t>(store_.row_offset(next_row_)), store_.data_path());
  write_header(next_row_ + block.rows);
  sync(data_, store_.data_path());
  write_fully(manifest_.get(), as_byte_view(block.text), static_cast<std::int64_t>(store_.journal_.sound_bytes),
              store_.manifest_path());
  sync(manifest_, store_.manifest_path());
  store_.journal_.sound_bytes += block.text.size();
  next_row_ += block.rows;
  for (const auto& [content, stored] : block.items) store_.index_.insert_or_assign(content, stored);
  store_.journal_.blocks.push_back(std::move(block));
  pending_rows_.clear();
}

void FeatureWriter::finish(Json facts) {
  flush();
  write_facts(std::move(facts));
}

}  // namespace vise
