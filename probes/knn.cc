// Probe `knn`: the nearest neighbours by cosine, weighted by exp(similarity / T).
//
// As DINOv2's evaluation has it (facebookresearch/dinov2, eval/knn.py): features divided by their norm, weights a
// softmax of similarity / T over the largest k's neighbours, a class's vote the sum of its weights among the first k.
// Scores are logarithms of votes, so that a softmax of them gives the votes' shares. Values: the weighted mean of the
// neighbours'.
#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/threads.h"
#include "probes/builtin.h"
#include "probes/evaluate.h"
#include "probes/matrix.h"
#include "probes/options.h"
#include "probes/selection.h"

namespace vise::probes {
namespace {

// A class without a vote has the score log(1e-12) and not minus infinity, so that scores stay finite.
constexpr double kNoVote = 1e-12;

// The rows divided by their norms; a row of zeros stays one.
Matrix<float> unit_rows(std::span<const float* const> rows, std::size_t dim) {
  Matrix<float> out(rows.size(), dim);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto x = feature_row(rows[i], dim).cast<double>();
    const double sum = x.squaredNorm();
    out.row(i) = (x * (sum > 0 ? 1 / std::sqrt(sum) : 0)).cast<float>();
  }
  return out;
}

struct Neighbour {
  float similarity;
  std::uint32_t row;
};

// The largest `count` similarities, falling; equal ones by row.
std::vector<Neighbour> nearest(std::span<const float> similarities, std::size_t count) {
  std::vector<Neighbour> all(similarities.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = {similarities[i], i};
  const auto before = [](const Neighbour& a, const Neighbour& b) {
    // Duplicates of an image have equal similarities; without the second rule their
    // order would be the sort's.
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
  };
  count = std::min(count, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(), before);
  all.resize(count);
  return all;
}

// Sums of weights by class, label (of what is known) or value, as scores.
std::vector<double> vote(const datasets::Targets& targets, std::span<const Neighbour> neighbours,
                         std::span<const double> weights) {
  const std::size_t width = targets.width();
  std::vector<double> sums(width), known(width);
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    const std::size_t row = neighbours[i].row;
    for (std::size_t k = 0; k < width; ++k) {
      double y = 0;
      if (targets.kind() == datasets::TargetKind::classes)
        y = targets.classes()[row] == static_cast<int>(k);
      else if (targets.kind() == datasets::TargetKind::multi_label)
        y = targets.multi_label()[row * width + k];
      else
        y = targets.rows()[row * width + k];
      if (targets.kind() == datasets::TargetKind::distribution) {
        const auto votes = targets.rows().subspan(row * width, width);
        y /= std::accumulate(votes.begin(), votes.end(), 0.0);
      }
      // Weights are counted label by label: a neighbour whose label is unknown has no vote on it.
      if (targets.kind() == datasets::TargetKind::multi_label && y < 0) continue;
      sums[k] += weights[i] * y;
      known[k] += weights[i];
    }
  }
  for (std::size_t k = 0; k < width; ++k) {
    if (targets.kind() == datasets::TargetKind::values)
      sums[k] /= known[k];
    else if (targets.kind() == datasets::TargetKind::multi_label)
      sums[k] = std::log(std::max(sums[k], kNoVote)) - std::log(std::max(known[k] - sums[k], kNoVote));
    else
      sums[k] = std::log(std::max(sums[k], kNoVote));
  }
  return sums;
}

// The rows it knows, divided by their norms once.
class KnnModel final : public ProbeModel {
 public:
  KnnModel(std::vector<const float*> rows, std::size_t dim, datasets::Targets targets, std::size_t k,
           std::size_t largest, double t)
      : dim_(dim),
        known_(unit_rows(rows, dim)),
        targets_(std::move(targets)),
        k_(k),
        largest_(largest),
        temperature_(t) {}

  Scores predict(const FeatureRows& rows) const override { return std::move(predict_many(rows, std::vector{k_})[0]); }

  // One Scores for each k.
  // All values of k come from one sort of the similarities: a smaller k is a shorter prefix.
  std::vector<Scores> predict_many(const FeatureRows& rows, const std::vector<std::size_t>& ks) const {
    constexpr std::size_t kBlock = 64;
    const std::size_t n = targets_.size();
    std::vector<Scores> out(ks.size(), Scores{rows.size(), targets_.width(), {}});
    Matrix<float> similarities(kBlock, n);
    for (std::size_t begin = 0; begin < rows.size(); begin += kBlock) {
      const std::size_t count = std::min(kBlock, rows.size() - begin);
      std::vector<const float*> pointers;
      for (std::size_t i = 0; i < count; ++i) pointers.push_back(rows.row(begin + i));
      // 64 rows at a time: one product with all known rows is read once from memory for each
      // block, and the block's similarities stay small.
      similarities.topRows(count).noalias() = unit_rows(pointers, dim_) * known_.transpose();
      for (std::size_t i = 0; i < count; ++i) add_row({&similarities(i, 0), n}, ks, out);
    }
    return out;
  }

