// Class activation maps (Zhou et al., CVPR 2016): where in an image a class has its evidence.
//
//   const ClassMap map = class_map(image_map.values, 7, 7, weights, k);
//   map.score;                                        // the mean over the map: the class's logit less the classes'
//   mean
//
// A linear probe on average-pooled features makes them exact: the weights applied at every position of the last feature
// map, less the mean over classes (which the softmax doesn't see), give numbers whose mean, with the intercept, is the
// class's score for the image.
#pragma once

#include <span>
#include <vector>

#include "experiments/weights_file.h"

namespace vise::reports {

struct ClassMap {
  int height = 0, width = 0;
  std::vector<float> values;  // height x width: evidence for the class where positive, against it where negative
  double score = 0;           // the class's logit less the mean over classes
};

// `features`: height x width x weights.dim, channels innermost: the image's last feature map (the size is asserted).
ClassMap class_map(std::span<const float> features, int height, int width, const experiments::LinearWeights& weights,
                   std::size_t k);

// The largest value for or against the class: what a map is scaled by where it is drawn.
float strongest_place(const ClassMap& map);

// The same score of one row of saved scores.
double centred_score(std::span<const double> scores, std::size_t k);

}  // namespace vise::reports
