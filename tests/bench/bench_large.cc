// bench_large FOLDER ROWS [--grid G] [--C C] [--threads T] [--sklearn] [--keep]
//
// Logistic regression on ROWS x 2,048 features of 8 overlapping classes, read from a mapped file that is drawn first
// (8 KiB a row; removed afterwards unless --keep). With --grid (default: 13 values, 1e-6 to 1e6) every fifth row is val
// and chooses; with --C all rows are fitted once. Prints seconds, the process's peak memory and its share of the
// feature matrix, which counts the mapped file's pages; --sklearn adds the time of one fit of scikit-learn's at the
// chosen C on the same rows of train.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "base/error.h"
#include "base/npy.h"
#include "base/random.h"
#include "base/text.h"
#include "base/threads.h"
#include "probes/builtin.h"
#include "probes/probe.h"

namespace vise {
namespace {

constexpr std::size_t kDim = 2048, kClasses = 8, kFactors = 16;

struct Options {
  Path folder;
  std::size_t rows = 0;
  std::string grid, c;
  int threads = 1;
  bool sklearn = false, keep = false;
};

// Nearly normal, of variance 1, from four 16-bit numbers: a billion of them are wanted.
float noise(RandomStream& random) {
  const std::uint64_t bits = random.next();
  const auto sum = static_cast<float>((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
  return (sum / 65536.0f - 2.0f) * 1.7320508f;
}

// max(0, class mean + shared factors + noise) in blocks of rows, each from a stream of its own.
void draw_features(const Path& file, std::size_t rows, const std::vector<int>& labels, int threads) {
  RandomStream random("bench/large", 0);
  std::vector<float> means(kClasses * kDim), factors(kFactors * kDim);
  for (float& v : means) v = 0.03f * noise(random);
  for (float& v : factors) v = 0.3f * noise(random);
  AtomicFile out(file);
  out.write(npy_header("f4", std::vector<std::uint64_t>{rows, kDim}));
  constexpr std::size_t kBlock = 4096;
  std::vector<float> block(kBlock * kDim);
  for (std::size_t begin = 0; begin < rows; begin += kBlock) {
    const std::size_t count = std::min(kBlock, rows - begin);
    parallel_for(threads, count, [&](std::size_t i) {
      RandomStream own("bench/large/row", begin + i);
      float* const row = &block[i * kDim];
      const float* const mean = &means[static_cast<std::size_t>(labels[begin + i]) * kDim];
      std::copy(mean, mean + kDim, row);
      for (std::size_t f = 0; f < kFactors; ++f) {
        const float z = noise(own);
        for (std::size_t d = 0; d < kDim; ++d) row[d] += z * factors[f * kDim + d];
      }
      for (std::size_t d = 0; d < kDim; ++d) row[d] = std::max(0.0f, row[d] + 0.4f * noise(own));
    });
    out.write(std::as_bytes(std::span(block).first(count * kDim)));
  }
  out.commit();
}

double peak_bytes() {
  for (const std::string& line : split(read_text_file("/proc/self/status"), '\n')) {
    if (line.starts_with("VmHWM:")) return 1024.0 * std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

void run_sklearn(const Options& options, const Path& features, const std::vector<int>& labels, double c) {
  const Path y = options.folder / "labels.npy";
  write_npy(y, std::span<const std::int64_t>(std::vector<std::int64_t>(labels.begin(), labels.end())), {labels.size()});
  const std::string code = fmt::format(
      "import time, numpy as np; from sklearn.linear_model import LogisticRegression as L; "
      "x = np.load('{}', mmap_mode='r'); y = np.load('{}'); train = np.arange(len(y)) % 5 != 0; x = x[train]; "
      "t = time.perf_counter(); m = L(C={:.17g}, max_iter=1000).fit(x, y[train]); "
      "print(f'  scikit-learn, one fit on train: {{time.perf_counter() - t:.1f}} s, {{m.n_iter_[0]}} iterations')",
      features.string(), y.string(), c);
  std::fflush(stdout);
  const std::string command = fmt::format(
      "OPENBLAS_NUM_THREADS={} LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-pthread /usr/bin/python3 -c \"{}\"",
      options.threads, code);
  if (std::system(command.c_str()) != 0) fmt::print("  scikit-learn failed\n");
  std::filesystem::remove(y);
}

void measure(const Options& options) {
  std::vector<int> labels(options.rows);
  RandomStream random("bench/large/labels", 0);
  for (int& label : labels) label = static_cast<int>(random.below(kClasses));
  const Path file = options.folder / fmt::format("large-{}.npy", options.rows);
  if (!std::filesystem::exists(file)) draw_features(file, options.rows, labels, options.threads);
  const NpyArray x = NpyArray::open(file);
  const datasets::Targets targets = datasets::Targets::from_classes(labels, {"a", "b", "c", "d", "e", "f", "g", "h"});
  const bool sweep = options.c.empty();
  std::vector<std::uint32_t> train, val;
  for (std::uint32_t i = 0; i < options.rows; ++i) (sweep && i % 5 == 0 ? val : train).push_back(i);
  const datasets::Targets train_targets = targets.select(train), val_targets = targets.select(val);
  const float* const values = x.as<float>().data();
  const probes::ValView val_view{probes::FeatureRows(values, kDim, val), val_targets};
  probes::ProbeOptions probe_options;
  probe_options.values[sweep ? "grid" : "C"] = sweep ? options.grid : options.c;
  const auto probe = probes::ProbeRegistry::instance().make("logreg", probe_options);
  Silent log;
  const double before = peak_bytes();
  const Stopwatch watch;
  const probes::Fitted fitted = probe->fit({probes::FeatureRows(values, kDim, train), train_targets, {}},
                                           sweep ? &val_view : nullptr, Context{log, {}, options.threads});
  const double seconds = watch.seconds(), matrix = static_cast<double>(x.bytes().size());
  fmt::print("{} x {}, {} classes, {} threads: {}\n", options.rows, kDim, kClasses, options.threads,
             sweep ? fmt::format("sweep of {} on val, refit on all", options.grid) : "C = " + options.c);
  fmt::print("  {:.1f} s; C = {:.3g}; objective {:.6e}, gradient {:.1e}, {} passes, converged {}\n", seconds,
             fitted.selection.chosen.at("C"), fitted.convergence.objective, fitted.convergence.gradient_norm,
             fitted.convergence.iterations, fitted.convergence.converged);
  fmt::print("  peak memory {:.2f} GB: {:.2f} of the feature matrix ({:.2f} GB before the fit)\n", peak_bytes() / 1e9,
             peak_bytes() / matrix, before / 1e9);
  if (options.sklearn) run_sklearn(options, file, labels, fitted.selection.chosen.at("C"));
  if (!options.keep) std::filesystem::remove(file);
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::int64_t rows = 0;
  if (arguments.size() < 2 || !parse_int(arguments[1], rows) || rows < 100) {
    fmt::print(stderr, "usage: bench_large FOLDER ROWS [--grid G] [--C C] [--threads T] [--sklearn] [--keep]\n");
    return 2;
  }
  const auto value = [&](const std::string& key, const std::string& fallback) {
    const auto found = std::find(arguments.begin(), arguments.end(), key);
    return found == arguments.end() || found + 1 == arguments.end() ? fallback : *(found + 1);
  };
  const auto has = [&](const char* key) {
    return std::find(arguments.begin(), arguments.end(), key) != arguments.end();
  };
  probes::register_builtin_probes(probes::ProbeRegistry::instance());
  measure({arguments[0], static_cast<std::size_t>(rows), value("--grid", "1e-6:1e6:13"), value("--C", ""),
           std::stoi(value("--threads", std::to_string(available_cores()))), has("--sklearn"), has("--keep")});
  return 0;
}

}  // namespace
}  // namespace vise

int main(int argc, char** argv) {
  try {
    return vise::run(argc, argv);
  } catch (const vise::Error& e) {
    fmt::print(stderr, "error: {}\n{}\n", e.message(), e.hint());
    return 4;
  }
}
