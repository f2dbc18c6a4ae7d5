// A program of a user's own: what its main() added before ours runs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "cli/program.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"

namespace vise::cli {
namespace {

// In a process of its own, since registries last as long as one.
[[noreturn]] void run_with_a_data_set_called(const std::string& name) {
  datasets::DatasetInfo info;
  info.name = name;
  datasets::DatasetRegistry::instance().add(std::move(info),
                                            [](const datasets::DatasetRequest&) { return datasets::Dataset(); });
  std::string program = "own", version = "--version";
  char* words[] = {program.data(), version.data(), nullptr};
  std::exit(run_program(2, words, ""));
}

TEST(OwnMain, MayAddADataSetButNoneWithABuiltInName) {
  EXPECT_EXIT(run_with_a_data_set_called("sidecars"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(run_with_a_data_set_called("emoset"), testing::ExitedWithCode(2),
              "the data set 'emoset' that this program adds has the name of one that is built in");
}

}  // namespace
}  // namespace vise::cli
