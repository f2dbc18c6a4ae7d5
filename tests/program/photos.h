// Two classes of drawn pictures for the tests of verbs.
#pragma once

#include "base/random.h"
#include "datasets/png.h"
#include "tests/program/program.h"

namespace vise::test {

// Noise in large tiles about a colour: distinct pictures that a histogram of colours tells apart.
inline std::string picture(const std::string& name, std::uint8_t red) {
  constexpr std::uint32_t kSide = 48;
  RandomStream random(name, 0);
  std::vector<std::uint8_t> pixels(kSide * kSide * 3);
  std::vector<std::uint8_t> tiles(36);
  for (std::uint8_t& tile : tiles) tile = static_cast<std::uint8_t>(random.below(120));
  for (std::uint32_t y = 0; y < kSide; ++y)
    for (std::uint32_t x = 0; x < kSide; ++x) {
      std::uint8_t* const pixel = &pixels[(y * kSide + x) * 3];
      pixel[0] = red;
      pixel[1] = pixel[2] = tiles[y / 8 * 6 + x / 8];
    }
  return datasets::png_bytes(pixels, kSide, kSide, 3);
}

// photos/calm and photos/tense.
inline Path photos(const Program& program, int of_each = 10) {
  for (const std::string mood : {"calm", "tense"})
    for (int i = 0; i < of_each; ++i) {
      const std::string name = fmt::format("photos/{}/{}.png", mood, i);
      write_file_atomically(program / name, picture(name, mood == "calm" ? 20 : 230));
    }
  return program / "photos";
}

}  // namespace vise::test
