// The program with one more data set: photos whose mood is in a text file beside each, photos/12.jpg, photos/12.txt.
#include "base/text.h"
#include "cli/program.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "datasets/tree.h"
#include "reports/report_registry.h"

namespace {

vise::datasets::Dataset read_sidecars(const vise::datasets::DatasetRequest& request) {
  vise::datasets::Dataset dataset;
  dataset.name = "sidecars";
  dataset.root = request.root;
  dataset.ids = vise::datasets::list_images(request.root, "photos").images;
  std::vector<std::string> moods;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    const vise::Path note = dataset.path(i).replace_extension(".txt");
    moods.emplace_back(vise::trim(vise::read_text_file(note)));
  }
  dataset.targets.emplace("label", vise::datasets::Targets::from_labels(moods));
  return dataset;
}

}  // namespace

int main(int argc, char** argv) {
  vise::datasets::DatasetRegistry::instance().add({.name = "sidecars",
                                                   .title = "Photos with their mood beside them",
                                                   .folders = {"sidecars"},
                                                   .tree = "sidecars/\n  photos/<name>.jpg\n  photos/<name>.txt",
                                                   .page = "nowhere: yours",
                                                   .licence = "yours",
                                                   .citation = ""},
                                                  read_sidecars);
  vise::reports::ReportRegistry::instance().add(
      {.file = "winner.txt", .write = [](const vise::reports::Report& report) {
         return report.table.sections.front().rows.front().backbone + "\n";
       }});
  return vise::cli::main(argc, argv);
}
