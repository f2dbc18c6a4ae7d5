// What verbs that look into many files print of each, and how an error becomes an exit code.
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"

namespace vise::cli {

// The table in error.h.
int exit_code_of(ErrorKind kind);

struct ExitCode {
  int code;
  const char* what;
};
inline constexpr ExitCode kExitCodes[] = {
    {0, "done"},      {1, "some cells failed"},   {2, "usage"},        {3, "data or weights missing"},
    {4, "bad input"}, {5, "verification failed"}, {130, "interrupted"}};

// One line. File names and messages may hold bytes that aren't UTF-8; JSON can't, so they become U+FFFD.
std::string json_line(const Json& value);

}  // namespace vise::cli
