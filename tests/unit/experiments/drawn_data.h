// A small data set drawn by code: flat squares whose colour tells their class more or less, with a topic and a split.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "datasets/dataset_registry.h"
#include "datasets/png.h"
#include "experiments/runner.h"
#include "probes/builtin.h"
#include "tests/shared.h"

namespace vise::test {

inline void write_square(const Path& file, int red, int green, int blue, std::string_view name) {
  constexpr int kSide = 16;
  RandomStream noise(name, 0);
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < kSide * kSide; ++i)
    for (const int channel : {red, green, blue})
      pixels.push_back(static_cast<std::uint8_t>(std::min(255, channel + static_cast<int>(noise.below(60)))));
  write_file_atomically(file, datasets::png_bytes(pixels, kSide, kSide, 3));
}

// `items` images of two classes in a manifest with a split (half train, a quarter val, a quarter test) and a topic.
inline Path write_drawn_data(const Path& folder, int items = 48) {
  std::string csv = "path,label,split,topic\n";
  for (int i = 0; i < items; ++i) {
    const bool warm = i % 2 == 0;
    const std::string name = fmt::format("images/{:03}.png", i);
    RandomStream draw("drawn/" + name, 0);
    const int strength = static_cast<int>(draw.below(160));
    write_square(folder / name, warm ? 40 + strength : 60, 60, warm ? 60 : 40 + strength, name);
    const int of_eight = i / 2 % 8;
    csv += fmt::format("{},{},{},{}\n", name, warm ? "warm" : "cold",
                       of_eight < 4   ? "train"
                       : of_eight < 6 ? "val"
                                      : "test",
                       i / 2 % 3 == 0 ? "sea" : "land");
  }
  write_file_atomically(folder / "moods.csv", csv);
  return folder / "moods.csv";
}

// Colour histograms and logistic regression on the drawn data: a run of milliseconds.
inline experiments::RunRequest drawn_request(const Path& folder, const Path& out) {
  if (!std::filesystem::exists(folder / "moods.csv")) write_drawn_data(folder);
  experiments::RunRequest request;
  request.tasks = {experiments::task_for_data(folder / "moods.csv", "label")};
  request.backbones = {"colour-histogram"};
  request.probes = {"logreg,grid=0.01:100:3"};
  request.extract.cache = folder / "cache";
  request.extract.weights.offline = true;
  request.out = out;
  return request;
}

// The registries, filled once a program.
inline void register_everything() {
  static const bool once = [] {
    datasets::register_builtin_datasets(datasets::DatasetRegistry::instance());
    probes::register_builtin_probes(probes::ProbeRegistry::instance());
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace vise::test
