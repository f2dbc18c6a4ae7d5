// The statistics of the golden pack (scipy and exact fractions) and of ../shared (statsmodels, scipy and exact
// fractions). Tolerances are those of their README: 1e-9 relative or 1e-14 absolute; p-values below 1e-250 to 1e-6
// relative.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/delong.h"
#include "reports/statistics/detectable.h"
#include "reports/statistics/holm.h"
#include "reports/statistics/intervals.h"
#include "reports/statistics/mcnemar.h"
#include "reports/statistics/paired_t.h"
#include "tests/shared.h"
#include "tests/weighted.h"

namespace vise {
namespace {

void expect_near(std::optional<double> got, const Json& expected, const char* what) {
  SCOPED_TRACE(what);
  ASSERT_EQ(got.has_value(), !expected.is_null());
  if (!got) return;
  const double value = expected.get<double>(), relative = std::fabs(value) < 1e-250 ? 1e-6 : 1e-9;
  EXPECT_LE(std::fabs(*got - value), std::max(relative * std::fabs(value), 1e-14 * (value > 1e-14)))
      << *got << " " << value;
}

// 1e-14 absolute everywhere but for p-values.
void expect_close(double got, double expected, const char* what) {
  EXPECT_LE(std::fabs(got - expected), std::max(1e-9 * std::fabs(expected), 1e-14))
      << what << " " << got << " " << expected;
}

void expect_interval(const std::optional<reports::Interval>& got, const Json& expected, const char* what) {
  ASSERT_EQ(got.has_value(), !expected.is_null()) << what;
  if (!got) return;
  expect_close(got->low, expected[0].get<double>(), what);
  expect_close(got->high, expected[1].get<double>(), what);
}

void check_mcnemar(const Json& c) {
  reports::McNemar got;
  if (c.contains("b")) {
    got = reports::mcnemar(c["b"].get<std::uint64_t>(), c["c"].get<std::uint64_t>());
  } else {
    std::vector<std::uint8_t> right_a, right_b;
    for (std::size_t i = 0; i < c["y_true"].size(); ++i) {
      right_a.push_back(c["y_true"][i] == c["pred_a"][i]);
      right_b.push_back(c["y_true"][i] == c["pred_b"][i]);
    }
    got = reports::mcnemar(right_a, right_b);
    EXPECT_EQ(got.b, c["expect"]["b"].get<std::uint64_t>());
    EXPECT_EQ(got.c, c["expect"]["c"].get<std::uint64_t>());
  }
  expect_near(got.p_exact, c["expect"]["p_exact"], "p_exact");
  expect_near(got.p_mid, c["expect"]["p_mid"], "p_mid");
  expect_near(got.chi2_continuity, c["expect"]["chi2_continuity"], "chi2");
  expect_near(got.p_chi2_continuity, c["expect"]["p_chi2_continuity"], "p_chi2");
}

void check_interval(const Json& c) {
  const auto k = c["k"].get<std::uint64_t>(), n = c["n"].get<std::uint64_t>();
  const double level = c["level"].get<double>();
  expect_interval(reports::wilson_interval(k, n, level), c["expect"]["wilson"], "wilson");
  expect_interval(reports::clopper_pearson_interval(k, n, level), c["expect"]["clopper_pearson"], "clopper_pearson");
}

void check_holm(const Json& c) {
  std::vector<std::optional<double>> p;
  for (const Json& v : c["p"]) p.push_back(v.is_null() ? std::nullopt : std::optional(v.get<double>()));
  const auto got = reports::holm(p);
  ASSERT_EQ(got.size(), c["expect"]["adjusted"].size());
  for (std::size_t i = 0; i < got.size(); ++i) expect_near(got[i], c["expect"]["adjusted"][i], "adjusted");
}

probes::WeightedMetrics predictions(const std::vector<int>& y, const Json& values, const std::string& metric,
                                    std::size_t classes) {
  if (metric == "auc") return test::scored(y, values.get<std::vector<double>>(), classes);
  return test::decided(y, values.get<std::vector<int>>(), classes);
}

std::string_view our_name(const std::string& metric) {
  return metric == "auc" || metric == "f1_macro" ? std::string_view(metric) : "accuracy";
}

double evaluate(const probes::WeightedMetrics& model, std::string_view metric, std::span<const std::uint16_t> counts) {
  double value = 0;
  model.evaluate({&metric, 1}, counts, {&value, 1});
  return value;
}

void check_paired_bootstrap(const Json& c) {
  const auto y = c["y_true"].get<std::vector<int>>();
  const auto classes = c["n_classes"].get<std::size_t>();
  const std::string metric = c["metric"].get<std::string>();
  const auto a = predictions(y, c["a"], metric, classes), b = predictions(y, c["b"], metric, classes);
  const std::string_view name = our_name(metric);
  std::vector<double> deltas;
  std::size_t dropped = 0;
  for (const Json& row : c["indices"]) {
    std::vector<std::uint16_t> counts(y.size());
    for (const Json& i : row) ++counts[i.get<std::size_t>()];
    const double delta = evaluate(a, name, counts) - evaluate(b, name, counts);
    std::isnan(delta) ? void(++dropped) : deltas.push_back(delta);
  }
  const Json& e = c["expect"];
  EXPECT_EQ(dropped, e["dropped"].get<std::size_t>());
  expect_close(evaluate(a, name, {}) - evaluate(b, name, {}), e["delta"].get<double>(), "delta");
  ASSERT_EQ(deltas.size(), e["deltas"].size());
  for (std::size_t i = 0; i < deltas.size(); ++i) expect_close(deltas[i], e["deltas"][i].get<double>(), "deltas");
  const reports::PairedBootstrap got = reports::paired_bootstrap(deltas, c["level"].get<double>());
  EXPECT_EQ(got.le, e["le"].get<std::size_t>());
  EXPECT_EQ(got.ge, e["ge"].get<std::size_t>());
  expect_near(got.p, e["p"], "p");
  expect_interval(got.interval, e["interval"], "interval");
}

std::vector<int> right_and_wrong(const Json& text) {
  std::vector<int> predicted;
  for (const char ch : text.get<std::string>()) predicted.push_back(ch == '1');
  return predicted;
}

void check_paired_bootstrap_large(const Json& c) {
  const auto right_a = right_and_wrong(c["right_a"]), right_b = right_and_wrong(c["right_b"]);
  const std::vector<int> y(right_a.size(), 1);
  const auto a = test::decided(y, right_a, 2), b = test::decided(y, right_b, 2);
  const reports::Resampler resampler(y, "test/large", 0);
  std::vector<std::uint16_t> counts(probes::kLanes * y.size());
  std::vector<double> of_a(probes::kLanes), of_b(probes::kLanes);
  const std::string_view metric = "accuracy";
  std::vector<double> deltas;
  const auto wanted = c["resamples"].get<std::size_t>();
  for (std::size_t block = 0; deltas.size() < wanted; ++block) {
    resampler.block(block, counts);
    a.evaluate({&metric, 1}, counts, of_a);
    b.evaluate({&metric, 1}, counts, of_b);
    for (std::size_t r = 0; r < probes::kLanes && deltas.size() < wanted; ++r) deltas.push_back(of_a[r] - of_b[r]);
  }
  const reports::PairedBootstrap got = reports::paired_bootstrap(deltas, c["level"].get<double>());
  const Json& e = c["expect"];
  EXPECT_NEAR(*got.p, e["p"].get<double>(), e["p_tolerance"].get<double>());
  EXPECT_GE(got.interval->low, e["lower_band"][0].get<double>() - 1e-12);
  EXPECT_LE(got.interval->low, e["lower_band"][1].get<double>() + 1e-12);
  EXPECT_GE(got.interval->high, e["upper_band"][0].get<double>() - 1e-12);
  EXPECT_LE(got.interval->high, e["upper_band"][1].get<double>() + 1e-12);
}

void check_stratified_bootstrap(const Json& c) {
  const auto y = c["y_true"].get<std::vector<int>>();
  const auto classes = c["n_classes"].get<std::size_t>();
  const std::string metric = c["metric"].get<std::string>();
  const auto model = predictions(y, c["pred"], metric, classes);
  std::vector<double> values;
  for (const Json& pick : c["picks"]) {
    std::vector<std::uint16_t> counts(y.size());
    for (std::size_t k = 0; k < classes; ++k) {
      std::vector<std::size_t> own;
      for (std::size_t i = 0; i < y.size(); ++i)
        if (y[i] == static_cast<int>(k)) own.push_back(i);
      for (const Json& place : pick[k]) ++counts[own[place.get<std::size_t>()]];
    }
    values.push_back(evaluate(model, our_name(metric), counts));
  }
  const Json& e = c["expect"];
  expect_close(evaluate(model, our_name(metric), {}), e["value"].get<double>(), "value");
  for (std::size_t i = 0; i < values.size(); ++i) expect_close(values[i], e["values"][i].get<double>(), "values");
  expect_interval(reports::percentile_interval(values, c["level"].get<double>()), e["interval"], "interval");
}

void check_delong(const Json& c) {
  const reports::DeLong got = reports::delong(c["y_true"].get<std::vector<int>>(), c["a"].get<std::vector<double>>(),
                                              c["b"].get<std::vector<double>>());
  const Json& e = c["expect"];
  expect_near(got.auc_a, e["auc_a"], "auc_a");
  expect_near(got.auc_b, e["auc_b"], "auc_b");
  const std::pair<const char*, std::optional<double>> moments[] = {
      {"var_a", got.var_a}, {"var_b", got.var_b}, {"cov", got.cov}, {"z", got.z}};
  for (const auto& [name, value] : moments) {
    ASSERT_EQ(value.has_value(), !e[name].is_null()) << name;
    if (value) expect_close(*value, e[name].get<double>(), name);
  }
  expect_near(got.p, e["p"], "p");
}

void check_paired_t(const Json& c) {
  const reports::PairedT got =
      reports::paired_t(c["a"].get<std::vector<double>>(), c["b"].get<std::vector<double>>(), c["level"].get<double>());
  const Json& e = c["expect"];
  expect_close(got.mean_difference, e["mean_difference"].get<double>(), "mean");
  EXPECT_EQ(got.df, e["df"].get<std::int64_t>());
  expect_near(got.t, e["t"], "t");
  expect_near(got.p, e["p"], "p");
  expect_interval(got.interval, e["interval"], "interval");
}

void check_detectable(const Json& c) {
  expect_near(reports::detectable_difference(c["n"].get<std::uint64_t>(), c["discordant_rate"].get<double>(),
                                             c["alpha"].get<double>(), c["power"].get<double>()),
              c["expect"]["difference"], "difference");
}

// How many cases there were.
int check_all(const Path& path) {
  const std::map<std::string, void (*)(const Json&)> checks{{"mcnemar", check_mcnemar},
                                                            {"interval", check_interval},
                                                            {"holm", check_holm},
                                                            {"paired_bootstrap", check_paired_bootstrap},
                                                            {"paired_bootstrap_large", check_paired_bootstrap_large},
                                                            {"stratified_bootstrap", check_stratified_bootstrap},
                                                            {"delong", check_delong},
                                                            {"paired_t", check_paired_t},
                                                            {"detectable", check_detectable}};
  int cases = 0;
  for (const std::string& line : split(read_text_file(path), '\n')) {
    if (line.empty()) continue;
    const Json c = parse_json(line, path.string());
    SCOPED_TRACE(c["case"].get<std::string>());
    checks.at(c["kind"].get<std::string>())(c);
    ++cases;
  }
  return cases;
}

TEST(GoldenStatistics, CasesOfThePackAgree) { EXPECT_EQ(check_all(test::golden_pack() / "statistics.jsonl"), 20); }

TEST(GoldenStatistics, AllCasesAgree) {
  VISE_NEEDS_SHARED();
  EXPECT_EQ(check_all(test::shared_dir() / "data/golden/statistics/statistics.jsonl"), 87);
}

}  // namespace
}  // namespace vise
