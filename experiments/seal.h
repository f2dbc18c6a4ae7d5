// The seal of a run's folder: what was in it when the run ended, file by file, so that anything changed since is seen.
//
//   Seal seal = seal_of(folder, tables);       // hashes results, plan, scores, splits and tables
//   ... the page is written, and shows seal.digest ...
//   write_seal(folder, seal);                  // seal.json, with the page's own hash
//   seal_differences(folder);                  // later: a sentence a file that isn't what it was
//
// A seal is no signature: who changes a file can seal the folder anew, and then has another digest than the one that
// was printed, published or sent. Format: docs/formats/seal.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

namespace vise::experiments {

struct Seal {
  std::string version;  // of the vise-eval that sealed
  Json tables;          // how tables and page were made, and which files they are (reports/report_files.h); null: none
  std::map<std::string, std::string> files;  // by path below the folder, with '/': SHA-256
  std::map<std::string, std::string> pages;  // the same of what shows the digest
  std::string digest;                        // SHA-256 over version, tables and files
};

// Of what the folder holds now; `pages` is empty.
Seal seal_of(const Path& folder, Json tables);
// Hashes the page, if there is one, and writes seal.json, atomically.
void write_seal(const Path& folder, Seal seal);
// Nothing where the folder has none. Error{input} for one that can't be read.
std::optional<Seal> read_seal(const Path& folder);
// Before a run changes what is sealed.
void break_seal(const Path& folder);

// Warns of files that changed since the folder was sealed. Whoever reads or goes on in such a folder should know.
void warn_of_changes(const Path& folder, Log& log);

// Files that changed, went or came since, and a seal that was itself edited. Empty too where there is no seal.
std::vector<std::string> seal_differences(const Path& folder);

}  // namespace vise::experiments
