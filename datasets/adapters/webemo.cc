// WEBEmo (Panda et al., ECCV 2018): about 268,000 stock images (unverified) under labels of 2, 7 and 25 classes.
//
// Source page: https://rpand002.github.io/emotion.html. Licence: not stated. Its layout on disk could not be seen:
// read as class folders or a manifest metadata.csv, like any folder (folder.h), and a note says so. No official split
// is known. Metric: accuracy.
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/folder.h"

namespace vise::datasets {
namespace {

const DatasetInfo kWebemo{.name = "webemo",
                          .title = "WEBEmo (Panda et al., ECCV 2018)",
                          .folders = {"WEBEmo", "WebEmo", "webemo"},
                          .tree = "WEBEmo/\n  <class>/.../<file>.jpg     or metadata.csv with file_name,label[,split]",
                          .page = "https://rpand002.github.io/emotion.html",
                          .licence = "not stated: ask its authors",
                          .citation =
                              "R. Panda, J. Zhang, H. Li, J.-Y. Lee, X. Lu, A. K. Roy-Chowdhury. Contemplating "
                              "Visual Emotions: Understanding and Overcoming Dataset Bias. ECCV 2018."};

Dataset read_webemo(const DatasetRequest& request) {
  Dataset dataset = read_folder(request.root, request.log, {}, request.cache);
  dataset.name = kWebemo.name;
  // The note goes with every result, so that no reader takes the layout for the authors'.
  dataset.notes.push_back("WEBEmo's layout is not documented: read as class folders");
  return dataset;
}

}  // namespace

void add_webemo(DatasetRegistry& registry) { registry.add(kWebemo, read_webemo); }

}  // namespace vise::datasets
