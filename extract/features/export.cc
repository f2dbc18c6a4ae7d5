#include "extract/features/export.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include "base/csv.h"
#include "base/npy.h"
#include "base/version.h"

namespace vise::features {

namespace {

// Rows of an archive's images are stored in its order, not in that of items: each then brings the 64 kB around it into
// memory.
constexpr std::uint32_t kRowsBetween = 128;

// Lets the system take back the memory of the rows read so far, so that it stays flat however many go by; they stay
// readable.
void forget_pages(const MappedFile& file) {
  const ByteView bytes = file.bytes();
  if (!bytes.empty()) ::madvise(const_cast<std::byte*>(bytes.data()), bytes.size(), MADV_DONTNEED);
}

}  // namespace

// Rows are written in the data set's order, whatever order the store has them in.
void export_features(const datasets::Dataset& dataset, const Features& features, const Path& folder) {
  std::uint64_t rows = 0;
  std::string manifest = "row,id,content\n";
  Json unreadable = Json::object();
  for (std::uint32_t item = 0; item < dataset.size(); ++item) {
    const bool has_row = features.rows[item] != kNoRow;
    // Items without a row are in the manifest too, with an empty row number: its lines
    // match the data set's items one to one.
    manifest += csv_line(std::vector<std::string>{has_row ? std::to_string(rows) : "", dataset.ids[item],
                                                  features.contents[item].str()});
    if (has_row)
      ++rows;
    else
      unreadable[dataset.ids[item]] = features.unreadable.at(item);
  }
  AtomicFile npy(folder / "features.npy");
  // Tokens are kept and exported in float16; pooled rows are exported in float32 even
  // where the store keeps float16.
  const bool tokens = features.tokens > 1;
  npy.write(tokens ? npy_header("f2", std::vector<std::uint64_t>{rows, features.tokens, features.dim / features.tokens})
                   : npy_header("f4", std::vector<std::uint64_t>{rows, features.dim}));
  for (std::uint32_t item = 0; item < dataset.size(); ++item) {
    if (features.rows[item] == kNoRow) continue;
    npy.write(tokens ? std::as_bytes(features.halves(item)) : std::as_bytes(features.values(item)));
    if (item % kRowsBetween == 0) forget_pages(features.map->file);
  }
  // The array before its manifest: a manifest never lists rows that aren't there.
  npy.commit();
  write_file_atomically(folder / "manifest.csv", manifest);
  // How long it took, and what else the store holds, differ from run to run; what made the rows doesn't.
  Json store = read_json(features.folder / "features.json");
  for (const char* of_one_run : {"seconds", "images", "rows"}) store.erase(of_one_run);
  const Json facts = {{"schema", "vise-eval/exported-features"},
                      {"version", 1},
                      {"dataset", dataset.name},
                      {"backbone", features.backbone},
                      {"key", features.key.parts},
                      {"key_hash", features.key.str()},
                      {"rows", rows},
                      {"dim", features.dim},
                      {"unreadable", unreadable},
                      {"notes", features.notes},
                      {"vise_eval", kVersion},
                      {"store", store}};
  write_file_atomically(folder / "features.json", facts.dump(2) + "\n");
}

}  // namespace vise::features
