#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

extern char** environ;

namespace vise {
namespace {

// Both ends close themselves.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    // Close-on-exec: another thread may start a child at the same time, and a copy of the writing end
    // in that child would keep read_both() waiting for an end that never comes.
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make", "a pipe");
    read = FileDescriptor(ends[0]);
    write = FileDescriptor(ends[1]);
  }
  FileDescriptor read, write;
};

// The child begins with no signal blocked: ours may be, by the thread that watches for Ctrl-C.
class SpawnSettings {
 public:
  SpawnSettings(const Pipe& out, const Pipe& err) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// Both streams side by side, so that neither fills up and stops the child.
// Ends when both ends of the child are closed: with the child, or with what it started in turn.
void read_both(const Pipe& out, const Pipe& err, Ended& ended) {
  std::array<pollfd, 2> streams{pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0}};
  const std::array<std::string*, 2> texts{&ended.out, &ended.err};
  std::array<char, 4096> piece{};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    // A stream that has ended gets the descriptor -1, which poll() skips.
    if (::poll(streams.data(), streams.size(), -1) < 0 && errno != EINTR) throw_errno("cannot read", "a pipe");
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (streams[i].fd < 0 || streams[i].revents == 0) continue;
      const ssize_t got = ::read(streams[i].fd, piece.data(), piece.size());
      if (got > 0) texts[i]->append(piece.data(), static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EINTR)) streams[i].fd = -1;
    }
  }
}

}  // namespace

// Spawned and not forked: the memory of a run may be many gigabytes, and its other threads hold locks.
Ended run_process(const std::vector<std::string>& words) {
  Pipe out, err;
  const SpawnSettings settings(out, err);
  // posix_spawn takes char* for reasons of age and changes none of the words.
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t child = 0;
  if (const int code = ::posix_spawnp(&child, argv[0], &settings.actions, &settings.attributes, argv.data(), environ);
      code != 0)
    throw Error(code == ENOENT ? ErrorKind::missing : ErrorKind::system,
                fmt::format("cannot run {}: {}", words[0], std::generic_category().message(code)));
  // Our copies of the writing ends must be closed, or the streams would never end.
  out.write = FileDescriptor();
  err.write = FileDescriptor();
  Ended ended;
  read_both(out, err, ended);
  int status = 0;
  // The empty body retries after a signal.
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // As a shell reports it: 128 and the signal's number for a child that was killed.
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

std::string own_executable() {
  const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe");
  const std::filesystem::path given = program_invocation_name;
  // The bundle starts programs through its own ld-linux, so that /proc/self/exe names the loader; the
  // bundle's start script passes the program's absolute path, which is then the name it was called by.
  const bool by_loader = executable.filename().string().starts_with("ld-linux");
  return (by_loader && given.is_absolute() ? given : executable).string();
}

}  // namespace vise
