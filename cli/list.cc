// `vise-eval list`: what there is by name.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/list_results.h"
#include "cli/session.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "experiments/study.h"
#include "experiments/task.h"
#include "probes/probe.h"

namespace vise::cli {
namespace {

struct Entry {
  std::string name, text;
};

// A group has no title; its members say what it is.
std::string group_text(const experiments::TaskLibrary& library, const std::string& group) {
  std::vector<std::string> members;
  for (const std::string& name : library.names()) {
    const std::vector<std::string>& groups = library.find(name).groups;
    if (std::find(groups.begin(), groups.end(), group) != groups.end()) members.push_back(name);
  }
  return fmt::format("a group: {}", join(members, ", "));
}

// Each kind from the registry or library that resolves its names, so that a user's own are among them.
std::vector<Entry> entries_of(const std::string& kind, const std::vector<std::string>& include_paths) {
  std::vector<Entry> entries;
  if (kind == "tasks") {
    const experiments::TaskLibrary library({include_paths.begin(), include_paths.end()});
    for (const std::string& name : library.names()) entries.push_back({name, library.find(name).title});
    for (const std::string& group : library.groups()) entries.push_back({group, group_text(library, group)});
  } else if (kind == "studies") {
    for (const auto& [name, yaml] : experiments::builtin_studies())
      entries.push_back({name, experiments::study_title(yaml, name)});
  } else if (kind == "datasets") {
    for (const std::string& name : datasets::DatasetRegistry::instance().names())
      entries.push_back({name, datasets::DatasetRegistry::instance().info(name).title});
  } else if (kind == "backbones") {
    for (const features::Backbone& backbone : features::registry_backbones())
      entries.push_back(
          {backbone.name, backbone.title + (backbone.files.empty() ? "" : "  [" + backbone.files.front() + "]")});
  } else {
    // Only probes are left: list_verb() has checked the kind.
    for (const std::string& name : probes::ProbeRegistry::instance().names())
      entries.push_back({name, probes::ProbeRegistry::instance().info(name).title});
  }
  return entries;
}

void list_verb(const std::string& kind, const std::string& folder, const std::vector<std::string>& include_paths,
               const Session& session) {
  const std::vector<std::string> kinds{"tasks", "studies", "datasets", "backbones", "probes", "results"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    throw Error(ErrorKind::usage, fmt::format("list: unknown kind '{}'", kind), suggest(kind, kinds));
  // Results are no registry's: they are looked for below a folder.
  if (kind == "results") return list_results(folder, session);
  const std::vector<Entry> entries = entries_of(kind, include_paths);
  if (session.json) {
    Json list = Json::array();
    for (const Entry& entry : entries) list.push_back({{"name", entry.name}, {"title", entry.text}});
    fmt::print("{}\n", list.dump());
    return;
  }
  std::size_t width = 0;
  for (const Entry& entry : entries) width = std::max(width, entry.name.size());
  for (const Entry& entry : entries) fmt::print("{:<{}}  {}\n", entry.name, width, entry.text);
}

}  // namespace

void add_list(Verbs& verbs) {
  auto kind = std::make_shared<std::string>();
  auto folder = std::make_shared<std::string>("vise-results");
  auto include_paths = std::make_shared<std::vector<std::string>>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("list", "the names of tasks, studies, datasets, backbones or probes; earlier results",
                             "  vise-eval list backbones\n  vise-eval list results runs/",
                             [=, &session] { list_verb(*kind, *folder, *include_paths, session); });
  verb->add_option("kind", *kind, "tasks, studies, datasets, backbones, probes or results")
      ->type_name("{tasks,studies,datasets,backbones,probes,results}")
      ->required();
  verb->add_option("folder", *folder, "where results are looked for [vise-results]")->type_name("DIR");
  verb->add_option("--include-path", *include_paths, "a folder of task files of your own")->type_name("DIR");
  verbs.add_json_option(verb);
}

}  // namespace vise::cli
