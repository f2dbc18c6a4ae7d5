#include "cli/lines.h"

namespace vise::cli {

// The codes are listed in --help, the manual and README; scripts rely on them.
int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return 2;
    case ErrorKind::missing:
      return 3;
    case ErrorKind::verification:
      return 5;
    // 128 + SIGINT, as shells have it.
    case ErrorKind::interrupted:
      return 130;
    case ErrorKind::input:
    case ErrorKind::system:
      break;
  }
  // A bad file and a failure of the system end alike: nothing that the user wrote on the command line is wrong.
  return 4;
}

std::string json_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace vise::cli
