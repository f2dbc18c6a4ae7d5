// The whole program, for a main() of your own that adds a data set or a probe first (examples/sidecars).
//
//   int main(int argc, char** argv) {
//     vise::datasets::DatasetRegistry::instance().add(info, read);      // a name that no built-in data set has
//     return vise::cli::main(argc, argv);
//   }
#pragma once

#ifndef VISE_MODULE_DIR  // set by find_package(ViseEval): where vise_torch.so was installed
#define VISE_MODULE_DIR ""
#endif

namespace vise::cli {

// Registers what ships with the program, parses the command line, runs the verb, prints what goes wrong and returns
// the exit code. `module_folder` is a further place of the LibTorch module, or "".
int run_program(int argc, char** argv, const char* module_folder);

inline int main(int argc, char** argv) { return run_program(argc, argv, VISE_MODULE_DIR); }

}  // namespace vise::cli
