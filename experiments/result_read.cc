// results.jsonl -> Results. The file is read in small blocks that threads parse side by side, so that neither
// its size nor its text is ever in memory as a whole.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <unordered_map>

#include "base/error.h"
#include "base/threads.h"
#include "experiments/result_parse.h"

namespace vise {
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

std::uint64_t size_of(const FileDescriptor& file, const Path& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw_errno("cannot read", path);
  const auto bytes = static_cast<std::uint64_t>(info.st_size);
  if (bytes > kMostFileBytes)
    throw Error(ErrorKind::input,
                fmt::format("{}: {} bytes are more than a results.jsonl may have", path.string(), bytes));
  return bytes;
}

// Appends up to `wanted` bytes from `offset`; what is missing at the file's end is missing.
void read_onto(std::string& text, const FileDescriptor& file, std::uint64_t offset, std::size_t wanted,
               const Path& path) {
  const std::size_t before = text.size();
  text.resize(before + wanted);
  std::size_t have = 0;
  while (have < wanted) {
    const ssize_t got =
        ::pread(file.get(), text.data() + before + have, wanted - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(before + have);
}

// The lines that begin in one block of the file, and where their text begins.
struct Block {
  std::string text;  // whole lines, but for a last one that a crash cut short
  std::uint64_t begin = 0;
};

Block read_block(const FileDescriptor& file, std::uint64_t begin, std::uint64_t file_bytes, const Path& path) {
  Block block{{}, begin == 0 ? 0 : begin - 1};
  const std::uint64_t end = std::min(begin + kBlockBytes, file_bytes);
  block.text.reserve(std::min<std::uint64_t>(file_bytes, kBlockBytes + (kBlockBytes >> 4)) + ResultParser::kPadding);
  read_onto(block.text, file, block.begin, end - block.begin, path);
  if (begin > 0) {  // a line belongs to the block it begins in: skip to the first newline from the byte before on
    const auto newline = block.text.find('\n');
    const std::size_t skipped = newline == std::string::npos ? block.text.size() : newline + 1;
    block.text.erase(0, skipped);
    block.begin += skipped;
  }
  std::uint64_t have = end;
  while (!block.text.empty() && block.text.back() != '\n' && have < file_bytes) {
    const std::size_t before = block.text.size();
    read_onto(block.text, file, have, std::min<std::uint64_t>(kBlockBytes >> 4, file_bytes - have), path);
    if (block.text.size() == before) break;
    have += block.text.size() - before;
    if (const auto newline = block.text.find('\n', before); newline != std::string::npos)
      block.text.resize(newline + 1);
  }
  return block;
}

std::size_t line_number(const FileDescriptor& file, std::uint64_t offset, const Path& path) {
  std::size_t newlines = 0;
  std::string text;
  for (std::uint64_t at = 0; at < offset; at += kBlockBytes) {
    text.clear();
    read_onto(text, file, at, std::min<std::uint64_t>(kBlockBytes, offset - at), path);
    newlines += static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  return newlines + 1;
}

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

// One file's way into results.
class Reader {
 public:
  Reader(const Path& path, ResultDetail detail)
      : path_(path), detail_(detail), file_(open_to_read(path)), bytes_(size_of(file_, path)) {}

  std::vector<Result> read() const {
    std::vector<std::vector<Result>> blocks((bytes_ + kBlockBytes - 1) / kBlockBytes);
    parallel_for(available_cores(), blocks.size(),
                 [&](std::size_t i) { blocks[i] = parse(read_block(file_, i * kBlockBytes, bytes_, path_)); });
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
  // Lines that aren't blank; a last one without a newline only where it is whole all the same.
  std::vector<Result> parse(Block block) const {
    ResultParser parser(detail_);
    std::vector<Result> results;
    const std::size_t size = block.text.size();
    block.text.resize(size + ResultParser::kPadding);
    for (std::size_t begin = 0; begin < size;) {
      const std::size_t newline = std::min(block.text.find('\n', begin), size);
      const std::string_view line = std::string_view(block.text).substr(begin, newline - begin);
      if (!is_blank(line) && (newline < size || Json::accept(line))) add(parser, line, block.begin + begin, results);
      begin = newline + 1;
    }
    return results;
  }

  void add(ResultParser& parser, std::string_view line, std::uint64_t offset, std::vector<Result>& results) const {
    if (offset == 0) return check_schema(line, path_);
    try {
      results.push_back(parser.parse(line));
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

}  // namespace vise
