#include "extract/features/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/error.h"
#include "base/json.h"

namespace vise::features {
namespace {

constexpr int kSchemaVersion = 1;
constexpr std::uint64_t kMostJson = 64 << 10;

FileDescriptor open_for_appending(const Path& path) {
  // Appended to, so that what a killed process fetched stays and the next one continues after it.
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) throw_errno("cannot write", path);
  return file;
}

}  // namespace

PartialFile::PartialFile(Path target, const Context& context)
    : target_(std::move(target)), part_(target_.string() + ".part"), origin_path_(part_.string() + ".json") {
  std::error_code error;
  std::filesystem::create_directories(target_.parent_path(), error);
  if (error)
    throw Error(ErrorKind::system, fmt::format("cannot make {}: {}", target_.parent_path().string(), error.message()));
  lock(context);
  size_ = static_cast<std::uint64_t>(::lseek(file_.get(), 0, SEEK_END));
  read_origin();
}

PartialFile::~PartialFile() {
  // A fetch that never began leaves no empty file behind.
  if (file_ && size_ == 0 && holds_the_part()) discard();
}

// Waits for whoever fetches the same file. Afterwards the part is what that one left, or gone since it has finished.
void PartialFile::lock(const Context& context) {
  bool told = false;
  while (true) {
    file_ = open_for_appending(part_);
    // Polled instead of waited for, so that Ctrl-C ends it. The kernel releases the lock when a
    // process dies, which a lock file that merely exists would not do.
    while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) throw_errno("cannot lock", part_);
      if (!told) context.log.info(fmt::format("another process is fetching {}; waiting for it", target_.string()));
      told = true;
      context.throw_if_stopped();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (holds_the_part()) return;
  }
}

// The part may have been renamed or removed while we waited for it.
bool PartialFile::holds_the_part() const {
  struct stat held {};
  struct stat present {};
  return ::fstat(file_.get(), &held) == 0 && ::stat(part_.c_str(), &present) == 0 && held.st_ino == present.st_ino &&
         held.st_dev == present.st_dev;
}

bool PartialFile::target_is_there() const {
  std::error_code error;
  return std::filesystem::is_regular_file(target_, error);
}

// What can't be read counts as unknown: the part is then begun anew, which is always right.
void PartialFile::read_origin() {
  std::error_code error;
  if (size_ == 0 || !std::filesystem::exists(origin_path_, error)) return;
  try {
    const Json json = Json::parse(read_text_file(origin_path_, kMostJson));
    if (json.at("schema_version") != kSchemaVersion) return;
    origin_ = {json.at("url"), json.at("etag"), json.at("last_modified"), json.at("bytes")};
  } catch (const Json::exception&) {
    origin_ = {};  // damaged: the part is begun anew
  }
}

// In this order, so that a kill in between never puts one origin's name on another's bytes.
void PartialFile::restart(const DownloadOrigin& origin) {
  std::error_code error;
  std::filesystem::remove(origin_path_, error);
  if (::ftruncate(file_.get(), 0) != 0) throw_errno("cannot write", part_);
  size_ = 0;
  origin_ = origin;
  write_file_atomically(origin_path_, Json({{"schema_version", kSchemaVersion},
                                            {"url", origin.url},
                                            {"etag", origin.etag},
                                            {"last_modified", origin.last_modified},
                                            {"bytes", origin.bytes}})
                                              .dump(2, ' ', false, Json::error_handler_t::replace) +
                                          "\n");
}

void PartialFile::append(ByteView bytes) {
  write_fully(file_.get(), bytes, -1, part_);
  size_ += bytes.size();
}

// The origin first: a part without one is begun anew by whoever finds it.
void PartialFile::discard() {
  std::error_code error;
  std::filesystem::remove(origin_path_, error);
  std::filesystem::remove(part_, error);
  size_ = 0;
}

void PartialFile::commit() {
  // The bytes reach the disk before the name does: after a power cut a file under its final name
  // is whole. Its origin is removed last, where it does no harm.
  if (::fsync(file_.get()) != 0 || ::rename(part_.c_str(), target_.c_str()) != 0) throw_errno("cannot write", target_);
  file_ = FileDescriptor();
  std::error_code error;
  std::filesystem::remove(origin_path_, error);
}

}  // namespace vise::features
