// What people and clusters send to end a program: Ctrl-C (SIGINT), SIGTERM, and SIGUSR1, a cluster's warning that it
// will take the machine away.
#pragma once

#include <stop_token>

namespace vise::cli {

// The first of these signals requests a stop, so that the work under way is finished and kept. Engines send theirs more
// than once, and that must not lose it: only a further Ctrl-C, a person's, ends the program at once, with 130.
// A later call takes an earlier one's place. A thread waits for what the handler writes to a pipe, since a handler
// could not wake threads or print; a mask and sigwait() would not do: OpenBLAS starts threads before main(), which
// block nothing and would end the program.
void watch_for_interrupt(std::stop_source stop);

}  // namespace vise::cli
