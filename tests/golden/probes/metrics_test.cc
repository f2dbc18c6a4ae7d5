// Every case of the golden pack, whose values are scikit-learn's and scipy's, and of ../shared/data/golden/metrics:
// values from definitions in exact arithmetic, most of them also computed with scikit-learn 1.2.1 or scipy 1.10.1 (the
// README there). Tolerance: that README's 1e-12 * max(1, |expected|), or the case's own.
#include "probes/metrics/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "base/error.h"
#include "base/json.h"
#include "tests/shared.h"

namespace vise {
namespace {

// "nan" and infinities are strings in the file.
double as_double(const Json& value) {
  if (!value.is_string()) return value.get<double>();
  const double infinity = std::numeric_limits<double>::infinity();
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  return value == "inf" ? infinity : -infinity;
}

// A list or a list of rows, flat.
template <typename T>
std::vector<T> flat(const Json& values) {
  std::vector<T> out;
  for (const Json& value : values) {
    if (!value.is_array()) out.push_back(static_cast<T>(as_double(value)));
    for (const Json& inner : value.is_array() ? value : Json::array()) out.push_back(static_cast<T>(as_double(inner)));
  }
  return out;
}

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json optional_list(const std::vector<std::optional<double>>& values) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(optional_json(value));
  return list;
}

Json classes_case(const Json& c) {
  const std::size_t classes = c["n_classes"];
  const probes::Confusion table = probes::confusion(flat<int>(c["y_true"]), flat<int>(c["y_pred"]), classes);
  Json rows = Json::array();
  for (std::size_t t = 0; t < classes; ++t) {
    rows.push_back(Json::array());
    for (std::size_t p = 0; p < classes; ++p) rows.back().push_back(table(t, p));
  }
  const probes::ClassReport r = probes::class_report(table);
  return {{"accuracy", r.accuracy},
          {"balanced_accuracy", r.balanced_accuracy},
          {"precision_per_class", r.precision},
          {"recall_per_class", r.recall},
          {"f1_per_class", r.f1},
          {"f1_macro", r.f1_macro},
          {"f1_micro", r.f1_micro},
          {"f1_weighted", r.f1_weighted},
          {"confusion", rows},
          {"kappa", optional_json(r.kappa)}};
}

Json ranking_case(const Json& c) {
  const auto truth = flat<std::uint8_t>(c["y_true"]);
  const auto score = flat<double>(c["score"]);
  return {{"auc", optional_json(probes::auc(score, truth))},
          {"average_precision", optional_json(probes::average_precision(score, truth))}};
}

Json scores_case(const Json& c) {
  if (c.contains("score")) return ranking_case(c);
  const std::size_t classes = c["n_classes"];
  const auto truth = flat<int>(c["y_true"]);
  const bool logits = c.contains("logits");
  const auto values = flat<double>(c[logits ? "logits" : "prob"]);
  const probes::ConstView<double> z = probes::view<double>(values, classes);
  Json out;
  out["top1"] = probes::mean_of_rows(probes::top_k_hits(z, truth, 1), truth.size());  // also what refuses bad input
  out["top5"] = probes::mean_of_rows(probes::top_k_hits(z, truth, 5), truth.size());
  if (logits) out["nll"] = probes::negative_log_likelihood(z, truth);
  const probes::Matrix<double> prob = logits ? probes::softmax_rows(z) : probes::Matrix<double>(z);
  const probes::ClassReport r = probes::class_report(probes::confusion(truth, probes::argmax_rows(z), classes));
  out["balanced_accuracy"] = r.balanced_accuracy;
  out["f1_macro"] = r.f1_macro;
  out["log_loss"] = probes::mean_of_rows(probes::log_losses(prob, truth), truth.size());
  out["brier_sum"] = probes::mean_of_rows(probes::brier_terms(prob, truth), truth.size());
  out["ece15"] = probes::calibration_error(prob, truth);
  if (classes == 2) {
    const std::vector<std::uint8_t> positive(truth.begin(), truth.end());
    std::vector<double> score = probes::score_differences(z);
    for (std::size_t i = 0; i < score.size() && !logits; ++i) score[i] = prob(static_cast<Eigen::Index>(i), 1);
    out["brier"] = probes::mean_of_rows(probes::brier_scores(prob, truth), truth.size());
    out["auc"] = optional_json(probes::auc(score, positive));
    out["average_precision"] = optional_json(probes::average_precision(score, positive));
  } else {
    const probes::MeanOverClasses area = probes::auc_one_vs_rest(prob, truth);
    const probes::MeanOverClasses precision = probes::average_precision_one_vs_rest(prob, truth);
    out["auc_ovr_macro"] = optional_json(area.mean);
    out["auc_ovr_skipped"] = area.skipped;
    out["map"] = optional_json(precision.mean);
    out["map_skipped"] = precision.skipped;
  }
  return out;
}

Json labels_case(const Json& c) {
  const auto truth = flat<std::int8_t>(c["y_true"]);
  const auto scores = flat<double>(c["scores"]);
  const probes::LabelReport r = probes::label_report(probes::view<std::int8_t>(truth, c["n_classes"]),
                                                     probes::view<double>(scores, c["n_classes"]), c["threshold"]);
  return {{"map", optional_json(r.map.mean)},
          {"map_skipped", r.map.skipped},
          {"auc_macro", optional_json(r.auc.mean)},
          {"auc_skipped", r.auc.skipped},
          {"ap_per_class", optional_list(r.average_precision)},
          {"precision_per_class", r.precision},
          {"recall_per_class", r.recall},
          {"f1_per_class", r.f1},
          {"f1_macro", r.f1_macro},
          {"f1_micro", r.f1_micro},
          {"f1_samples", r.f1_samples},
          {"f1_samples_empty1", r.f1_samples_empty_right},
          {"exact_match", r.exact_match}};
}

Json distribution_case(const Json& c) {
  const Json& truth = c.contains("votes") ? c["votes"] : c["target"];
  const auto votes = flat<double>(truth), prob = flat<double>(c["prob"]);
  const probes::DistributionReport r = probes::distribution_report(probes::view<double>(votes, truth[0].size()),
                                                                   probes::view<double>(prob, truth[0].size()));
  return {{"kl", r.kl},
          {"cross_entropy", r.cross_entropy},
          {"js", r.js},
          {"vote_share", r.vote_share},
          {"accuracy_within_votes", r.accuracy_within_votes},
          {"majority_accuracy", r.majority_accuracy},
          {"vote_share_ceiling", r.vote_share_ceiling}};
}

Json regression_case(const Json& c) {
  const probes::ValueReport r = probes::value_report(flat<double>(c["y_true"]), flat<double>(c["y_pred"]));
  return {{"r2", optional_json(r.r2)},
          {"pearson", optional_json(r.pearson)},
          {"spearman", optional_json(r.spearman)},
          {"ccc", optional_json(r.ccc)},
          {"mae", r.mae},
          {"rmse", r.rmse}};
}

Json ours(const Json& c) {
  const std::string kind = c["kind"];
  if (kind == "classes") return classes_case(c);
  if (kind == "scores") return scores_case(c);
  if (kind == "multilabel") return labels_case(c);
  return kind == "distribution" ? distribution_case(c) : regression_case(c);
}

void expect_near(const Json& got, const Json& want, double tolerance, const std::string& where) {
  if (want.is_array()) {
    ASSERT_EQ(got.size(), want.size()) << where;
    for (std::size_t i = 0; i < want.size(); ++i) expect_near(got[i], want[i], tolerance, where);
  } else if (want.is_null() || got.is_null()) {
    EXPECT_EQ(got.is_null(), want.is_null()) << where << ": " << got << " for " << want;
  } else {
    EXPECT_NEAR(got.get<double>(), want.get<double>(), tolerance * std::max(1.0, std::abs(want.get<double>())))
        << where;
  }
}

// How many cases there were.
int check_all(const Path& file) {
  std::istringstream lines(read_text_file(file));
  int cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const Json c = parse_json(line, "metrics.jsonl");
    const std::string name = c["case"];
    if (c["expect"] == "error") {
      EXPECT_THROW(ours(c), Error) << name;
      continue;
    }
    const Json got = ours(c);
    for (const auto& [metric, want] : c["expect"].items()) {
      expect_near(got.at(metric), want, c.value("tol", 1e-12), name + " " + metric);
    }
  }
  return cases;
}

TEST(Metrics, EqualEveryCaseOfThePack) { EXPECT_EQ(check_all(test::golden_pack() / "metrics.jsonl"), 14); }

TEST(Metrics, EqualEveryGoldenCase) {
  VISE_NEEDS_SHARED();
  EXPECT_EQ(check_all(test::shared_dir() / "data/golden/metrics/metrics.jsonl"), 149);
}

}  // namespace
}  // namespace vise
