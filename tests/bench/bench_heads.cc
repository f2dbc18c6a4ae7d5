// bench_heads [--rows N] [--dim D] [--classes K] [--batch B] [--epochs E] [--threads T] [--repeats R]
//
// What the preset vpt-linear's grid costs: 10 rates x 4 decays trained at once, against one head on the same rows, each
// the median of R runs in turn. Prints the process's CPU seconds too, for a machine that others use. The bar is
//     ratio: 4.0
#include <cblas.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/log.h"
#include "base/module.h"
#include "base/random.h"
#include "base/threads.h"
#include "probes/torch/entry.h"

namespace vise {
namespace {

struct Drawn {
  std::vector<float> features, targets;
  std::vector<const float*> rows;
};

Drawn draw(std::size_t n, std::size_t dim, std::size_t classes) {
  RandomStream random("bench/heads", 0);
  std::vector<float> means(classes * dim);
  for (float& v : means) v = static_cast<float>(0.1 * random.normal());
  Drawn d;
  d.features.resize(n * dim);
  d.targets.resize(n * classes);
  for (std::size_t i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(random.below(classes));
    d.targets[i * classes + k] = 1;
    for (std::size_t j = 0; j < dim; ++j)
      d.features[i * dim + j] =
          std::max(0.0f, means[k * dim + j] + static_cast<float>(random.uniform() + random.uniform() - 1));
    d.rows.push_back(&d.features[i * dim]);
  }
  return d;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

struct Times {
  std::vector<double> wall, cpu;
  void run(probes::TrainHeads* train, const probes::HeadJob& job) {
    probes::HeadResult result;
    const double before = cpu_seconds();
    const Stopwatch watch;
    train(job, result);
    wall.push_back(watch.seconds());
    cpu.push_back(cpu_seconds() - before);
  }
  static double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
  }
};

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto value = [&](const std::string& key, int fallback) {
    const auto found = std::find(arguments.begin(), arguments.end(), key);
    return found == arguments.end() || found + 1 == arguments.end() ? fallback : std::stoi(*(found + 1));
  };
  const int rows = value("--rows", 5000), dim = value("--dim", 2048), classes = value("--classes", 8);
  const Drawn data =
      draw(static_cast<std::size_t>(rows), static_cast<std::size_t>(dim), static_cast<std::size_t>(classes));
  std::vector<probes::HeadRate> grid;
  for (const double rate : {0.2, 0.4, 1.0, 2.0, 4.0, 10.0, 20.0, 40.0, 100.0, 200.0}) {
    for (const double decay : {0.0, 0.0001, 0.001, 0.01}) grid.push_back({rate, decay});
  }
  probes::HeadJob job;
  job.rows = data.rows;
  job.dim = static_cast<std::size_t>(dim);
  job.targets = data.targets;
  job.outputs = static_cast<std::size_t>(classes);
  job.batch = value("--batch", 1024);
  job.epochs = value("--epochs", 10);
  job.threads = value("--threads", available_cores());
  Module::also_look_in(VISE_BINARY_DIR);
  openblas_set_num_threads(1);  // as the probe does
  probes::TrainHeads* const train = Module::torch().symbol<probes::TrainHeads>("vise_torch_head");
  Times one, all;
  for (int i = 0; i < value("--repeats", 5); ++i) {
    job.heads = std::span(grid).first(1);
    one.run(train, job);
    job.heads = grid;
    all.run(train, job);
  }
  fmt::print("{} x {}, {} classes, {} epochs in batches of {}, {} threads\n", rows, dim, classes, job.epochs, job.batch,
             job.threads);
  fmt::print("  one head: {:.3f} s ({:.3f} CPU s); {} heads: {:.3f} s ({:.3f} CPU s)\n", Times::median(one.wall),
             Times::median(one.cpu), grid.size(), Times::median(all.wall), Times::median(all.cpu));
  fmt::print("  ratio: {:.2f} (of CPU seconds: {:.2f})\n", Times::median(all.wall) / Times::median(one.wall),
             Times::median(all.cpu) / Times::median(one.cpu));
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
