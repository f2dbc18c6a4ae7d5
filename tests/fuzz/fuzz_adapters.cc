// Adapters' trees in miniature, changed by the bytes: a data set whose parts fit together, with a split for every
// target and an audit, or an Error. The first byte says whose.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "datasets/audit.h"
#include "datasets/dataset_registry.h"
#include "datasets/open_data.h"
#include "experiments/label_question.h"
#include "experiments/split_rule.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/mini/changes.h"
#include "tests/mini/data_sets.h"

namespace {

using vise::datasets::Dataset;
using vise::test::MiniData;

vise::datasets::DatasetRegistry make_registry() {
  vise::datasets::DatasetRegistry made;
  vise::datasets::register_builtin_datasets(made);
  return made;
}

void look_at(Dataset& dataset, bool known, vise::Context& context) {
  dataset.check();
  for (const auto& [name, targets] : dataset.targets) {
    vise::experiments::Task task;
    task.name = dataset.name;
    if (known) task.dataset = dataset.name;
    task.target = name;
    try {
      vise::experiments::ask_about_labels(task, dataset, context.log);
      const vise::datasets::Split split = vise::experiments::resolve_split(task, dataset);
      if (split.size() != dataset.size()) std::abort();
      vise::datasets::audit_files(dataset, split, context, {}, name);
    } catch (const vise::Error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const vise::datasets::DatasetRegistry registry = make_registry();
  vise::test::Choices choices(std::span(data, size));
  MiniData mini = vise::test::mini_data_sets()[choices.below(vise::test::mini_data_sets().size())];
  vise::test::change(mini.texts, choices);
  const vise::fuzz::MemoryFolder folder;
  mini.write(folder.path());
  vise::Silent log;
  vise::Context context{log};
  context.threads = 1;
  try {
    Dataset dataset = registry.open(mini.name, {folder.path()}, folder.path() / "cache", log);
    look_at(dataset, true, context);
  } catch (const vise::Error&) {
  }
  // The same texts as a person's own tables.
  for (const auto& [path, text] : mini.texts) {
    if (!path.ends_with(".csv") && !path.ends_with(".jsonl")) continue;
    try {
      Dataset dataset = vise::datasets::open_data_path(folder.path() / path, log);
      look_at(dataset, false, context);
    } catch (const vise::Error&) {
    }
  }
  return 0;
}
