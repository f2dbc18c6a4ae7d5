// A study: a whole comparison in one file. Format: docs/formats/study.md.
//
//   RunRequest request = read_study("paper.yaml", library);      // or one of builtin_studies()
//   run(request, context);
//   study_yaml(request);                                          // what <out>/plan.yaml holds
//
// plan.yaml is a study with nothing left to defaults; it is read as any other.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "experiments/run_request.h"

namespace vise::experiments {

// Error{input} with file and line for what isn't a study (unknown keys with the nearest name), Error{missing} for no
// such file. Paths in it are relative to the file's folder. `include_paths`: folders of tasks beside the file's own.
// The places of data and weights are only those that it names: add yours. `out` is left empty.
RunRequest read_study(const Path& path, const std::vector<Path>& include_paths = {});
RunRequest parse_study(const std::string& yaml, const std::string& name_for_messages, const Path& folder,
                       const std::vector<Path>& include_paths = {});

// The request as a study file, paths absolute: read_study() of it runs the same cells.
std::string study_yaml(const RunRequest& request);

// The study's title, or `name` where it has none.
std::string study_title(const std::string& yaml, const std::string& name);

// Studies that ship with the program: name -> YAML. Generated at build time from experiments/studies/*.yaml.
const std::map<std::string, std::string>& builtin_studies();

}  // namespace vise::experiments
