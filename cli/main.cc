// vise-eval: words in, exit codes out (program.cc). Everything else is in the rooms below.
#include "cli/program.h"

int main(int argc, char** argv) { return vise::cli::main(argc, argv); }
