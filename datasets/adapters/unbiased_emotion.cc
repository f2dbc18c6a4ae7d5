// UnBiasedEmotion (Panda, Zhang, Li, Lee, Lu, Roy-Chowdhury, "Contemplating Visual Emotions", ECCV 2018).
//
// Source page: https://rpand002.github.io/emotion.html. Licence: not stated. Tree: images/<emotion>/<object>/<file>,
// the same objects in every emotion, so that the object tells nothing. Six emotions, about 3,045 images (unverified).
// No official split: papers draw a random 80/20, or use pickles of their own (some without surprise); such numbers
// don't compare. Metric: accuracy. Defects: file names recur in other folders; the folder travels under several
// spellings.
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kUnbiasedEmotion{
    .name = "emotion",
    .title = "UnBiasedEmotion (Panda et al., ECCV 2018)",
    .folders = {"UnBiasedEmotion", "UnbiasedEmotion", "UnBiasedEmo", "UnbiasedEmo", "UnbaisedEmo", "unbiased_emotion",
                "unbiasedemo", "unbiased-emotion"},
    .tree =
        "UnBiasedEmotion/\n"
        "  images/<emotion>/<object>/<file>.jpg     emotion: anger, fear, joy, love, sadness, surprise",
    .page = "https://rpand002.github.io/emotion.html",
    .licence = "not stated: ask its authors",
    .citation =
        "R. Panda, J. Zhang, H. Li, J.-Y. Lee, X. Lu, A. K. Roy-Chowdhury. Contemplating Visual Emotions: "
        "Understanding and Overcoming Dataset Bias. ECCV 2018."};

Dataset read_unbiased_emotion(const DatasetRequest& request) {
  Dataset dataset =
      read_class_tree(request, kUnbiasedEmotion.name,
                      {.classes = {"anger", "fear", "joy", "love", "sadness", "surprise"}, .second = "object"});
  expect_count(dataset, request.log, "images", dataset.size(), 3045);
  return dataset;
}

}  // namespace

void add_emotion(DatasetRegistry& registry) { registry.add(kUnbiasedEmotion, read_unbiased_emotion); }

}  // namespace vise::datasets
