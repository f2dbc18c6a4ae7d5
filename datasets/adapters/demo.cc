// demo: pictures drawn by the program itself (demo_drawing.h), so that the whole way can be walked without a download.
//
// Tree, in the cache: demo-v1/images/<mood>/<mood>_<nnn>.png. 4 moods of 90 pictures; split: 48 train, 18 val, 24 test
// of each. Metric: accuracy. It measures that the machine works, and nothing about representations.
#include <fmt/format.h>

#include <array>

#include "datasets/adapters/adapters.h"
#include "datasets/adapters/demo_drawing.h"
#include "datasets/png.h"

namespace vise {
namespace {

const DatasetInfo kInfo{.name = "demo",
                        .title = "Demo: moods drawn by the program",
                        .folders = {},
                        .tree = "nothing: it is drawn into the cache",
                        .page = "",
                        .licence = "MIT, as the program",
                        .citation = ""};

constexpr int kPicturesOfMood = 90;
const std::array<std::string, 4> kNames{"anger", "calm", "joy", "sadness"};

Part part_of(int number) {
  const int of_fifteen = number % 15;
  return of_fifteen < 8 ? Part::train : of_fifteen < 11 ? Part::val : Part::test;
}

Dataset read(const DatasetRequest& request) {
  Dataset dataset;
  dataset.name = kInfo.name;
  dataset.root = request.cache / "demo-v1";
  std::vector<int> classes;
  std::vector<Part> parts;
  for (std::size_t mood = 0; mood < kNames.size(); ++mood) {
    for (int number = 0; number < kPicturesOfMood; ++number) {
      dataset.ids.push_back(fmt::format("images/{0}/{0}_{1:03}.png", kNames[mood], number));
      classes.push_back(static_cast<int>(mood));
      parts.push_back(part_of(number));
      const Path path = dataset.path(dataset.size() - 1);
      if (std::filesystem::exists(path)) continue;
      const auto pixels = draw_demo_picture(static_cast<Mood>(mood), number);
      write_file_atomically(path, png_bytes(pixels, kDemoSide, kDemoSide, 3));
      request.log.progress("drawing demo: pictures", dataset.size(), kNames.size() * kPicturesOfMood);
    }
  }
  dataset.targets.emplace("label", Targets::from_classes(std::move(classes), {kNames.begin(), kNames.end()}));
  dataset.official = Split(std::move(parts), "official");
  dataset.notes.push_back("images drawn by the program: a check of the machine, not a result");
  return dataset;
}

}  // namespace

void add_demo(DatasetRegistry& registry) { registry.add(kInfo, read); }

}  // namespace vise
