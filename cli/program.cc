#include "cli/program.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/module.h"
#include "cli/lines.h"
#include "cli/parse.h"
#include "datasets/dataset.h"
#include "probes/probe.h"

namespace vise {

int run_program(int argc, char** argv, const char* module_folder) {
  if (*module_folder != '\0') Module::also_look_in(module_folder);
  register_builtin_datasets(DatasetRegistry::instance());
  register_builtin_probes(ProbeRegistry::instance());
  try {
    return cli::parse_and_run(argc, argv);
  } catch (const Error& e) {
    fmt::print(stderr, "vise-eval: {}\n", e.message());
    if (!e.hint().empty()) fmt::print(stderr, "  {}\n", e.hint());
    return cli::exit_code_of(e.kind());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "vise-eval: out of memory\n");
    return 4;
  }
}

}  // namespace vise
