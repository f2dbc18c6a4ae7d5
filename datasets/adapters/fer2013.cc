// FER2013 (Goodfellow et al., "Challenges in Representation Learning", 2013), with FER+ votes where they are (Barsoum
// et al., ICMI 2016).
//
// Source page: https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge.
// Licence: see the page. Tree: fer2013.csv with emotion, pixels (48 x 48 grey values by blanks), Usage (Training
// 28,709, PublicTest 3,589 = val, PrivateTest 3,589 = test); fer2013new.csv (FER+, the same rows: Usage, Image name,
// votes). The faces are unpacked once, as PNG files, into the cache. Metric: accuracy on PrivateTest. Defect: the
// folder re-release (train/, test/) sorts names, so that its 4, 5, 6 are neutral, sad, surprise, where the CSV's are
// sad, surprise, neutral: seen confused in public code. Here classes go by name, in the CSV's order.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/folder.h"
#include "datasets/png.h"
#include "datasets/rows.h"

namespace vise {
namespace {

const DatasetInfo kInfo{
    .name = "fer2013",
    .title = "FER2013 (Goodfellow et al., 2013)",
    .folders = {"fer2013", "FER2013"},
    .tree =
        "fer2013/\n  fer2013.csv     emotion,pixels,Usage\n  fer2013new.csv  (optional: FER+)\n"
        "or train/<emotion>/<file>, test/<emotion>/<file>",
    .page = "https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge",
    .licence = "see the page",
    .citation =
        "I. J. Goodfellow et al. Challenges in Representation Learning: A report on three machine learning contests. "
        "2013."};

const std::vector<std::string> kEmotions{"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"};
constexpr std::uint32_t kSide = 48;

struct Table {
  std::vector<int> classes;
  std::vector<Part> parts;
};

Part part_of(std::string_view usage, const std::string& where) {
  if (usage == "Training") return Part::train;
  if (usage == "PublicTest") return Part::val;
  if (usage == "PrivateTest") return Part::test;
  throw Error(ErrorKind::input, fmt::format("{}: Usage '{}' is not Training, PublicTest or PrivateTest", where, usage));
}

std::vector<std::uint8_t> pixels_of(std::string_view text, const std::string& where) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(kSide * kSide);
  for (std::string_view rest = trim(text); !rest.empty(); rest = trim(rest)) {
    const auto end = std::min(rest.find(' '), rest.size());
    std::int64_t value = -1;
    if (!parse_int(rest.substr(0, end), value) || value < 0 || value > 255)
      throw Error(ErrorKind::input, fmt::format("{}: '{}' is no grey value", where, rest.substr(0, end)));
    pixels.push_back(static_cast<std::uint8_t>(value));
    rest.remove_prefix(end);
  }
  if (pixels.size() != kSide * kSide)
    throw Error(ErrorKind::input, fmt::format("{}: {} pixels instead of {}", where, pixels.size(), kSide * kSide));
  return pixels;
}

std::string image_name(std::size_t item) { return fmt::format("fer{:07}.png", item); }

// Plain writes into a folder of another name, renamed when all are there: 35,887 synced files would take minutes.
class Unpacker {
 public:
  explicit Unpacker(Path folder)
      : folder_(std::move(folder)),
        partial_(fmt::format("{}.partial-{}", folder_.string(), ::getpid())),
        needed_(!std::filesystem::exists(folder_)) {
    if (!needed_) return;
    std::filesystem::remove_all(partial_);
    std::filesystem::create_directories(partial_);
  }

