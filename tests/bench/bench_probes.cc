// bench_probes PEER.py SHARED [--full] [--case NAME] [--threads N] [--cpu]
//
// The sweep of 25 values of C over 5 folds and the final fit, against scikit-learn (PEER.py, ../shared/peers). Both get
// the same features, labels and folds; both run on OpenBLAS. The peer's time is what it reports for the sweep alone,
// without starting Python or loading data; ours is the whole of Probe::fit. Prints for each case a line
//     sweep ratio: R   (peer's seconds / our median)
// With --cpu, for a machine that others use too, both run on one thread and CPU seconds are compared (the peer's with
// Python's start, unless it reports "cpu_s", and without the objectives it computes for the comparison). It says
// whether the chosen C and the objectives agree: at the chosen C ours may be 1e-5 (relative) above the peer's, at every
// other C, solved as the sweep solves, 1e-3.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <optional>

#include "base/csv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/random.h"
#include "base/text.h"
#include "base/threads.h"
#include "datasets/split.h"
#include "probes/builtin.h"
#include "probes/logistic/solver.h"
#include "probes/options.h"
#include "probes/probe.h"

namespace vise {
namespace {

constexpr const char* kGrid = "1e-6:1e6:25";
constexpr int kGridSize = 25, kFolds = 5;
constexpr std::array<double, 5> kSampledExponents{-6, -3, 0, 3, 6};

struct Data {
  std::size_t dim = 0;
  std::vector<float> features;
  datasets::Targets targets;
  std::vector<int> folds;
  std::vector<std::uint32_t> rows;
  std::size_t size() const { return rows.size(); }
};

void complete(Data& data) {
  data.rows.resize(data.targets.size());
  std::iota(data.rows.begin(), data.rows.end(), 0u);
  data.folds = datasets::make_folds(data.targets.strata(), {}, kFolds, "bench/folds", 0);
}

Data real(const Path& shared, const std::string& features, const std::string& manifest) {
  const NpyArray x = NpyArray::open(shared / "data/golden/features" / features);
  const CsvTable table = CsvTable::parse(read_text_file(shared / "data/datasets" / manifest), manifest);
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < table.rows(); ++i) labels.push_back(table.cell(i, table.column("label")));
  Data data;
  data.dim = x.shape()[1];
  data.features.assign(x.as<float>().begin(), x.as<float>().end());
  data.targets = datasets::Targets::from_labels(labels);
  complete(data);
  return data;
}

// max(0, class mean + factors + noise). Separable: no factors, means 0.12 N(0, 1), noise 0.5. Overlapping: 64 shared
// factors 0.3 N(0, 1), means 0.03 N(0, 1), noise 0.4.
Data drawn(std::size_t n, bool overlapping) {
  constexpr std::size_t kDim = 2048, kClasses = 6, kFactors = 64;
  RandomStream random(overlapping ? "bench/overlapping" : "bench/separable", n);
  std::vector<float> means(kClasses * kDim), factors(kFactors * kDim);
  for (float& v : means) v = static_cast<float>((overlapping ? 0.03 : 0.12) * random.normal());
  for (float& v : factors) v = static_cast<float>(0.3 * random.normal());
  Data data;
  data.dim = kDim;
  std::vector<int> labels;
  for (std::size_t i = 0; i < n; ++i) {
    labels.push_back(static_cast<int>(random.below(kClasses)));
    std::vector<float> row(means.begin() + labels[i] * static_cast<int>(kDim),
                           means.begin() + (labels[i] + 1) * static_cast<int>(kDim));
    for (std::size_t f = 0; overlapping && f < kFactors; ++f) {
      const auto z = static_cast<float>(random.normal());
      for (std::size_t d = 0; d < kDim; ++d) row[d] += z * factors[f * kDim + d];
    }
    for (float v : row)
      data.features.push_back(std::max(0.0f, v + static_cast<float>((overlapping ? 0.4 : 0.5) * random.normal())));
  }
  data.targets = datasets::Targets::from_classes(labels, {"a", "b", "c", "d", "e", "f"});
  complete(data);
  return data;
}

double cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Options {
  std::string peer;  // or empty: ours alone
  int threads = 1;
  bool cpu = false;
};

// The peer's data as files, for several calls of it.
class Peer {
 public:
  Peer(const Options& options, const Data& data) : options_(options), folder_(scratch()) {
    write_npy(folder_ / "x.npy", std::span<const float>(data.features), {data.size(), data.dim});
    const auto column = [](std::span<const int> v) { return std::vector<std::int64_t>(v.begin(), v.end()); };
    write_npy(folder_ / "y.npy", std::span<const std::int64_t>(column(data.targets.classes())), {data.size()});
    write_npy(folder_ / "folds.npy", std::span<const std::int64_t>(column(data.folds)), {data.size()});
  }
  ~Peer() { std::filesystem::remove_all(folder_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  Json run(const std::string& more) const {
    const std::string command = fmt::format(
        "OPENBLAS_NUM_THREADS={1} LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-pthread /usr/bin/python3 {0} "
        "--features {2}/x.npy --labels {2}/y.npy --folds {2}/folds.npy --out {2}/curve.json {3} > {2}/log 2>&1",
        options_.peer, options_.threads, folder_.string(), more);
    if (std::system(command.c_str()) != 0)
      throw Error(ErrorKind::system, "the peer failed: " + read_text_file(folder_ / "log"));
    return read_json(folder_ / "curve.json");
  }

  // Seconds of the whole sweep and the final fit, from two fits at each of `exponents` (ascending, the grid's ends
  // among them): between them a fit's time is taken as linear in log C. The first fits alone would be those of the
  // smallest C, which take a tenth of the large ones' time. `beside` runs after each: ours, in the same minutes.
  double sampled_seconds(std::span<const double> exponents, const std::function<void()>& beside) const {
    std::vector<double> of_fit;
    for (const double exponent : exponents) {
      of_fit.push_back(run(fmt::format("--grid {0} {0} 1 --fits 1 --no-objective", exponent))["sweep_s"].get<double>() /
                       2);
      fmt::print("    a fit of the peer's at C = 1e{:g}: {:.1f} s\n", exponent, of_fit.back());
      std::fflush(stdout);
      beside();
    }
    double area = 0;
    for (std::size_t i = 0; i + 1 < exponents.size(); ++i)
      area += (of_fit[i] + of_fit[i + 1]) / 2 * (exponents[i + 1] - exponents[i]);
    return area / (exponents.back() - exponents.front()) * (kGridSize * kFolds + 1);
  }

 private:
  static Path scratch() {
    std::string folder = (std::filesystem::temp_directory_path() / "vise-bench-XXXXXX").string();
    if (!::mkdtemp(folder.data())) throw_errno("cannot make", folder);
    return folder;
  }
  const Options& options_;
  const Path folder_;
};

struct Ours {
  double seconds = 0;
  probes::Fitted fitted;
};

Ours run_ours(const Data& data, int threads) {
  const auto probe = probes::ProbeRegistry::instance().make("logreg", {{{"grid", kGrid}}, 0});
  Silent log;
  const Stopwatch watch;
  Ours ours;
  ours.fitted = probe->fit({probes::FeatureRows(data.features.data(), data.dim, data.rows), data.targets, data.folds},
                           nullptr, Context{log, {}, threads});
  ours.seconds = watch.seconds();
  return ours;
}

// Objectives on all rows along the grid, solved as the sweep solves its folds.
std::vector<double> path_objectives(const Data& data, int threads) {
  std::vector<const float*> rows;
  for (const std::uint32_t i : data.rows) rows.push_back(&data.features[i * data.dim]);
  const probes::RowMatrix matrix = probes::RowMatrix::make(rows, data.dim, threads);
  const probes::LogisticTargets targets(data.targets, data.rows, probes::LogisticTargets::Form::softmax, false);
  probes::LogisticPass pass(matrix, targets, {0, data.size()});
  probes::LogisticPreconditioner preconditioner(pass, threads);
  const probes::LogisticProblem all;
  std::vector<double> objectives;
  Silent log;
  int passes = 0;
  probes::solve_logistic_path(pass, preconditioner, probes::parse_grid(kGrid), std::span(&all, 1), {},
                              Context{log, {}, threads},
                              [&](std::size_t, const std::vector<probes::LogisticPoint>& points) {
                                objectives.push_back(points[0].objective);
                                passes += points[0].passes;
                              });
  fmt::print("  a path on all rows: {} passes\n", passes);
  return objectives;
}

void compare(const Json& peer, const Ours& ours, const Data& data, int threads) {
  const double chosen = ours.fitted.selection.chosen.at("C");
  const double theirs = peer["chosen_c"];
  fmt::print("  chosen C: ours {:.4g}, peer {:.4g}: {}\n", chosen, theirs,
             std::abs(std::log(chosen / theirs)) < 1e-6 ? "the same" : "DIFFERENT");
  for (std::size_t i = 0; i < peer["curve"].size(); ++i) {
    const double mine = ours.fitted.selection.curve[i].score, other = peer["curve"][i][1];
    if (mine != other)
      fmt::print("    C {:.4g}: held-out accuracy ours {:.5f}, peer {:.5f}\n", peer["curve"][i][0].get<double>(), mine,
                 other);
  }
  fmt::print("  gradient {:.1e}, {} passes in the final fit, converged {}\n", ours.fitted.convergence.gradient_norm,
             ours.fitted.convergence.iterations, ours.fitted.convergence.converged);
  fmt::print("  objective at our chosen C against the peer's at its own: {:+.1e} (bar 1e-5)\n",
             ours.fitted.convergence.objective / peer["objective_at_chosen"].get<double>() - 1);
  if (!peer.contains("objectives") || peer["objectives"].size() != peer["curve"].size()) return;
  const std::vector<double> path = path_objectives(data, threads);
  double worst = -1, worst_c = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    double other = 0;
    for (const auto& [c, record] : peer["objectives"].items()) {
      double value = 0;
      if (parse_double(c, value) &&
          std::abs(std::log(value / ours.fitted.selection.curve[i].parameters->at("C"))) < 1e-6)
        other = record["objective"];
    }
    const double off = path[i] / other - 1;
    if (off > worst) worst = off, worst_c = ours.fitted.selection.curve[i].parameters->at("C");
  }
  fmt::print("  objective along the path against the peer's: at worst {:+.1e}, at C {:.3g} (bar 1e-3)\n", worst,
             worst_c);
}

// `sampled`: of the peer only a few fits, for a case that takes it the better part of an hour.
void run_case(const std::string& name, const Data& data, const Options& options, int repeats, bool sampled = false) {
  fmt::print("{}: {} x {}, {} classes, {} threads\n", name, data.size(), data.dim, data.targets.width(),
             options.threads);
  std::vector<double> seconds;
  std::optional<Ours> ours;
  const auto once = [&] {
    const double before = cpu_seconds(RUSAGE_SELF);
    ours = run_ours(data, options.threads);
    seconds.push_back(options.cpu ? cpu_seconds(RUSAGE_SELF) - before : ours->seconds);
  };
  once();
  Json found;
  double theirs = 0;
  if (!options.peer.empty()) {
    const Peer peer(options, data);
    const double before = cpu_seconds(RUSAGE_CHILDREN);
    if (sampled) {
      seconds.clear();  // a warm-up
      theirs = peer.sampled_seconds(kSampledExponents, once);
    } else {
      found = peer.run(options.cpu ? "--no-objective" : "");
      theirs =
          options.cpu ? found.value("cpu_s", cpu_seconds(RUSAGE_CHILDREN) - before) : found["sweep_s"].get<double>();
    }
  }
  while (seconds.size() < static_cast<std::size_t>(repeats)) once();
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  const char* const unit = options.cpu ? "CPU s" : "s";
  fmt::print("  ours: {:.3f} {} (median of {}, {:.3f} to {:.3f})\n", median, unit, seconds.size(), seconds.front(),
             seconds.back());
  if (options.peer.empty()) return;
  fmt::print(
      "  peer: {:.3f} {}{}\n  sweep ratio: {:.3g}\n", theirs, unit,
      sampled ? fmt::format(" (EXTRAPOLATED from {} of {} fits)", 2 * kSampledExponents.size(), kGridSize * kFolds + 1)
              : "",
      theirs / median);
  if (!sampled) compare(found, *ours, data, options.threads);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 2) {
    fmt::print(stderr, "usage: bench_probes PEER.py|none SHARED [--full] [--case NAME] [--threads N] [--cpu]\n");
    return 2;
  }
  const auto value = [&](const std::string& key, const std::string& fallback) {
    const auto found = std::find(arguments.begin(), arguments.end(), key);
    return found == arguments.end() || found + 1 == arguments.end() ? fallback : *(found + 1);
  };
  const bool full = std::find(arguments.begin(), arguments.end(), "--full") != arguments.end();
  const std::string only = value("--case", "");
  const Path shared = arguments[1];
  Options options;
  options.peer = arguments[0] == "none" ? "" : arguments[0];
  options.cpu = std::find(arguments.begin(), arguments.end(), "--cpu") != arguments.end();
  options.threads = std::stoi(value("--threads", options.cpu ? "1" : std::to_string(available_cores())));
  probes::register_builtin_probes(probes::ProbeRegistry::instance());
  const auto wanted = [&](const std::string& name, bool by_default) {
    return only.empty() ? by_default || full : only == name;
  };
  if (wanted("omi300", true)) run_case("omi300", real(shared, "omi300_resnet50.npy", "omi300/happy.csv"), options, 5);
  if (wanted("bass", true)) run_case("bass", real(shared, "bass_resnet50.npy", "bass/valence.csv"), options, 5);
  if (wanted("separable-1500", true)) run_case("separable-1500", drawn(1500, false), options, 5);
  if (wanted("separable-6000", false)) run_case("separable-6000", drawn(6000, false), options, 5);
  if (wanted("overlapping-6000", false)) run_case("overlapping-6000", drawn(6000, true), options, 5, true);
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
