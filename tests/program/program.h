// The program as a user runs it: arguments in, exit code, stdout and stderr out.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "tests/shared.h"

namespace vise::test {

struct Outcome {
  int exit_code = -1;
  std::string out, err;
};

inline std::string read_text(const Path& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A scratch folder with a cache of its own, in which the program runs; nothing of the user's environment reaches it.
class Program {
 public:
  const Path& folder() const { return scratch_.path(); }
  Path operator/(const Path& name) const { return scratch_ / name; }
  // Instead of what was set before, or of what the program gets anyhow: VISE_OFFLINE=0 lets it fetch.
  void set(const std::string& name, const std::string& value) {
    std::erase_if(environment_, [&](const std::string& known) { return known.starts_with(name + "="); });
    environment_.emplace_back(name + ("=" + value));
  }

  // Starts the program and returns at once; `wait` ends it.
  pid_t start(const std::vector<std::string>& arguments) {
    const pid_t child = ::fork();
    if (child == 0) become(arguments);
    return child;
  }

  Outcome wait(pid_t child) const {
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_text(scratch_ / "stdout"),
            read_text(scratch_ / "stderr")};
  }

  Outcome run(const std::vector<std::string>& arguments) { return wait(start(arguments)); }

 private:
  [[noreturn]] void become(const std::vector<std::string>& arguments) const {
    const auto redirect = [&](const char* name, int to) {
      ::dup2(::open((scratch_ / name).c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644), to);
    };
    redirect("stdout", 1);
    redirect("stderr", 2);
    std::vector<std::string> words{VISE_BINARY_DIR "/vise-eval"}, environment = environment_;
    words.insert(words.end(), arguments.begin(), arguments.end());
    // Of a name given twice the first counts.
    for (const char* place : {"HOME", "XDG_CACHE_HOME", "TMPDIR"})
      environment.push_back(fmt::format("{}={}", place, scratch_.path().string()));
    environment.push_back("VISE_OFFLINE=1");
    environment.push_back("PATH=/usr/bin:/bin");
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& variable : environment) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    if (::chdir(scratch_.path().c_str()) == 0) ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }

  ScratchDir scratch_;
  std::vector<std::string> environment_;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define EXPECT_CONTAINS(text, part) EXPECT_TRUE(vise::test::contains(text, part)) << text

// A binary PPM of noise: a picture that needs no encoder. Any name may be given to it, since kinds are recognised by
// bytes.
inline std::string noise_picture(const std::string& name, std::size_t side = 48) {
  RandomStream random("program-test/" + name, 0);
  std::string file = fmt::format("P6\n{} {}\n255\n", side, side);
  for (std::size_t i = 0; i < side * side * 3; ++i) file += static_cast<char>(random.below(256));
  return file;
}

}  // namespace vise::test
