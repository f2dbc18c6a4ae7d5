// Intentonomy (Jia, Wu, Reiter, Cardie, Belongie, Lim, CVPR 2021): 28 intents behind social-media pictures.
//
// Source page: https://github.com/KMnP/intentonomy. Licence: annotations CC BY 4.0, images Unsplash. Tree:
// intentonomy_{train,val,test}2020.json in COCO's form, and the downloaded images, below images/, low/ or the root.
// 12,740, 498 and 1,217 images; the released val and test differ from the CVPR paper's. Targets: labels (multi-label:
// category_ids, or for train what two of three raters said, category_ids_softprob >= 0.5), votes (train's shares; they
// need not sum to 1). Metrics: macro, micro and samples F1, thresholds chosen on val.
#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "base/json.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kIntent{.name = "intent",
                          .title = "Intentonomy (Jia et al., CVPR 2021)",
                          .folders = {"intentonomy", "Intentonomy", "intent"},
                          .tree =
                              "intentonomy/\n  intentonomy_train2020.json, intentonomy_val2020.json, "
                              "intentonomy_test2020.json\n  images/<filename>",
                          .page = "https://github.com/KMnP/intentonomy",
                          .licence = "annotations CC BY 4.0, images Unsplash",
                          .citation =
                              "M. Jia, Z. Wu, A. Reiter, C. Cardie, S. Belongie, S.-N. Lim. Intentonomy: a Dataset and "
                              "Study towards Human Intent Understanding. CVPR 2021."};

struct PartFile {
  Part part;
  std::size_t known;
};
constexpr PartFile kParts[] = {{Part::train, 12740}, {Part::val, 498}, {Part::test, 1217}};

// Bits and votes are row-major, a row an annotation and a column a category.
struct Columns {
  std::vector<std::int8_t> bits;
  std::vector<double> votes;
  std::vector<Part> parts;
};

std::string file_of(const Json& image) {
  for (const char* key : {"filename", "file_name"})
    if (image.contains(key)) return image.at(key).get<std::string>();
  throw Error(ErrorKind::input, "an image has neither filename nor file_name");
}

// An annotation's row of bits and of votes; `column` turns a category's id into its place.
void add_annotation(const Json& annotation, const std::map<int, std::size_t>& column, Columns& columns) {
  const std::size_t width = column.size(), begin = columns.bits.size();
  columns.bits.resize(begin + width, 0);
  columns.votes.resize(begin + width, 0);
  if (annotation.contains("category_ids_softprob")) {
    const Json& shares = annotation.at("category_ids_softprob");
    if (shares.size() != width) throw Error(ErrorKind::input, "category_ids_softprob is not as long as categories");
    for (std::size_t k = 0; k < width; ++k) {
      columns.votes[begin + k] = shares[k].get<double>();
      columns.bits[begin + k] = columns.votes[begin + k] >= 0.5;
    }
  }
  // Where categories are given they are the truth, and the threshold on the shares isn't used.
  if (!annotation.contains("category_ids")) return;
  for (std::size_t k = 0; k < width; ++k) columns.bits[begin + k] = 0;
  for (const Json& id : annotation.at("category_ids")) columns.bits[begin + column.at(id.get<int>())] = 1;
}

void read_part(const Json& file, const std::string& folder, Part part, Dataset& dataset, Columns& columns,
               std::vector<std::string>& names) {
  // A map orders the categories by id, so columns don't depend on the order in the file.
  std::map<int, std::string> categories;
  for (const Json& category : file.at("categories"))
    categories[category.at("id").get<int>()] = category.at("name").get<std::string>();
  std::map<int, std::size_t> column;
  std::vector<std::string> own;
  for (const auto& [id, name] : categories) {
    column[id] = own.size();
    own.push_back(name);
  }
  if (own.empty()) throw Error(ErrorKind::input, "has no categories");
  // Columns are read by place below, so the three files must agree on all classes.
  if (!names.empty() && names != own) throw Error(ErrorKind::input, "has other categories than train");
  names = std::move(own);
  std::map<std::string, std::string> path_of;
  // Ids may be numbers or texts: their JSON text is a key for both.
  for (const Json& image : file.at("images")) path_of[image.at("id").dump()] = file_of(image);
  for (const Json& annotation : file.at("annotations")) {
    const std::string& path = path_of.at(annotation.at("image_id").dump());
    // A filename may have its folder in front already.
    dataset.ids.push_back(folder.empty() || path.starts_with(folder + '/') ? path : fmt::format("{}/{}", folder, path));
    columns.parts.push_back(part);
    add_annotation(annotation, column, columns);
  }
}

Dataset read_intent(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kIntent.name);
  const std::string folder = existing_folder(request, {"images", "low", "."});
  Columns columns;
  std::vector<std::string> names;
  for (const auto& [part, known] : kParts) {
    const Path path = request.root / fmt::format("intentonomy_{}2020.json", part_name(part));
    const std::size_t before = dataset.size();
    // A file can be wrong in three ways: a fault that is found here, JSON of another shape, an id that nothing has. All
    // become one kind of error with the file's name.
    try {
      read_part(read_json(path), folder == "." ? "" : folder, part, dataset, columns, names);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input || error.message().starts_with(path.string())) throw;
      throw Error(error.kind(), fmt::format("{}: {}", path.string(), error.message()), error.hint());
    } catch (const Json::exception& error) {
      throw Error(ErrorKind::input, fmt::format("{}: is not as Intentonomy has it: {}", path.string(), error.what()));
    } catch (const std::out_of_range&) {
      throw Error(ErrorKind::input, fmt::format("{}: an annotation names an unknown image or category", path.string()));
    }
    expect_count(dataset, request.log, fmt::format("{} images", part_name(part)), dataset.size() - before, known);
  }
  dataset.targets.emplace("labels", Targets::from_multi_label(std::move(columns.bits), names));
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(columns.votes), std::move(names)));
  dataset.official = Split(std::move(columns.parts), "official (released)");
  drop_missing(dataset, request.log, folder == "." ? "" : folder);
  return dataset;
}

}  // namespace

void add_intent(DatasetRegistry& registry) { registry.add(kIntent, read_intent); }

}  // namespace vise::datasets
