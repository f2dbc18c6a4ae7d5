// Emotion-6 (Panda et al., ECCV 2018); not Emotion6 (emotion6.cc), with which its name is confused in public code.
//
// Source page: https://rpand002.github.io/emotion.html. Licence: not stated. Tree: images/<emotion>/<v2>/<v3>/<file>;
// the first folder is the label: anger fear joy love sadness surprise (love, and no disgust). About 8,350 images
// (unverified). No official split; a public script announces 20 % test and takes 5 %. Metric: accuracy.
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kEmotion6Panda{
    .name = "emotion-6-panda",
    .title = "Emotion-6 (Panda et al., ECCV 2018)",
    .folders = {"Emotion-6", "emotion-6", "emotion-6-panda"},
    .tree =
        "Emotion-6/\n  images/<emotion>/.../<file>.jpg     emotion: anger, fear, joy, love, sadness, "
        "surprise",
    .page = "https://rpand002.github.io/emotion.html",
    .licence = "not stated: ask its authors",
    .citation =
        "R. Panda, J. Zhang, H. Li, J.-Y. Lee, X. Lu, A. K. Roy-Chowdhury. Contemplating "
        "Visual Emotions: Understanding and Overcoming Dataset Bias. ECCV 2018."};

Dataset read_emotion_6_panda(const DatasetRequest& request) {
  Dataset dataset = read_class_tree(request, kEmotion6Panda.name,
                                    {.classes = {"anger", "fear", "joy", "love", "sadness", "surprise"}});
  expect_count(dataset, request.log, "images", dataset.size(), 8350);
  return dataset;
}

}  // namespace

void add_emotion_6_panda(DatasetRegistry& registry) { registry.add(kEmotion6Panda, read_emotion_6_panda); }

}  // namespace vise::datasets