  ~Unpacker() {
    std::error_code ignored;
    if (needed_) std::filesystem::remove_all(partial_, ignored);  // nothing is there after finish()
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  void add(std::size_t item, std::string_view pixels, const std::string& where) const {
    if (!needed_) return;
    const Path path = partial_ / image_name(item);
    std::ofstream out(path, std::ios::binary);
    const std::string png = png_bytes(pixels_of(pixels, where), kSide, kSide, 1);
    if (!out.write(png.data(), static_cast<std::streamsize>(png.size())).flush()) throw_errno("cannot write", path);
  }

  // Where another process was faster, its faces are as good.
  void finish() const {
    std::error_code failed;
    if (needed_) std::filesystem::rename(partial_, folder_, failed);
    if (failed && !std::filesystem::exists(folder_))
      throw Error(ErrorKind::system, fmt::format("cannot write {}: {}", folder_.string(), failed.message()));
  }

 private:
  Path folder_, partial_;
  bool needed_;
};

Table read_table(const Path& path, const Unpacker& unpacker) {
  const auto rows = RowReader::open(path);
  const std::vector<std::string> expected{"emotion", "pixels", "Usage"};
  if (rows->columns() != expected)
    throw Error(ErrorKind::input, fmt::format("{}: its columns are not emotion,pixels,Usage", path.string()));
  Table table;
  while (rows->next()) {
    const std::string where = fmt::format("{}: line {}", path.string(), rows->row());
    const auto cells = rows->cells();
    std::int64_t code = -1;
    if (!parse_int(cells[0], code) || code < 0 || code > 6)
      throw Error(ErrorKind::input, fmt::format("{}: emotion '{}' is not 0 to 6", where, cells[0]));
    unpacker.add(table.classes.size(), cells[1], where);
    table.classes.push_back(static_cast<int>(code));
    table.parts.push_back(part_of(trim(cells[2]), where));
  }
  unpacker.finish();
  return table;
}

// FER+'s rows are those of fer2013.csv.
void add_votes(const Path& path, Dataset& dataset, Log& log) {
  if (!std::filesystem::exists(path)) return;
  const auto rows = RowReader::open(path);
  if (rows->columns().size() < 3)
    throw Error(ErrorKind::input, fmt::format("{}: has no columns of votes", path.string()));
  std::vector<double> votes;
  std::size_t count = 0;
  for (; rows->next(); ++count) {
    for (const std::string_view cell : rows->cells().subspan(2)) {
      double value = 0;
      if (!parse_double(cell, value) || value < 0)
        throw Error(ErrorKind::input,
                    fmt::format("{}: line {}: '{}' is no number of votes", path.string(), rows->row(), cell));
      votes.push_back(value);
    }
  }
  if (count != dataset.size())
    return log.warn(
        fmt::format("{}: {} rows, where fer2013.csv has {}: left out", path.string(), count, dataset.size()));
  std::vector<std::string> names(rows->columns().begin() + 2, rows->columns().end());
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), std::move(names)));
}

Dataset read_csv(const DatasetRequest& request, const Path& path) {
  Dataset dataset = new_dataset(request, kInfo.name);
  const ContentHash content = content_hash(MappedFile(path).bytes());
  dataset.root = request.cache / "fer2013" / content.str();
  Table table = read_table(path, Unpacker(dataset.root));
  for (std::size_t i = 0; i < table.classes.size(); ++i) dataset.ids.push_back(image_name(i));
  dataset.targets.emplace("label", Targets::from_classes(std::move(table.classes), kEmotions));
  dataset.official = Split(std::move(table.parts), "official (val: PublicTest, test: PrivateTest)");
  expect_count(dataset, request.log, "training images", dataset.official->count(Part::train), 28709);
  expect_count(dataset, request.log, "test images", dataset.official->count(Part::test), 3589);
  add_votes(request.root / "fer2013new.csv", dataset, request.log);
  return dataset;
}

Dataset read_folders(const DatasetRequest& request) {
  Dataset dataset = read_folder(request.root, request.log);
  dataset.name = kInfo.name;
  const Targets& found = dataset.target("label");
  std::vector<std::string> labels;
  for (const int k : found.classes())
    labels.push_back(k < 0 ? std::string() : lower(found.names()[static_cast<std::size_t>(k)]));
  dataset.targets.insert_or_assign("label", Targets::from_labels(labels, kEmotions));
  return dataset;
}

Dataset read(const DatasetRequest& request) {
  const Path csv = request.root / "fer2013.csv";
  if (std::filesystem::exists(csv)) return read_csv(request, csv);
  if (std::filesystem::is_directory(request.root / "train")) return read_folders(request);
  throw Error(ErrorKind::missing, fmt::format("{}: has neither fer2013.csv nor train/", request.root.string()));
}

}  // namespace

void add_fer2013(DatasetRegistry& registry) { registry.add(kInfo, read); }

}  // namespace vise
