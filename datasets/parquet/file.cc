#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/error.h"
#include "datasets/parquet/contents.h"

namespace vise::datasets::parquet {
namespace {

constexpr std::string_view kMagic = "PAR1", kEncryptedMagic = "PARE";
constexpr std::uint64_t kTailSize = 8;  // the footer's length and the magic
// Bounds what is allocated for a length that a file only claims.
constexpr std::uint64_t kMaxFooter = 64U << 20;

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::input, what, std::move(hint));
}

Metadata read_metadata(const Source& source) {
  const std::uint64_t size = source.size();
  std::array<std::byte, kMagicSize> head{};
  std::array<std::byte, kTailSize> tail{};
  if (size < kMagicSize + kTailSize) refuse("is too short for a Parquet file", "was the download cut off?");
  source.read(0, head);
  // "PAR1", data, footer, the footer's length in 4 bytes, "PAR1": the file is read from its end,
  // since the footer can only be written after the data.
  source.read(size - kTailSize, tail);
  const auto text = [](ByteView bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  if (text(ByteView(tail).last(kMagicSize)) == kEncryptedMagic)
    refuse("is an encrypted Parquet file, which is not read");
  if (text(head) != kMagic) refuse("is no Parquet file: it doesn't begin with PAR1");
  if (text(ByteView(tail).last(kMagicSize)) != kMagic)
    refuse("doesn't end as a Parquet file does", "the file is cut off or something was added to it: download it again");
  std::uint32_t length = 0;
  std::memcpy(&length, tail.data(), sizeof length);
  if (length > size - kTailSize - kMagicSize)
    refuse(fmt::format("its footer claims {} bytes in a file of {}", length, size), "the file is damaged");
  if (length > kMaxFooter) refuse(fmt::format("its footer has {} bytes, more than {}", length, kMaxFooter));
  std::vector<std::byte> footer(length);
  // The footer is read whole: it is small beside the data, and columns refer to each other in it.
  source.read(size - kTailSize - length, footer);
  return read_footer(footer, size - kTailSize - length);
}

}  // namespace

// Whatever is wrong with the contents gets the file's name in front.
File File::read_contents(std::unique_ptr<const Source> source, std::string name) {
  auto contents = std::make_shared<Contents>();
  contents->name = std::move(name);
  contents->source = std::move(source);
  try {
    contents->metadata = read_metadata(*contents->source);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    throw Error(error.kind(), fmt::format("{}: {}", contents->name, error.message()), error.hint());
  }
  return File(std::move(contents));
}

File File::open(const Path& path) { return read_contents(open_source(path), path.string()); }

File File::parse(std::vector<std::byte> bytes, std::string name) {
  return read_contents(memory_source(std::move(bytes)), std::move(name));
}

std::uint64_t File::rows() const { return contents_->metadata.rows; }
std::size_t File::groups() const { return contents_->metadata.groups.size(); }
std::uint64_t File::group_rows(std::size_t group) const { return contents_->metadata.groups[group].rows; }
const std::vector<Column>& File::columns() const { return contents_->metadata.columns; }
std::uint64_t File::bytes() const { return contents_->source->size(); }

std::optional<std::size_t> File::find(std::string_view name) const {
  const auto& all = columns();
  for (std::size_t c = 0; c < all.size(); ++c)
    if (all[c].name == name) return c;
  return std::nullopt;
}

std::string_view File::text(std::string_view key) const {
  const auto found = contents_->metadata.texts.find(key);
  return found == contents_->metadata.texts.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace vise::datasets::parquet
