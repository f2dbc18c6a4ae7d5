#include "experiments/results_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "experiments/result_parse.h"

namespace vise::experiments {
namespace {

// A line that a crash cut short has no newline at its end. It counts only if it is whole all the same.
bool is_json(std::string_view text) { return Json::accept(text); }

// The bytes after the last newline of an open file, and where they begin.
struct Tail {
  std::string text;
  std::int64_t begin = 0;
};

Tail read_tail(int fd, const Path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw_errno("cannot read", path);
  Tail tail{{}, info.st_size};
  // Backwards in blocks: the file may be gigabytes, and only its last line matters.
  while (tail.begin > 0) {
    char block[4096];
    const auto wanted = std::min<std::int64_t>(tail.begin, sizeof block);
    const auto got = ::pread(fd, block, static_cast<std::size_t>(wanted), tail.begin - wanted);
    if (got != wanted) throw_errno("cannot read", path);
    const std::string_view text(block, static_cast<std::size_t>(wanted));
    const auto newline = text.rfind('\n');
    if (newline != std::string_view::npos) {
      tail.text.insert(0, text.substr(newline + 1));
      tail.begin -= wanted - static_cast<std::int64_t>(newline) - 1;
      break;
    }
    tail.text.insert(0, text);
    tail.begin -= wanted;
  }
  return tail;
}

// The lock is released when the descriptor is closed, by the end of the process at the latest.
FileDescriptor open_locked(const Path& path) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) throw_errno("cannot write", path);
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw_errno("cannot lock", path);
  return file;
}

}  // namespace

// By the same parser as files, so that there is one reading of a result.
Result result_from_json(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::size_t size = text.size();
  text.resize(size + ResultParser::kPadding);
  Result result;
  ResultParser().parse(std::string_view(text).substr(0, size), result);
  return result;
}

// One line a result, appended: a killed run loses at most the line under way, and nothing
// has to be rewritten as a run grows.
void append_result(const Path& results_jsonl, const Result& result) {
  std::string line;
  try {
    // dump() throws for text that isn't UTF-8, which a class's name may be.
    line = to_json(result).dump() + "\n";
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::input, fmt::format("a result of {} can't be written: {}", result.cell.task, e.what()),
                "names of classes and tasks must be UTF-8");
  }
  // Several processes may append to one file (jobs of a study). The lock spans looking at the tail,
  // mending it and writing, and fsync comes before it is given back.
  const FileDescriptor file = open_locked(results_jsonl);
  const Tail tail = read_tail(file.get(), results_jsonl);
  if (is_json(tail.text)) {
    line.insert(0, "\n");  // whole, but the newline was lost
    // A torn line is cut off: its result is lost and will be computed again, and the file stays one result a line.
  } else if (!tail.text.empty() && ::ftruncate(file.get(), tail.begin) != 0) {
    throw_errno("cannot write", results_jsonl);
  }
  if (tail.begin == 0 && !is_json(tail.text)) line.insert(0, results_schema_line() + "\n");
  write_fully(file.get(), as_byte_view(line), -1, results_jsonl);
  if (::fsync(file.get()) != 0) throw_errno("cannot write", results_jsonl);
}

}  // namespace vise::experiments
