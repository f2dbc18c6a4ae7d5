// FER2013 (Goodfellow et al., "Challenges in Representation Learning", 2013), with FER+ votes where they are (Barsoum
// et al., ICMI 2016).
//
// Source page: https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge.
// Licence: see the page. Tree: fer2013.csv or icml_face_data.csv, the same rows, with emotion, pixels (48 x 48 grey
// values by blanks), Usage (Training 28,709, PublicTest 3,589 = val, PrivateTest 3,589 = test), in either order; or the
// challenge's train.csv (emotion, pixels) and test.csv (pixels); fer2013new.csv (FER+, the same rows: Usage, Image
// name, votes; rows without a name are no faces, the columns unknown and NF no emotions). The faces are unpacked once,
// as PNG files, into the cache. Metric: accuracy on PrivateTest. Defect: the folder re-release (train/, test/) sorts
// names, so that its 4, 5, 6 are neutral, sad, surprise, where the CSV's are sad, surprise, neutral: seen confused in
// public code. Here classes go by name, in the CSV's order.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/cells.h"
#include "datasets/dataset_registry.h"
#include "datasets/folder.h"
#include "datasets/open_rows.h"
#include "datasets/png.h"

namespace vise::datasets {
namespace {

const DatasetInfo kFer2013{
    .name = "fer2013",
    .title = "FER2013 (Goodfellow et al., 2013)",
    .folders = {"fer2013", "FER2013"},
    .tree =
        "fer2013/\n  fer2013.csv or icml_face_data.csv   emotion, pixels, Usage in any order\n"
        "  fer2013new.csv                       (optional: FER+)\n"
        "or train.csv, test.csv; or train/<emotion>/<file>, test/<emotion>/<file>",
    .page = "https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge",
    .licence = "see the page",
    .citation =
        "I. J. Goodfellow et al. Challenges in Representation Learning: A report on three machine learning contests. "
        "2013."};

const std::vector<std::string> kEmotions{"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"};
constexpr std::uint32_t kSide = 48;

// The rows read so far, of one table or two: the face of row i is image_name(i).
struct Table {
  std::vector<int> classes;
  std::vector<Part> parts;
};

// Columns by name, in any case and order, as the tables were published with "emotion,pixels,Usage" and
// "emotion, Usage, pixels".
struct Columns {
  std::size_t emotion = SIZE_MAX, pixels = SIZE_MAX, usage = SIZE_MAX;

  Columns(const std::vector<std::string>& names, const Path& path, bool needs_emotion, bool needs_usage) {
    for (std::size_t c = 0; c < names.size(); ++c) {
      const std::string name = lower(names[c]);
      for (const auto& [known, place] :
           {std::pair("emotion", &emotion), std::pair("pixels", &pixels), std::pair("usage", &usage)}) {
        if (name != known) continue;
        if (*place != SIZE_MAX)
          throw Error(ErrorKind::input, fmt::format("{}: the column '{}' stands there twice", path.string(), known));
        *place = c;
      }
    }
    const auto need = [&](std::size_t place, const char* name) {
      if (place == SIZE_MAX)
        throw Error(ErrorKind::input, fmt::format("{}: has no column '{}'", path.string(), name),
                    fmt::format("it has {}", join(names, ", ")));
    };
    need(pixels, "pixels");
    if (needs_emotion) need(emotion, "emotion");
    if (needs_usage) need(usage, "Usage");
  }
};

Part part_of(std::string_view usage, const std::string& where) {
  if (usage == "Training") return Part::train;
  if (usage == "PublicTest") return Part::val;
  if (usage == "PrivateTest") return Part::test;
  throw Error(ErrorKind::input, fmt::format("{}: Usage '{}' is not Training, PublicTest or PrivateTest", where, usage));
}

// The 48 x 48 grey values of a cell, in rows from the top.
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
  // The process id keeps two runs apart that unpack the same table at once.
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

int class_of(std::string_view cell, const std::string& where) {
  std::int64_t code = -1;
  if (!parse_int(cell, code) || code < 0 || code > 6)
    throw Error(ErrorKind::input, fmt::format("{}: emotion '{}' is not 0 to 6", where, cell));
  return static_cast<int>(code);
}

// Adds the rows of one table; without Usage all are of `part`, without emotions none has a label.
void read_table(const Path& path, std::optional<Part> part, const Unpacker& unpacker, Table& table) {
  const auto rows = open_rows(path);
  const Columns columns(rows->columns(), path, !part || *part == Part::train, !part);
  while (rows->next()) {
    const std::string where = fmt::format("{}: line {}", path.string(), rows->row());
    const auto cells = rows->cells();
    unpacker.add(table.classes.size(), cells[columns.pixels], where);
    table.classes.push_back(columns.emotion == SIZE_MAX ? kNoClass : class_of(cells[columns.emotion], where));
    table.parts.push_back(part ? *part : part_of(trim(cells[columns.usage]), where));
  }
}

// FER+'s own emotions. Its further columns count raters who saw none: "unknown" and "NF" (no face) are no emotions.
const std::vector<std::string> kVoted{"neutral", "happiness", "surprise", "sadness",
                                      "anger",   "disgust",   "fear",     "contempt"};

// FER+'s rows are those of the table of faces. A row without an image's name is no face: it has no votes.
void add_votes(const Path& path, Dataset& dataset, Log& log) {
  if (!std::filesystem::exists(path)) return;
  const auto rows = open_rows(path);
  std::vector<std::string> names;
  std::vector<std::size_t> places;
  std::size_t image = SIZE_MAX;
  for (std::size_t c = 0; c < rows->columns().size(); ++c) {
    const std::string name = lower(rows->columns()[c]);
    if (name == "image name") image = c;
    if (std::find(kVoted.begin(), kVoted.end(), name) == kVoted.end()) continue;
    if (std::find(names.begin(), names.end(), name) != names.end())
      throw Error(ErrorKind::input, fmt::format("{}: the column '{}' stands there twice", path.string(), name));
    names.push_back(name);
    places.push_back(c);
  }
  if (names.empty()) throw Error(ErrorKind::input, fmt::format("{}: has no columns of votes", path.string()));
  std::vector<double> votes;
  std::size_t count = 0, no_faces = 0;
  for (; rows->next(); ++count) {
    const auto cells = rows->cells();
    const bool is_face = image == SIZE_MAX || !is_missing(cells[image]);
    no_faces += !is_face;
    for (const std::size_t place : places) {
      double value = 0;
      if (!parse_double(cells[place], value) || value < 0)
        throw Error(ErrorKind::input,
                    fmt::format("{}: line {}: '{}' is no number of votes", path.string(), rows->row(), cells[place]));
      votes.push_back(is_face ? value : 0);
    }
  }
  const auto note = [&](std::string text) {
    log.warn(fmt::format("{}: {}", dataset.name, text));
    dataset.notes.push_back(std::move(text));
  };
  // Rows are joined by their place. With another number of rows any vote could be another face's.
  if (count != dataset.size())
    return note(fmt::format("{}: {} rows, where there are {} faces: its votes are left out", path.filename().string(),
                            count, dataset.size()));
  if (no_faces > 0) note(fmt::format("{} images are no face by FER+ and have no votes", no_faces));
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), std::move(names)));
}

