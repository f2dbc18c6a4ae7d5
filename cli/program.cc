#include "cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/module.h"
#include "cli/lines.h"
#include "cli/parse.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "probes/builtin.h"
#include "probes/probe.h"

namespace vise::cli {
namespace {

// What --json prints on stderr.
// In the order of ErrorKind.
Json error_json(const Error& error, int code) {
  static constexpr const char* kKinds[] = {"usage", "missing", "input", "verification", "interrupted", "system"};
  return {{"error", error.message()},
          {"hint", error.hint()},
          {"kind", kKinds[static_cast<std::size_t>(error.kind())]},
          {"exit_code", code}};
}

// Registered after a user's own main() added its rows, of which none may take a name that is documented for another.
template <typename Registry>
void add_builtins(void (&add)(Registry&), std::string_view what) {
  Registry builtin;
  add(builtin);
  const std::vector<std::string> own = Registry::instance().names(), names = builtin.names();
  for (const std::string& name : names)
    if (std::ranges::find(own, name) != own.end())
      throw Error(ErrorKind::usage,
                  fmt::format("the {} '{}' that this program adds has the name of one that is built in", what, name),
                  "add it under another name");
  add(Registry::instance());
}

}  // namespace

int run_program(int argc, char** argv, const char* module_folder) {
  // Where modules (LibTorch, OpenCV) are looked for as well; a program of a user's own is elsewhere than they are.
  if (*module_folder != '\0') Module::also_look_in(module_folder);
  try {
    // Called explicitly: static objects that register themselves are dropped by the linker when
    // nothing else in their file of a static library is used.
    add_builtins(datasets::register_builtin_datasets, "data set");
    add_builtins(probes::register_builtin_probes, "probe");
    return cli::parse_and_run(argc, argv);
  } catch (const Error& e) {
    const int code = cli::exit_code_of(e.kind());
    // Looked for in the words themselves, since the error may be one of parsing them.
    if (std::find(argv + 1, argv + argc, std::string_view("--json")) != argv + argc) {
      fmt::print(stderr, "{}", cli::json_line(error_json(e, code)));
      return code;
    }
    fmt::print(stderr, "vise-eval: {}\n", e.message());
    if (!e.hint().empty()) fmt::print(stderr, "  {}\n", e.hint());
    return code;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "vise-eval: out of memory\n");
    return 4;
  }
}

}  // namespace vise::cli
