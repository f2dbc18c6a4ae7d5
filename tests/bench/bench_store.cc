// A store of a million rows: is opening it, finding every row by its image's content, and reading it bound by the disk?
//
//   bench_store FOLDER [ROWS [DIM [fp16]]]        // makes <FOLDER>/features once (2 GB for 1,000,000 x 512), then
//   times
//
// Every step is timed with its files dropped from the page cache ("cold": the disk's time is in it) and with them in it
// ("warm": what we add), beside a bare read of the same bytes.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "extract/features/store.h"

namespace vise {
namespace {

ContentHash content(std::uint64_t i) { return content_hash(as_byte_view(fmt::format("image {}", i))); }

void generate(const Path& folder, const features::FeatureKey& key, std::uint64_t rows, const Context& context) {
  features::FeatureStore store(folder, key, context.log);
  if (store.size() == rows) return;
  const Stopwatch watch;
  features::FeatureWriter writer(store, context);
  RandomStream random("bench-store", 0);
  std::vector<float> row(key.dim);
  for (float& value : row) value = static_cast<float>(random.uniform());
  for (std::uint64_t i = 0; i < rows; ++i) {
    row[i % key.dim] = static_cast<float>(i);
    if (key.storage() == features::Storage::fp16) row[i % key.dim] = static_cast<float>(i % 2048);
    writer.add(content(i), 50'000, row);
  }
  writer.finish(Json::object());
  fmt::print("written in {:.1f} s\n", watch.seconds());
}

void drop_from_page_cache(const Path& file) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  ::fdatasync(opened.get());
  ::posix_fadvise(opened.get(), 0, 0, POSIX_FADV_DONTNEED);
}

double bare_read(const Path& file) {
  const Stopwatch watch;
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> piece(1 << 20);
  while (::read(opened.get(), piece.data(), piece.size()) > 0) {
  }
  return watch.seconds();
}

void report(const char* what, double ours, double bare) {
  fmt::print("  {:34} {:7.3f} s, a bare read of the same file {:7.3f} s\n", what, ours, bare);
}

void time_all(const Path& folder, const features::FeatureKey& key, std::uint64_t rows, bool cold, Log& log) {
  const Path store_folder = folder / "features" / key.str();
  const auto bare = [&](const char* name) {
    if (cold) drop_from_page_cache(store_folder / name);
    const double seconds = bare_read(store_folder / name);
    if (cold) drop_from_page_cache(store_folder / name);
    return seconds;
  };
  fmt::print("{}\n", cold ? "cold" : "warm");
  const double bare_manifest = bare("manifest.csv");
  const Stopwatch opening;
  features::FeatureStore store(folder, key, log);
  report("open (manifest.csv)", opening.seconds(), bare_manifest);

  std::vector<ContentHash> contents;
  for (std::uint64_t i = 0; i < rows; ++i) contents.push_back(content((i * 7919) % rows));
  const Stopwatch joining;
  std::vector<std::uint32_t> found;
  for (const ContentHash& wanted : contents) found.push_back(store.row(wanted));
  fmt::print("  {:34} {:7.3f} s\n", "find every row by content", joining.seconds());

  const double bare_rows = bare("features.npy");
  const Stopwatch checking;
  if (store.check_rows(found, log) > 0) throw Error(ErrorKind::verification, "the store is damaged");
  report("check every block (features.npy)", checking.seconds(), bare_rows);
  if (cold) drop_from_page_cache(store_folder / "features.npy");
  const Stopwatch reading;
  const features::FeatureMap map = store.map(found);
  const float sum = std::accumulate(map.values.begin(), map.values.end(), 0.0F);
  report(fmt::format("map and sum every value ({:.0e})", static_cast<double>(sum)).c_str(), reading.seconds(),
         bare_rows);
}

int run(int count, char** words) {
  if (count < 2) throw Error(ErrorKind::usage, "bench_store FOLDER [ROWS [DIM [fp16]]]");
  const std::uint64_t rows = count > 2 ? std::strtoull(words[2], nullptr, 10) : 1'000'000;
  features::FeatureKey key{{{"bench", "store"}}, count > 3 ? std::strtoull(words[3], nullptr, 10) : 512};
  key.parts["dim"] = key.dim;
  if (count > 4) key.parts["storage"] = words[4];
  Silent log;
  generate(words[1], key, rows, {log});
  fmt::print("{} rows of {} ({})\n", rows, key.dim, features::storage_name(key.storage()));
  time_all(words[1], key, rows, true, log);
  time_all(words[1], key, rows, false, log);
  return 0;
}

}  // namespace
}  // namespace vise

int main(int count, char** words) {
  try {
    return vise::run(count, words);
  } catch (const vise::Error& e) {
    fmt::print(stderr, "{}\n", e.message());
    return 1;
  }
}
