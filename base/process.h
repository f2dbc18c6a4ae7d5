// Another program, run to its end.
//
//   const Ended ended = run_process({"squeue", "--noheader"});
//   if (ended.code != 0) ... ended.err ...
#pragma once

#include <string>
#include <vector>

namespace vise {

struct Ended {
  int code = 0;  // its exit code, or 128 and the number of the signal that ended it
  std::string out, err;
};

// Looks for words[0] as a shell would; no shell is involved. Its stdin is empty. Error{missing} for a program that
// isn't there, Error{system} where it can't be started.
Ended run_process(const std::vector<std::string>& words);

// The program under way, absolute: what starts it again, and what its modules are looked for from. Of a program that
// was started through its loader (a bundle's, cmake/bundle) the name it was given, which is its start script's.
std::string own_executable();

}  // namespace vise
