// Shell completion: what may follow at the cursor. The scripts for bash and zsh ask the program itself, so that
// they know every verb, option, task, backbone and probe there is, a user's own included.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace vise::cli {

struct Candidate {
  std::string word, text;  // the whole word to insert; one line about it, or ""
};

enum class PathsToo { none, files, folders };

struct Completion {
  std::vector<Candidate> candidates;
  PathsToo paths = PathsToo::none;  // of the part of the last word behind its last '='
};

// `words` are those after the program's name; the last is being typed and may be empty.
Completion complete(const Command& program, const std::vector<std::string>& words);

// What `vise-eval complete -- WORD...` prints for the scripts: a candidate a line, a tab before its text, then one line
// ":none", ":files" or ":folders".
std::string completion_lines(const Completion& completion);

// The script for "bash" or "zsh".
std::string completion_script(const std::string& shell);

}  // namespace vise::cli
