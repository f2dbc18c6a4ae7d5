// results.jsonl -> Results. The file is read in small blocks that threads parse side by side, so that neither
// its size nor its text is ever in memory as a whole.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/error.h"
#include "base/threads.h"
#include "experiments/result_parse.h"
#include "experiments/results_file.h"

namespace vise::experiments {
namespace {

constexpr std::string_view kSchema = "vise-eval/results";
constexpr int kVersion = 1;
constexpr std::size_t kBlockBytes = std::size_t{1} << 18;  // stays in a core's cache
constexpr std::uint64_t kMostFileBytes = std::uint64_t{4} << 30;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

FileDescriptor open_to_read(const Path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno("cannot read", path);
  return file;
}

// Refused before anything is allocated by its size.
std::uint64_t size_of(const FileDescriptor& file, const Path& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw_errno("cannot read", path);
  const auto bytes = static_cast<std::uint64_t>(info.st_size);
  if (bytes > kMostFileBytes)
    throw Error(ErrorKind::input,
                fmt::format("{}: {} bytes are more than a results.jsonl may have", path.string(), bytes));
  return bytes;
}

// Reads up to `wanted` bytes from `offset` into `into`; what is missing at the file's end is missing.
std::size_t read_at(const FileDescriptor& file, std::uint64_t offset, char* into, std::size_t wanted,
                    const Path& path) {
  std::size_t have = 0;
  while (have < wanted) {
    const ssize_t got = ::pread(file.get(), into + have, wanted - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

// Block i covers the bytes from i x kBlockBytes on. A line that crosses its end belongs to the block that it begins
// in, which reads on to the newline; the next block skips it. So every line is parsed by exactly one block.

// The lines that begin in one block of the file, and where their text begins. Its memory serves block after block.
class Block {
 public:
  std::string_view text() const { return {buffer_.data() + skipped_, size_ - skipped_}; }  // kPadding bytes follow
  std::uint64_t begin() const { return begin_ + skipped_; }

  // Whole lines, but for a last one that a crash cut short.
  void read(const FileDescriptor& file, std::uint64_t begin, std::uint64_t file_bytes, const Path& path) {
    const std::uint64_t end = std::min(begin + kBlockBytes, file_bytes);
    begin_ = begin == 0 ? 0 : begin - 1;
    skipped_ = size_ = 0;
    append(file, end - begin_, path);
    if (begin > 0) {  // a line belongs to the block it begins in: skip to the first newline from the byte before on
      const auto newline = text().find('\n');
      skipped_ = newline == std::string_view::npos ? size_ : newline + 1;
    }
    while (!text().empty() && text().back() != '\n' && begin_ + size_ < file_bytes) {
      const std::size_t before = size_;
      append(file, std::min<std::uint64_t>(kBlockBytes >> 4, file_bytes - begin_ - size_), path);
      if (size_ == before) break;
      const auto newline = std::string_view(buffer_.data(), size_).find('\n', before);
      if (newline != std::string_view::npos) size_ = newline + 1;
    }
  }

 private:
  void append(const FileDescriptor& file, std::size_t wanted, const Path& path) {
    if (buffer_.size() < size_ + wanted + ResultParser::kPadding)
      buffer_.resize(size_ + wanted + ResultParser::kPadding);
    size_ += read_at(file, begin_ + size_, buffer_.data() + size_, wanted, path);
  }

  std::vector<char> buffer_ = std::vector<char>(kBlockBytes + (kBlockBytes >> 3));
  std::uint64_t begin_ = 0;  // in the file, of the buffer's first byte
  std::size_t skipped_ = 0, size_ = 0;
};

// Counted only for an error's message; threads that parse blocks don't know their line numbers.
std::size_t line_number(const FileDescriptor& file, std::uint64_t offset, const Path& path) {
  std::size_t newlines = 0;
  std::vector<char> text(kBlockBytes);
  for (std::uint64_t at = 0; at < offset; at += kBlockBytes) {
    const std::size_t have = read_at(file, at, text.data(), std::min<std::uint64_t>(kBlockBytes, offset - at), path);
    newlines += static_cast<std::size_t>(std::count(text.begin(), text.begin() + have, '\n'));
  }
  return newlines + 1;
}

// The first line says what the rest is; a later format is refused rather than read as far as it goes.
void check_schema(std::string_view line, const Path& path) {
  const Json header = parse_json(line, fmt::format("{}: line 1", path.string()));
  if (!header.is_object() || header.value("schema", "") != kSchema)
    throw Error(ErrorKind::input, fmt::format("{}: line 1: is not the schema line of a results.jsonl", path.string()),
                fmt::format("the first line must be {}", results_schema_line()));
  const int version = header.value("version", 0);
  if (version != kVersion)
    throw Error(ErrorKind::input,
                fmt::format("{}: line 1: version {} of the results' format, this program knows {}", path.string(),
                            version, kVersion),
                "read it with the version of vise-eval that wrote it");
}

// What one thread reads with: a block, its lines, the parser.
struct Desk {
  explicit Desk(ResultDetail detail) : parser(detail) {}

  Block block;
  std::vector<std::string_view> lines;
  ResultParser parser;
};

// One file's way into results.
class Reader {
 public:
  Reader(const Path& path, ResultDetail detail)
      : path_(path), detail_(detail), file_(open_to_read(path)), bytes_(size_of(file_, path)) {}

  std::vector<Result> read() {
    // Blocks are parsed in any order and joined in the file's.
    std::vector<std::vector<Result>> blocks((bytes_ + kBlockBytes - 1) / kBlockBytes);
    parallel_for(available_cores(), blocks.size(), [&](std::size_t i) {
      std::unique_ptr<Desk> desk = take_desk();
      desk->block.read(file_, i * kBlockBytes, bytes_, path_);
      blocks[i] = parse(*desk);
      put_back(std::move(desk));
    });
    std::size_t count = 0;
    for (const auto& block : blocks) count += block.size();
    std::vector<Result> results;
    results.reserve(count);
    for (auto& block : blocks) {
      std::ranges::move(block, std::back_inserter(results));
      block = {};
    }
    return results;
  }

 private:
  // A free one, or a new one: as many as threads.
  std::unique_ptr<Desk> take_desk() {
    const std::lock_guard lock(mutex_);
    if (desks_.empty()) return std::make_unique<Desk>(detail_);
    std::unique_ptr<Desk> desk = std::move(desks_.back());
    desks_.pop_back();
    return desk;
  }

  void put_back(std::unique_ptr<Desk> desk) {
    const std::lock_guard lock(mutex_);
    desks_.push_back(std::move(desk));
  }

  // Lines that aren't blank; a last one without a newline only where it is whole all the same.
  static void split(std::string_view text, std::vector<std::string_view>& lines) {
    lines.clear();
    while (!text.empty()) {
      const std::size_t newline = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, newline);
      if (!is_blank(line) && (newline < text.size() || Json::accept(line))) lines.push_back(line);
      text.remove_prefix(std::min(newline + 1, text.size()));
    }
  }

  std::vector<Result> parse(Desk& desk) const {
    const std::string_view text = desk.block.text();
    split(text, desk.lines);
    std::vector<Result> results;
    results.reserve(desk.lines.size());
    for (const std::string_view line : desk.lines)
      add(desk.parser, line, desk.block.begin() + static_cast<std::size_t>(line.data() - text.data()), results);
    return results;
  }

  void add(ResultParser& parser, std::string_view line, std::uint64_t offset, std::vector<Result>& results) const {
    // Offset 0 is the first line: blocks don't know their numbers, but the file begins there alone.
    if (offset == 0) return check_schema(line, path_);
    try {
      parser.parse(line, results.emplace_back());
    } catch (const Error& e) {
      throw Error(e.kind(),
                  fmt::format("{}: line {}: {}", path_.string(), line_number(file_, offset, path_), e.message()),
                  e.hint());
    }
  }

  const Path& path_;
  ResultDetail detail_;
  FileDescriptor file_;
  std::uint64_t bytes_;
  std::mutex mutex_;  // of desks_
  std::vector<std::unique_ptr<Desk>> desks_;
};

// A later result of the same key replaces the earlier one, in its place.
std::vector<Result> without_replaced(std::vector<Result> results) {
  std::unordered_map<std::string_view, std::size_t> last;
  last.reserve(results.size());
  for (std::size_t i = 0; i < results.size(); ++i) last[results[i].key] = i;
  if (last.size() == results.size()) return results;
  std::vector<Result> kept;
  kept.reserve(last.size());
  for (const Result& result : results) {
    const auto found = last.find(result.key);
    if (found == last.end()) continue;  // its place was taken before
    const std::size_t source = found->second;
    last.erase(found);  // the map only views the key, which moves now
    kept.push_back(std::move(results[source]));
  }
  return kept;
}

}  // namespace

std::string results_schema_line() { return Json({{"schema", kSchema}, {"version", kVersion}}).dump(); }

std::vector<Result> read_results(const Path& results_jsonl, ResultDetail detail) {
  return without_replaced(Reader(results_jsonl, detail).read());
}

}  // namespace vise::experiments
