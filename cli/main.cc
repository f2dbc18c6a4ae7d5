// vise-eval: words in, exit codes out. Everything else is in the rooms below.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/lines.h"
#include "cli/parse.h"
#include "datasets/dataset.h"
#include "probes/probe.h"

int main(int argc, char** argv) {
  vise::register_builtin_datasets(vise::DatasetRegistry::instance());
  vise::register_builtin_probes(vise::ProbeRegistry::instance());
  try {
    return vise::cli::parse_and_run(argc, argv);
  } catch (const vise::Error& e) {
    fmt::print(stderr, "vise-eval: {}\n", e.message());
    if (!e.hint().empty()) fmt::print(stderr, "  {}\n", e.hint());
    return vise::cli::exit_code_of(e.kind());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "vise-eval: out of memory\n");
    return 4;
  }
}
