#include "extract/features/path_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace vise::features {
namespace {

constexpr std::string_view kPreamble = "#vise-eval/paths 1\n";
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kMostWaiting = 1 << 20;  // bytes of lines that aren't written yet: memory stays flat

// As a FileIdentity has it.
std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

// Each line ends in a checksum of its own text, so that a line which was torn or mixed
// with another's is skipped by itself.
std::string line_of(const FileIdentity& id, const std::string& value) {
  std::string line = fmt::format("{},{},{},{},{},{},{}", csv_cell(id.path), id.size, id.mtime_ns, id.ctime_ns,
                                 id.device, id.inode, csv_cell(value));
  return fmt::format("{},{:016x}\n", line, checksum64(as_byte_view(line)));
}

// The eight cells of a line; most have no quotes, and are views into it.
bool split_line(std::string_view line, std::array<std::string, 8>& quoted, std::array<std::string_view, 8>& cells) {
  if (line.find('"') == std::string_view::npos) {
    for (std::string_view& cell : cells) {
      const auto comma = std::min(line.find(','), line.size());
      cell = line.substr(0, comma);
      if (&cell == &cells.back()) return comma == line.size();
      if (comma == line.size()) return false;
      line.remove_prefix(comma + 1);
    }
  }
  CsvReader csv(line, "a line");
  if (!csv.next() || csv.cells().size() != cells.size()) return false;
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = quoted[i] = csv.cells()[i];
  return true;
}

// False for a damaged line.
bool parse_line(std::string_view line, FileIdentity& id, std::string& value) {
  const auto last = line.rfind(',');
  if (last == std::string_view::npos ||
      fmt::format("{:016x}", checksum64(as_byte_view(line.substr(0, last)))) != line.substr(last + 1))
    return false;
  std::array<std::string, 8> quoted;
  std::array<std::string_view, 8> cells;
  std::int64_t size = 0, device = 0, inode = 0;
  if (!split_line(line, quoted, cells) || !parse_int(cells[1], size) || !parse_int(cells[2], id.mtime_ns) ||
      !parse_int(cells[3], id.ctime_ns) || !parse_int(cells[4], device) || !parse_int(cells[5], inode))
    return false;
  id.path = cells[0];
  id.size = static_cast<std::uint64_t>(size);
  id.device = static_cast<std::uint64_t>(device);
  id.inode = static_cast<std::uint64_t>(inode);
  value = cells[6];
  return true;
}

// The lines of a file of entries that are whole.
template <typename Take>
void read_entries(const Path& path, const Take& take) {
  const std::string text = read_text_file(path);
  if (!text.starts_with(kPreamble)) return;
  FileIdentity id;
  std::string value;
  std::string_view rest = std::string_view(text).substr(kPreamble.size());
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    try {
      if (parse_line(line, id, value)) take(id, value);
    } catch (const Error&) {  // no CSV: a damaged line as any other
    }
  }
}

// Of the folder, or of the archive that contains it.
std::optional<std::uint64_t> device_of(std::string folder) {
  struct stat info {};
  while (!folder.empty()) {
    if (::stat(folder.c_str(), &info) == 0) return info.st_dev;
    folder.resize(folder.find_last_of('/'));
  }
  return std::nullopt;
}

// The part before the last slash, and the part behind it: paths are absolute, so there is one.
std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/')); }
std::string_view name_in_folder(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Path PathCache::shard_path(const std::string& folder) const {
  // One file a folder of images: a run reads the entries of its own folders, however many
  // data sets the cache has seen.
  return folder_ / (sha256_hex(folder).substr(0, 32) + ".csv");
}

// The file of a folder is read when its first identity is asked for; neighbours are asked for in a row, hence
// latest_.
PathCache::Shard& PathCache::shard_of(const FileIdentity& identity) {
  const std::string_view folder = folder_of(identity.path);
  if (latest_ && latest_->first == folder) return latest_->second;
  const auto [place, is_new] = shards_.try_emplace(std::string(folder));
  latest_ = &*place;
  if (is_new) read_shard(place->first, place->second);
  return place->second;
}

void PathCache::read_shard(const std::string& folder, Shard& shard) const {
  std::error_code error;
  if (!std::filesystem::exists(shard_path(folder), error)) return;
  read_entries(shard_path(folder), [&](const FileIdentity& id, const std::string& value) {
    // Lines are only appended, so the last of a path counts.
    shard.entries.insert_or_assign(std::string(name_in_folder(id.path)), Entry(id, value));
  });
}

void PathCache::take_from(const Path& folder) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    std::string of_folder;
    std::optional<std::uint64_t> device;
    read_entries(file.path(), [&](FileIdentity& id, const std::string& value) {
      if (folder_of(id.path) != of_folder) {
        of_folder = folder_of(id.path);
        device = device_of(of_folder);
      }
      // Device numbers are given out by each machine when it mounts a file system; size,
      // inode and times of the same share agree.
      id.device = device.value_or(id.device);
      if (const std::string* known = find(id); !known || *known != value) put(id, value);
    });
  }
}

// The path isn't kept: it is the folder's and the key's, and a million of them would double the memory.
PathCache::Entry::Entry(const FileIdentity& id, std::string known)
    : size(id.size),
      device(id.device),
      inode(id.inode),
      mtime_ns(id.mtime_ns),
      ctime_ns(id.ctime_ns),
      value(std::move(known)) {}

bool PathCache::Entry::is_of(const FileIdentity& id) const {
  return size == id.size && device == id.device && inode == id.inode && mtime_ns == id.mtime_ns &&
         ctime_ns == id.ctime_ns;
}

const std::string* PathCache::find(const FileIdentity& identity) {
  const Shard& shard = shard_of(identity);
  const auto found = shard.entries.find(std::string(name_in_folder(identity.path)));
  return found != shard.entries.end() && found->second.is_of(identity) ? &found->second.value : nullptr;
}

void PathCache::put(const FileIdentity& identity, std::string value) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  // A file that has just been written could be written again within the same tick of its file system's
  // clock, with the same size and times ("racy git"). Such a file is read again next time.
  if (nanoseconds(now) - std::max(identity.ctime_ns, identity.mtime_ns) < 2 * kSecond) return;
  if (identity.path.find('\n') != std::string::npos) return;  // a line is an entry
  Shard& shard = shard_of(identity);
  shard.appended += line_of(identity, value);
  shard.entries.insert_or_assign(std::string(name_in_folder(identity.path)), Entry(identity, std::move(value)));
  if (shard.appended.size() > kMostWaiting) append(std::string(folder_of(identity.path)), shard);
}

void PathCache::save() {
  for (auto& [folder, shard] : shards_)
    // A cache that can't be written costs time, not results: the rest isn't tried.
    if (!append(folder, shard)) return;
}

bool PathCache::append(const std::string& folder, Shard& shard) const {
  std::string lines = std::exchange(shard.appended, {});
  if (lines.empty()) return true;
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  const Path path = shard_path(folder);
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) return false;
  const bool is_new = ::lseek(file.get(), 0, SEEK_END) == 0;
  try {
    // One write, so that two processes' lines don't mix; a newline first ends what a killed one left.
    lines.insert(0, is_new ? kPreamble : "\n");
    write_fully(file.get(), as_byte_view(lines), -1, path);
  } catch (const Error&) {
    return false;
  }
  return true;
}

}  // namespace vise::features
