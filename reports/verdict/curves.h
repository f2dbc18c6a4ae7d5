// Curves over samples of train, and how many labels a backbone needs; curves over layers.
#pragma once

#include <span>
#include <vector>

#include "reports/verdict/comparison.h"

namespace vise::reports {

// A curve for each task, probe and backbone with two samples of train or more; where several tasks have the same
// samples and metric also their mean (task ""), whose ratio is the geometric mean. Bands are the table's intervals, the
// mean's of images and runs. A ratio's interval: percentiles over resamples of images and runs, the same for all
// samples.
std::vector<LabelCurve> label_curves(const Sources& sources, std::size_t resamples, double level);

// The fewest labels with which a curve reaches `level`: linear in their logarithm along its isotonic fit (pool adjacent
// violators), higher being better. The first number where that suffices; the last where none does.
double labels_needed(std::span<const double> labels, std::span<const double> values, double level);

// A curve for each task, probe and backbone with three taps or more, of all of train; and, where several tasks have the
// same taps and metric, their mean.
std::vector<LayerCurve> layer_curves(const Sources& sources, double level);

}  // namespace vise::reports
