// demo: pictures drawn by the program itself (demo_drawing.h), so that the whole way can be walked without a download.
//
// Tree, in the cache: demo-v1/images/<mood>/<mood>_<nnn>.png. 4 moods of 90 pictures; split: 48 train, 18 val, 24 test
// of each. Metric: accuracy. It measures that the machine works, and nothing about representations.
#include <fmt/format.h>

#include <array>
#include <atomic>

#include "base/threads.h"
#include "datasets/adapters/adapters.h"
#include "datasets/adapters/demo_drawing.h"
#include "datasets/dataset_registry.h"
#include "datasets/png.h"

namespace vise::datasets {
namespace {

const DatasetInfo kDemo{.name = "demo",
                        .title = "Demo: moods drawn by the program",
                        .folders = {},
                        .tree = "nothing: it is drawn into the cache",
                        .page = "",
                        .licence = "MIT, as the program",
                        .citation = ""};

constexpr int kPicturesOfMood = 90;
const std::array<std::string, 4> kNames{"anger", "calm", "joy", "sadness"};

Part part_of(int number) {
  // 8, 3 and 4 of every 15: the shares hold for each mood, and a picture keeps its part
  // if more are drawn one day.
  const int of_fifteen = number % 15;
  return of_fifteen < 8 ? Part::train : of_fifteen < 11 ? Part::val : Part::test;
}

// Each picture is synced to disk, which is most of the time: threads wait for it side by side.
void draw_missing(const Dataset& dataset, Log& log) {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < dataset.size(); ++i)
    if (!std::filesystem::exists(dataset.path(i))) missing.push_back(i);
  std::atomic<std::size_t> done = 0;
  parallel_for(2 * available_cores(), missing.size(), [&](std::size_t m) {
    const int item = static_cast<int>(missing[m]);
    const auto pixels = draw_demo_picture(static_cast<Mood>(item / kPicturesOfMood), item % kPicturesOfMood);
    // Renamed when it is whole: a picture that exists is complete, and a run that was stopped goes on where it was.
    write_file_atomically(dataset.path(missing[m]), png_bytes(pixels, kDemoSide, kDemoSide, 3));
    log.progress("drawing demo: pictures", ++done, missing.size());
  });
}

Dataset read_demo(const DatasetRequest& request) {
  Dataset dataset;
  dataset.name = kDemo.name;
  // The drawing's version is in the folder's name: other drawings get another folder, and never mix with these.
  dataset.root = request.cache / "demo-v1";
  std::vector<int> classes;
  std::vector<Part> parts;
  for (std::size_t mood = 0; mood < kNames.size(); ++mood) {
    for (int number = 0; number < kPicturesOfMood; ++number) {
      dataset.ids.push_back(fmt::format("images/{0}/{0}_{1:03}.png", kNames[mood], number));
      classes.push_back(static_cast<int>(mood));
      parts.push_back(part_of(number));
    }
  }
  dataset.targets.emplace("label", Targets::from_classes(std::move(classes), {kNames.begin(), kNames.end()}));
  dataset.official = Split(std::move(parts), "official");
  dataset.notes.push_back("images drawn by the program: a check of the machine, not a result");
  draw_missing(dataset, request.log);
  return dataset;
}

}  // namespace

void add_demo(DatasetRegistry& registry) { registry.add(kDemo, read_demo); }

}  // namespace vise::datasets
