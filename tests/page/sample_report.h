// A report with everything the page can show, and names that try to break it.
#pragma once

#include <fmt/format.h>

#include "reports/compare.h"
#include "reports/report.h"
#include "tests/unit/reports/samples.h"

namespace vise::test {

inline constexpr const char* kHostileClass = "</script><script>document.title='broken'</script>";

inline experiments::Result detailed(experiments::Result r, std::size_t number) {
  r.selection.curve.clear();
  for (int e = -6; e <= 4; ++e) {
    const double off = e + 1.0 - static_cast<double>(number % 3);
    r.selection.curve.push_back(
        {{{"C", std::pow(10.0, e)}}, 0.72 + 0.02 * static_cast<double>(number) - 0.004 * off * off});
  }
  r.seconds = {{"decode", 2.0 + static_cast<double>(number)}, {"forward", 9.0}, {"fit", 0.8}};
  r.features = {
      {"architecture", r.cell.backbone}, {"weights_sha256", "0676ba61b6795bbe"}, {"transform", "resize 256, crop 224"}};
  r.probe_settings = {{"name", r.cell.probe}, {"solver", "liblinear"}};
  r.notes = {"faces made by a network; not a result about people"};
  return r;
}

inline reports::Report sample_report(const Path& run, int resamples = 2000) {
  std::vector<experiments::Result> results;
  std::size_t number = 0;
  for (const char* probe : {"logreg", "knn"})
    for (const auto& [backbone, skill] :
         {std::pair{"resnet18", 0.62}, std::pair{"vise-250m", 0.8}, std::pair{"imagenet-v1", 0.66}})
      results.push_back(
          detailed(simulated_result(run, backbone, skill - (probe[0] == 'k' ? 0.05 : 0), 240, 0, probe), number++));
  results.push_back(failed_result("<b>big</b> & \"co\"", "out of memory at layer <4>"));
  results.back().notes = {"faces made by a network; not a result about people"};
  for (experiments::Result& r : results) r.class_names = {"high", kHostileClass};
  for (const int shots : {1, 4, 16})
    for (const auto& [backbone, skill] : {std::pair{"resnet18", 0.55}, std::pair{"vise-250m", 0.62}}) {
      experiments::Result r =
          detailed(simulated_result(run, backbone, skill + 0.004 * shots, 120, static_cast<std::uint64_t>(100 + shots)),
                   number++);
      r.cell.task = "omi300/trust";
      r.cell.shots = shots;
      r.sizes.train = 2 * static_cast<std::size_t>(shots);
      r.cell.seed = 0;
      results.push_back(r);
    }
  Silent log;
  reports::CompareOptions options{.baseline = "resnet18"};
  options.resamples = resamples;
  return reports::make_report({{run, std::move(results)}}, options, Context{log, {}, 1});
}

// Six tasks, two backbones of three layers, three samples of train: all that a verdict draws.
inline reports::Report study_report(const Path& run) {
  std::vector<experiments::Result> results;
  std::size_t number = 0;
  for (int task = 0; task < 6; ++task)
    for (const int shots : {0, 4, 16})
      for (int b = 0; b < 2; ++b)
        for (const char* layer : {"layer2", "layer3", "final"}) {
          const double depth = layer[0] == 'f' ? 2 : layer[5] - '2';
          const double skill = 0.52 + 0.1 * b + 0.05 * depth + (shots == 0 ? 0.08 : 0.004 * shots);
          experiments::Result r =
              detailed(simulated_result(run, b == 0 ? "imagenet-v1" : "vise-250m", skill, 60, number), number);
          r.key += fmt::format("-{}", number++);
          r.cell.task = fmt::format("study/task-{}", task);
          r.cell.layer = layer;
          r.cell.shots = shots;
          r.cell.seed = 0;
          if (shots > 0) r.sizes.train = 2 * static_cast<std::size_t>(shots), r.sizes.val = 0;
          results.push_back(r);
        }
  Silent log;
  reports::CompareOptions options{.baseline = "imagenet-v1"};
  options.resamples = 200;
  return reports::make_report({{run, std::move(results)}}, options, Context{log, {}, 2});
}

// 20 tasks x 10 backbones x 3 probes x 5 samples of train: what a study comes to.
inline reports::Report large_report(const Path& run) {
  std::vector<experiments::Result> results;
  std::size_t number = 0;
  for (int task = 0; task < 20; ++task)
    for (const int shots : {0, 1, 4, 16, 64})
      for (const char* probe : {"logreg", "knn", "ridge"})
        for (int b = 0; b < 10; ++b) {
          const double skill = 0.5 + 0.02 * b + 0.002 * std::min(shots == 0 ? 100 : shots, 100);
          experiments::Result r =
              detailed(simulated_result(run, fmt::format("backbone-{}", b), skill, 40, number, probe), number);
          r.key += fmt::format("-{}", number++);
          r.cell.task = fmt::format("study/task-{}", task);
          r.cell.shots = shots;
          r.cell.seed = 0;
          results.push_back(r);
        }
  Silent log;
  reports::CompareOptions options{.baseline = "backbone-0"};
  options.resamples = 200;
  return reports::make_report({{run, std::move(results)}}, options, Context{log, {}, 2});
}

}  // namespace vise::test
