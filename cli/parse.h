// The command line as a whole: verbs, help, and the nearest name for what isn't known.
#pragma once

namespace vise::cli {

// Parses and runs; returns the exit code of what ran. Throws vise::Error for everything that went wrong.
// `vise-eval --task X` means `vise-eval run --task X`; `vise-eval help VERB` means `vise-eval VERB --help`.
int parse_and_run(int argc, char** argv);

}  // namespace vise::cli
