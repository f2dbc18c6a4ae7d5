// The pictures of the data set `demo`: four moods drawn as strokes.
//
//   joy      arcs that open upwards, and rays that rise from one point
//   calm     long, flat waves
//   anger    steep zigzags with sharp corners
//   sadness  vertical strokes that sag at their ends
//
// A mood is defined by the strokes' form. Colours only lean towards it: every mood may use every palette, its own a
// little more often, and size, number, thickness and place of strokes vary alike in all four; each picture also holds a
// few strokes of another mood. So a colour histogram is better than guessing and well below what form tells.
//
// Integers only, and every number drawn from a named stream: the same pixels on every machine.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vise::datasets {

enum class Mood : std::uint8_t { anger, calm, joy, sadness };  // bytewise, as their names

inline constexpr int kDemoSide = 256;

// kDemoSide x kDemoSide x 3 bytes of picture `number` of a mood.
std::vector<std::uint8_t> draw_demo_picture(Mood mood, int number);

}  // namespace vise::datasets
