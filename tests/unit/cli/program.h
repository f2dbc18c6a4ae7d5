// Runs build/<preset>/vise-eval as a person would, with an environment of its own.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "tests/shared.h"

namespace vise::test {

struct Ran {
  int code = -1;  // -1: ended by a signal
  std::string out, err;

  // stdout as lines of JSON.
  std::vector<Json> json_lines() const {
    std::vector<Json> lines;
    for (const std::string& line : split(out, '\n'))
      if (!line.empty()) lines.push_back(parse_json(line, "stdout"));
    return lines;
  }
};

// `environment` holds NAME=VALUE and replaces everything but PATH; HOME is an empty folder.
inline Ran run_file(const std::string& program, const std::vector<std::string>& words,
                    std::vector<std::string> environment = {}) {
  const ScratchDir scratch;
  environment.push_back("HOME=" + scratch.path().string());
  environment.push_back("PATH=/usr/bin:/bin");
  const Path out = scratch / "out", err = scratch / "err";
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> argv{const_cast<char*>(program.c_str())}, envp;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    for (const std::string& setting : environment) envp.push_back(const_cast<char*>(setting.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text_file(out), read_text_file(err)};
}

inline Ran run_program(const std::vector<std::string>& words, std::vector<std::string> environment = {}) {
  return run_file(VISE_BINARY_DIR "/vise-eval", words, std::move(environment));
}

inline bool contains(const std::string& whole, const std::string& part) {
  return whole.find(part) != std::string::npos;
}

}  // namespace vise::test