 private:
  // Appends the scores of one asked row for each k.
  void add_row(std::span<const float> similarities, const std::vector<std::size_t>& ks,
               std::vector<Scores>& out) const {
    const std::vector<Neighbour> near =
        // Weights are normalised over the `largest` neighbours whatever k is: so has DINOv2, where a smaller k is a
        // truncated sum.
        nearest(similarities, std::max(largest_, *std::max_element(ks.begin(), ks.end())));
    std::vector<double> weights;
    double sum = 0;
    for (const Neighbour& neighbour : near) {
      // Less the nearest's similarity, which changes no share: exp(1 / 0.07) is 1.6 million,
      // and a smaller temperature would overflow.
      weights.push_back(std::exp((static_cast<double>(neighbour.similarity) - static_cast<double>(near[0].similarity)) /
                                 temperature_));
      sum += weights.back();
    }
    for (double& w : weights) w /= sum;
    for (std::size_t i = 0; i < ks.size(); ++i) {
      const std::size_t k = std::min(ks[i], near.size());
      const std::vector<double> scores = vote(targets_, std::span(near).first(k), std::span(weights).first(k));
      out[i].values.insert(out[i].values.end(), scores.begin(), scores.end());
    }
  }

  std::size_t dim_;
  Matrix<float> known_;
  datasets::Targets targets_;
  std::size_t k_, largest_;
  double temperature_;
};

class Knn final : public Probe {
 public:
  explicit Knn(const ProbeOptions& given) {
    const OptionReader options("knn", given,
                               {{"dinov2-knn", {{"k", "20"}, {"temperature", "0.07"}, {"largest", "200"}}}});
    ks_ = parse_grid(options.text("k", "10,20,100,200"));
    for (const double k : ks_) {
      if (k != std::floor(k)) throw Error(ErrorKind::usage, "probe knn: k must be whole numbers");
    }
    std::reverse(ks_.begin(), ks_.end());  // many neighbours are the stronger regularisation
    temperature_ = options.number("temperature", 0.07, 1e-4, 1e4);
    largest_ = static_cast<std::size_t>(options.integer("largest", static_cast<std::int64_t>(ks_[0]), 1, 1 << 24));
    treatment_ = options.text("treatment", "none");
    Treatment::parse(treatment_);
    metric_ = options.text("metric", "");
    preset_ = options.preset();
  }

  // Nothing is fitted: candidates are scored on held-out rows, and the model is the rows themselves.
  Fitted fit(const TrainView& train, const ValView* val, const Context& context) const override {
    openblas_set_num_threads(1);
    const Pool pool = make_pool(train, val, Treatment::parse(treatment_));
    const std::vector<double> grid = possible_ks(pool);
    Selector selector(pool, metric_.empty() ? selection_metric(pool.targets.kind()) : metric_,
                      candidates_of("k", grid));
    std::vector<std::size_t> ks;
    for (const double k : grid) ks.push_back(static_cast<std::size_t>(k));
    std::vector<Scores> held_out;
    for (std::size_t r = 0; selector.needed() && r < pool.folds.size(); ++r) {
      context.throw_if_stopped();
      const KnnModel model(pool.rows_of(pool.folds[r].fit), pool.dim, pool.targets.select(pool.folds[r].fit), ks[0],
                           largest_, temperature_);
      const std::vector<const float*> asked = pool.rows_of(pool.folds[r].score);
      held_out = model.predict_many(FeatureRows(asked, pool.dim), ks);
      for (std::size_t i = 0; i < ks.size(); ++i) selector.record(i, r, held_out[i]);
    }
    // Where nothing can be chosen the smallest k is taken, the last of the grid.
    const std::size_t chosen = selector.best(ks.size() - 1);
    Fitted fitted;
    fitted.model =
        treated_model(std::make_unique<KnnModel>(pool.rows, pool.dim, pool.targets, ks[chosen], largest_, temperature_),
                      pool.treatment);
    fitted.selection = selector.selection(chosen);
    fitted.convergence = {"nothing to minimise", 0, 0, 0, true};
    if (pool.has_val && selector.needed()) {
      fitted.calibration = calibrate(held_out[chosen], pool.targets.select(pool.folds[0].score), pool.selected_on);
      fitted.val_scores = std::move(held_out[chosen]);
    }
    return fitted;
  }

  Json describe() const override {
    Json json{{"probe", "knn"},
              {"k", ks_},
              {"temperature", temperature_},
              {"largest", largest_},
              {"treatment", treatment_},
              {"rule", "cosine; softmax of similarity / T over the largest k, summed over the first k"}};
    if (!metric_.empty()) json["metric"] = metric_;
    if (!preset_.empty()) json["preset"] = preset_;
    return json;
  }

 private:
  // No more neighbours than every fit has rows: beyond that a k is the largest one by another name.
  std::vector<double> possible_ks(const Pool& pool) const {
    std::size_t rows = pool.rows.size();
    for (const auto& fold : pool.folds) rows = std::min(rows, fold.fit.size());
    std::vector<double> possible;
    for (const double k : ks_)
      if (k <= static_cast<double>(rows)) possible.push_back(k);
    if (possible.empty()) possible.push_back(static_cast<double>(rows));
    return possible;
  }

  std::vector<double> ks_;
  double temperature_ = 0.07;
  std::size_t largest_ = 0;
  std::string treatment_, metric_, preset_;
};

}  // namespace

void register_knn(ProbeRegistry& registry) {
  registry.add({"knn",
                "nearest neighbours by cosine",
                {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::distribution,
                 datasets::TargetKind::values},
                {"preset", "k", "temperature", "largest", "treatment", "metric"}},
               [](const ProbeOptions& options) { return std::make_unique<Knn>(options); });
}

}  // namespace vise::probes
