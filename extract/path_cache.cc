#include "extract/path_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace vise {
namespace {

constexpr std::string_view kPreamble = "#vise-eval/paths 1\n";
constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

std::string line_of(const FileIdentity& id, const std::string& value) {
  std::string line = fmt::format("{},{},{},{},{},{},{}", csv_cell(id.path), id.size, id.mtime_ns, id.ctime_ns,
                                 id.device, id.inode, csv_cell(value));
  return fmt::format("{},{:016x}\n", line, checksum64(as_byte_view(line)));
}

bool parse_line(const CsvReader& csv, FileIdentity& id, std::string& value) {
  const auto cells = csv.cells();
  std::int64_t size = 0, device = 0, inode = 0;
  if (cells.size() != 8 || !parse_int(cells[1], size) || !parse_int(cells[2], id.mtime_ns) ||
      !parse_int(cells[3], id.ctime_ns) || !parse_int(cells[4], device) || !parse_int(cells[5], inode))
    return false;
  id.path = cells[0];
  id.size = static_cast<std::uint64_t>(size);
  id.device = static_cast<std::uint64_t>(device);
  id.inode = static_cast<std::uint64_t>(inode);
  value = cells[6];
  return line_of(id, value).ends_with(std::string(cells[7]) + "\n");
}

}  // namespace

FileIdentity FileIdentity::of(const Path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw_errno("cannot read", path);
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::input, fmt::format("{}: is not a regular file", path.string()));
  FileIdentity id;
  id.path = std::filesystem::absolute(path).lexically_normal().string();
  id.size = static_cast<std::uint64_t>(info.st_size);
  id.device = info.st_dev;
  id.inode = info.st_ino;
  id.mtime_ns = nanoseconds(info.st_mtim);
  id.ctime_ns = nanoseconds(info.st_ctim);
  return id;
}

Path PathCache::shard_path(const std::string& folder) const {
  return folder_ / (sha256_hex(folder).substr(0, 32) + ".csv");
}

PathCache::Shard& PathCache::shard_of(const FileIdentity& identity) {
  const std::string folder = Path(identity.path).parent_path().string();
  const auto [place, is_new] = shards_.try_emplace(folder);
  Shard& shard = place->second;
  std::error_code error;
  if (!is_new || !std::filesystem::exists(shard_path(folder), error)) return shard;
  const std::string text = read_text_file(shard_path(folder));
  if (!text.starts_with(kPreamble)) return shard;
  try {
    CsvReader csv(std::string_view(text).substr(kPreamble.size()), shard_path(folder).string());
    FileIdentity id;
    std::string value;
    while (csv.next())
      if (parse_line(csv, id, value)) shard.entries.insert_or_assign(id.path, std::pair(id, value));
  } catch (const Error&) {  // a half-written last line: what was read before it stands
  }
  return shard;
}

const std::string* PathCache::find(const FileIdentity& identity) {
  const Shard& shard = shard_of(identity);
  const auto found = shard.entries.find(identity.path);
  return found != shard.entries.end() && found->second.first == identity ? &found->second.second : nullptr;
}

void PathCache::put(const FileIdentity& identity, std::string value) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (nanoseconds(now) - std::max(identity.ctime_ns, identity.mtime_ns) < 2 * kSecond) return;
  Shard& shard = shard_of(identity);
  shard.appended += line_of(identity, value);
  shard.entries.insert_or_assign(identity.path, std::pair(identity, std::move(value)));
}

void PathCache::save() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  for (auto& [folder, shard] : shards_) {
    if (shard.appended.empty()) continue;
    const Path path = shard_path(folder);
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!file) return;
    const bool is_new = ::lseek(file.get(), 0, SEEK_END) == 0;
    try {
      // One write, so that two processes' lines don't mix; a newline first ends what a killed one left.
      const std::string text = is_new ? std::string(kPreamble) + shard.appended : "\n" + shard.appended;
      write_fully(file.get(), as_byte_view(text), -1, path);
    } catch (const Error&) {
      return;
    }
    shard.appended.clear();
  }
}

}  // namespace vise
