// bench_report: seconds for (1) 100,000 results read, and read and made into a Markdown table, each with what tables
// print alone (as `report` reads them without --out) and with everything, (2) a report of 100 results with 1000 test
// images and 10,000 resamples, (3) its page. Each is run five times; the median is printed with
// the least, and the median of processor time, which a busy machine changes less.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "base/threads.h"
#include "experiments/results_file.h"
#include "reports/compare.h"
#include "reports/report.h"
#include "reports/writers.h"
#include "tests/shared.h"
#include "tests/unit/reports/samples.h"

namespace vise {
namespace {

void measure(const std::string& what, const std::function<void()>& work) {
  std::vector<double> seconds, processor;
  for (int run = 0; run < 5; ++run) {
    const Stopwatch watch;
    const std::clock_t begin = std::clock();
    work();
    processor.push_back(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    seconds.push_back(watch.seconds());
  }
  std::ranges::sort(seconds);
  std::ranges::sort(processor);
  fmt::print("{:<64} {:.3f} s (least {:.3f}), processor {:.3f} s\n", what, seconds[2], seconds[0], processor[2]);
}

Json features_of(std::size_t backbone) {
  return {{"weights", fmt::format("{:064x}", backbone)},
          {"architecture", "resnet50"},
          {"transform", "resize 256, crop 224"},
          {"pool", "avg"}};
}

// As a run writes them: 25 candidates, settings and features in words.
Path write_many(const Path& folder, std::size_t count) {
  experiments::Result r = test::sample_result("", 0.5);
  r.selection.curve.clear();
  for (int c = 0; c < 25; ++c) r.selection.curve.push_back({{{"C", 1.0 / (c + 3)}}, 0.7 + c / 333.0});
  r.probe_settings = {{"name", "logreg"}, {"solver", "liblinear"}, {"grid", "1e-6:1e6:25"}, {"bias", 1}};
  r.features = features_of(0);
  r.seconds = {{"decode", 1.5}, {"forward", 3.25}, {"fit", 0.5}};
  experiments::append_result(folder / "results.jsonl", r);
  std::ofstream file(folder / "results.jsonl", std::ios::app);
  for (std::size_t i = 1; i < count; ++i) {
    r.cell.backbone = fmt::format("backbone-{}", i % 100);
    r.features = features_of(i % 100);
    r.cell.task = fmt::format("task-{}", i / 100 % 20);
    r.cell.probe = fmt::format("probe-{}", i / 2000 % 10);
    r.cell.seed = i / 20000;
    r.key = fmt::format("{:016x}", i);
    r.metrics["accuracy"] = 0.5 + static_cast<double>(i % 1000) / 3000;
    file << experiments::to_json(r).dump() << "\n";
  }
  return folder / "results.jsonl";
}

void run() {
  const test::ScratchDir dir;
  const Path many = write_many(dir / "many", 100'000);
  fmt::print("results.jsonl: {} bytes\n", std::filesystem::file_size(many));
  for (const auto& [detail, words] :
       {std::pair(experiments::ResultDetail::table, "100,000 results, what tables print"),
        std::pair(experiments::ResultDetail::everything, "100,000 results, everything")}) {
    measure(fmt::format("{}: read", words), [&, wanted = detail] { experiments::read_results(many, wanted); });
    measure(fmt::format("{}: read, compare, Markdown", words), [&, wanted = detail] {
      reports::to_markdown(reports::compare(experiments::read_results(many, wanted), {}));
    });
  }

  std::vector<experiments::Result> results;
  for (int i = 0; i < 100; ++i)
    results.push_back(test::simulated_result(dir.path(), fmt::format("b{}", i), 0.6 + 0.002 * i, 1000));
  Silent log;
  const Context context{log, {}, available_cores()};
  reports::Report report;
  measure("100 results, 1000 images, 10,000 resamples", [&] {
    report = reports::make_report({{dir.path(), results}}, {}, context);
  });
  measure("its page, every backbone as baseline", [&] { reports::to_html(report); });
  fmt::print("report.html: {} bytes\n", reports::to_html(report).size());
}

}  // namespace
}  // namespace vise

int main() { vise::run(); }
