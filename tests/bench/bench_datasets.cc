// How long a data set takes to read, and what memory: bench_datasets PATH, or bench_datasets ROOT NAME for an adapter.
// One line of JSON; run by bench_datasets.py on data of a million items.
#include <fmt/format.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "datasets/open_data.h"

namespace vise {
namespace {

datasets::Dataset open(int argc, char** argv, Log& log) {
  if (argc == 2) return datasets::open_data_path(argv[1], log);
  datasets::register_builtin_datasets(datasets::DatasetRegistry::instance());
  return datasets::DatasetRegistry::instance().open(argv[2], {argv[1]}, {}, log);
}

int run(int argc, char** argv) {
  Silent log;
  const Stopwatch watch;
  const datasets::Dataset dataset = open(argc, argv, log);
  const double seconds = watch.seconds();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const Json line = {{"items", dataset.size()},
                     {"in_official_split", dataset.official ? dataset.official->count(datasets::Part::train) +
                                                                  dataset.official->count(datasets::Part::test)
                                                            : 0},
                     {"seconds", seconds},
                     {"peak_mb", usage.ru_maxrss / 1000}};
  fmt::print("{}\n", line.dump());
  return 0;
}

}  // namespace
}  // namespace vise

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) return 2;
  try {
    return vise::run(argc, argv);
  } catch (const vise::Error& e) {
    fmt::print(stderr, "{}\n{}\n", e.message(), e.hint());
    return 4;
  }
}