// The whole table under one of its names; empty where it isn't there.
Path whole_table(const Path& root) {
  for (const char* name : {"fer2013.csv", "icml_face_data.csv"})
    if (std::filesystem::exists(root / name)) return root / name;
  return {};
}

Dataset read_csv(const DatasetRequest& request, const Path& path) {
  Dataset dataset = new_dataset(request, kFer2013.name);
  const ContentHash content = content_hash(MappedFile(path).bytes());
  // By the table's content: another table, or a repaired one, unpacks into another folder.
  dataset.root = request.cache / "fer2013" / content.str();
  // Faces are written while rows are read: a bad row throws, and the destructor removes what there is.
  const Unpacker unpacker(dataset.root);
  Table table;
  read_table(path, std::nullopt, unpacker, table);
  unpacker.finish();
  for (std::size_t i = 0; i < table.classes.size(); ++i) dataset.ids.push_back(image_name(i));
  dataset.targets.emplace("label", Targets::from_classes(std::move(table.classes), kEmotions));
  dataset.official = Split(std::move(table.parts), "official (val: PublicTest, test: PrivateTest)");
  expect_count(dataset, request.log, "training images", dataset.official->count(Part::train), 28709);
  expect_count(dataset, request.log, "test images", dataset.official->count(Part::test), 3589);
  add_votes(request.root / "fer2013new.csv", dataset, request.log);
  return dataset;
}

// The challenge's train.csv, and its test.csv without emotions: a test nobody can score, so that there is no official
// split.
Dataset read_challenge(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kFer2013.name);
  const Path train = request.root / "train.csv", test = request.root / "test.csv";
  const bool has_test = std::filesystem::exists(test);
  std::string content = content_hash(MappedFile(train).bytes()).str();
  if (has_test) content += content_hash(MappedFile(test).bytes()).str();
  dataset.root = request.cache / "fer2013" / content;
  const Unpacker unpacker(dataset.root);
  Table table;
  read_table(train, Part::train, unpacker, table);
  const std::size_t labelled = table.classes.size();
  if (has_test) read_table(test, Part::unused, unpacker, table);
  unpacker.finish();
  for (std::size_t i = 0; i < table.classes.size(); ++i) dataset.ids.push_back(image_name(i));
  dataset.targets.emplace("label", Targets::from_classes(std::move(table.classes), kEmotions));
  expect_count(dataset, request.log, "training images", labelled, 28709);
  dataset.notes.push_back(
      fmt::format("train.csv alone has emotions: the split is drawn from its {} images, and numbers "
                  "don't compare with PrivateTest's",
                  labelled));
  request.log.warn(fmt::format("{}: {}", dataset.name, dataset.notes.back()));
  return dataset;
}

Dataset read_folders(const DatasetRequest& request) {
  Dataset dataset = read_folder(request.root, request.log, {}, request.cache);
  dataset.name = kFer2013.name;
  if (!dataset.targets.contains("label"))
    throw Error(ErrorKind::missing, fmt::format("{}: train/ has no folders of emotions", request.root.string()));
  // The folder reader numbers classes by the alphabet; they are numbered as in the CSV here, so that a class is one
  // number in all forms.
  const Targets& found = dataset.target("label");
  std::vector<std::string> labels;
  for (const int k : found.classes())
    labels.push_back(k < 0 ? std::string() : lower(found.names()[static_cast<std::size_t>(k)]));
  dataset.targets.insert_or_assign("label", Targets::from_labels(labels, kEmotions));
  return dataset;
}

Dataset read_fer2013(const DatasetRequest& request) {
  // The table with the official split comes first; the other forms know less.
  if (const Path whole = whole_table(request.root); !whole.empty()) return read_csv(request, whole);
  if (std::filesystem::is_regular_file(request.root / "train.csv")) return read_challenge(request);
  if (std::filesystem::is_directory(request.root / "train")) return read_folders(request);
  throw Error(ErrorKind::missing, fmt::format("{}: has neither fer2013.csv nor train/", request.root.string()));
}

}  // namespace

void add_fer2013(DatasetRegistry& registry) { registry.add(kFer2013, read_fer2013); }

}  // namespace vise::datasets
