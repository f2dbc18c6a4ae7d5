// What LIBLINEAR has for `stdout` and `stderr` (CMakeLists.txt).
#include <cstdio>

extern "C" {
__attribute__((visibility("hidden"))) FILE* vise_liblinear_stdout = stdout;
__attribute__((visibility("hidden"))) FILE* vise_liblinear_stderr = stderr;
}
