#include "datasets/adapters/demo_drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/random.h"

namespace vise::datasets {
namespace {

struct Colour {
  int r, g, b;
};

struct Point {
  int x, y;  // sixteenths of a pixel
};

// Whole numbers all through, and one draw a statement or a braced list, since compilers evaluate a call's arguments in
// orders of their own: the same pixels on every machine and with every compiler, so that the demo's numbers can be
// tested.
constexpr int kUnit = 16;
constexpr int kMoods = 4;

// The colours a mood leans towards: a ground and a stroke, each of which is moved about by kSpread.
struct Palette {
  Colour ground, stroke;
};
constexpr std::array<Palette, kMoods> kPalettes{{
    // Ground and stroke of each mood, in the order of Mood.
    {{86, 52, 56}, {214, 84, 60}},      // anger: dull reds
    {{70, 104, 112}, {148, 196, 186}},  // calm: greens and teal
    {{152, 128, 84}, {240, 206, 98}},   // joy: yellows
    {{66, 74, 102}, {130, 146, 190}},   // sadness: blues
}};
constexpr int kSpread = 26;
// In percent. A picture takes its mood's palette in 36 of 100 cases and one of all four at random in the others, so
// that it has its own in 52. Of its strokes 20 in 100 are another mood's.
constexpr std::uint64_t kOwnPaletteIn100 = 36;
constexpr std::uint64_t kStrangeStrokesIn100 = 20;

// A canvas of kDemoSide x kDemoSide RGB pixels and the random stream from which all that is on it is drawn.
class Picture {
 public:
  explicit Picture(RandomStream random)
      : random_(random), pixels_(static_cast<std::size_t>(kDemoSide) * kDemoSide * 3) {}

  int between(int low, int high) {  // both included
    return low + static_cast<int>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool chance(std::uint64_t in_100) { return random_.below(100) < in_100; }

  Colour near(Colour c) {
    const auto move = [&](int v) { return std::clamp(v + between(-kSpread, kSpread), 0, 255); };
    return {move(c.r), move(c.g), move(c.b)};
  }

  // From one colour at the top to another at the bottom.
  void fill(Colour top, Colour bottom) {
    for (int y = 0; y < kDemoSide; ++y) {
      const auto mix = [&](int a, int b) { return a + (b - a) * y / (kDemoSide - 1); };
      for (int x = 0; x < kDemoSide; ++x) set(x, y, {mix(top.r, bottom.r), mix(top.g, bottom.g), mix(top.b, bottom.b)});
    }
  }

  // Every pixel whose centre is at most `radius` from the segment. In sixteenths squares stay below 2^63.
  void segment(Point a, Point b, int radius, Colour colour) {
    // The pixels to look at: the segment's bounding box, wider by the radius, cut at the picture's border.
    const auto first = [&](int v) { return std::max(0, (v - radius) / kUnit); };
    const auto last = [&](int v) { return std::min(kDemoSide - 1, (v + radius) / kUnit); };
    const std::int64_t dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy, radius2 = radius * radius;
    for (int y = first(std::min(a.y, b.y)); y <= last(std::max(a.y, b.y)); ++y) {
      for (int x = first(std::min(a.x, b.x)); x <= last(std::max(a.x, b.x)); ++x) {
        // Products instead of distances: no root and no division, so nothing is rounded. `along` and `across` are the
        // place along the segment and beside it, each times the segment's length.
        const std::int64_t px = x * kUnit + kUnit / 2 - a.x, py = y * kUnit + kUnit / 2 - a.y;
        const std::int64_t along = px * dx + py * dy, across = px * dy - py * dx;
        const std::int64_t qx = px - dx, qy = py - dy;
        const bool inside = along <= 0         ? px * px + py * py <= radius2
                            : along >= length2 ? qx * qx + qy * qy <= radius2
                                               : across * across <= radius2 * length2;
        if (inside) set(x, y, colour);
      }
    }
  }

  // The parabola through `from`, `to` and, halfway between them, `sag` off the straight line (downwards or to the
  // right).
  void arc(Point from, Point to, Point sag, int radius, Colour colour) {
    constexpr int kPieces = 12;
    Point before = from;
    for (int i = 1; i <= kPieces; ++i) {
      // 4 i (n - i) / n^2 is 0 at both ends and 1 in the middle.
      const auto at = [&](int a, int b, int s) {
        return a + (b - a) * i / kPieces + s * 4 * i * (kPieces - i) / (kPieces * kPieces);
      };
      const Point next{at(from.x, to.x, sag.x), at(from.y, to.y, sag.y)};
      segment(before, next, radius, colour);
      before = next;
    }
  }

  std::vector<std::uint8_t> take() { return std::move(pixels_); }

 private:
  void set(int x, int y, Colour c) {
    const std::size_t at = (static_cast<std::size_t>(y) * kDemoSide + static_cast<std::size_t>(x)) * 3;
    pixels_[at] = static_cast<std::uint8_t>(c.r);
    pixels_[at + 1] = static_cast<std::uint8_t>(c.g);
    pixels_[at + 2] = static_cast<std::uint8_t>(c.b);
  }

  RandomStream random_;
  std::vector<std::uint8_t> pixels_;
};

constexpr int px(int pixels) { return pixels * kUnit; }

// How a stroke is drawn: half its width in sixteenths of a pixel, and its colour.
struct Pen {
  int radius;
  Colour colour;
};

// Each stroke is about as long, as thick and as much ink as the other moods'.
void draw_joy(Picture& picture, Pen pen) {
  const Point at{px(picture.between(20, 200)), px(picture.between(40, 220))};
  if (picture.chance(60)) {
    const int width = px(picture.between(50, 90)), sag = width * picture.between(35, 50) / 100;
    const int rise = px(picture.between(-8, 8));
    picture.arc(at, {at.x + width, at.y + rise}, {0, sag}, pen.radius, pen.colour);
    return;
  }
  const int length = px(picture.between(30, 50));
  for (const int lean : {-70, 0, 70}) {
    // `sideways` is the sine of the ray's angle in percent; 1 - sine^2 / 2 replaces the cosine, in whole numbers.
    const int sideways = lean + picture.between(-15, 15);
    picture.segment(at, {at.x + length * sideways / 100, at.y - length * (100 - sideways * sideways / 200) / 100},
                    pen.radius, pen.colour);
  }
}

void draw_calm(Picture& picture, Pen pen) {
  Point at{px(picture.between(-10, 130)), px(picture.between(12, 244))};
  const int width = px(picture.between(32, 48)), height = px(picture.between(4, 8)), slope = px(picture.between(-3, 3));
  int sign = picture.chance(50) ? 1 : -1;
  for (int i = 0; i < 3; ++i, sign = -sign) {
    const Point next{at.x + width, at.y + slope};
    picture.arc(at, next, {0, sign * height}, pen.radius, pen.colour);
    at = next;
  }
}

void draw_anger(Picture& picture, Pen pen) {
  Point at{px(picture.between(0, 180)), px(picture.between(30, 226))};
  int sign = picture.chance(50) ? 1 : -1;
  const int teeth = picture.between(3, 4);
  for (int i = 0; i < teeth; ++i, sign = -sign) {
    const Point next{at.x + px(picture.between(12, 24)), at.y + sign * px(picture.between(24, 44))};
    picture.segment(at, next, pen.radius, pen.colour);
    at = next;
  }
}

void draw_sadness(Picture& picture, Pen pen) {
  const Point at{px(picture.between(12, 244)), px(picture.between(-10, 150))};
  const int length = px(picture.between(70, 110)), side = picture.chance(50) ? 1 : -1;
  const Point middle{at.x + px(picture.between(-4, 4)), at.y + length * 2 / 3};
  picture.segment(at, middle, pen.radius, pen.colour);
  picture.arc(middle, {middle.x + side * px(picture.between(14, 26)), at.y + length}, {-side * px(4), px(6)},
              pen.radius, pen.colour);
}

void draw_stroke(Picture& picture, Mood mood, Pen pen) {
  switch (mood) {
    case Mood::anger:
      return draw_anger(picture, pen);
    case Mood::calm:
      return draw_calm(picture, pen);
    case Mood::joy:
      return draw_joy(picture, pen);
    case Mood::sadness:
      return draw_sadness(picture, pen);
  }
}

Mood other_than(Mood mood, int step) { return static_cast<Mood>((static_cast<int>(mood) + step) % kMoods); }

}  // namespace

std::vector<std::uint8_t> draw_demo_picture(Mood mood, int number) {
  // The order of the draws is part of the data set: moving one of these lines gives other pictures.
  Picture picture(RandomStream(fmt::format("demo/{}/{}", static_cast<int>(mood), number), 1));
  const auto any = static_cast<std::size_t>(picture.between(0, kMoods - 1));
  const Palette& palette = kPalettes[picture.chance(kOwnPaletteIn100) ? static_cast<std::size_t>(mood) : any];
  const Colour bottom = picture.near(palette.ground), top = picture.near(palette.ground);
  picture.fill(top, bottom);
  const Mood stranger = other_than(mood, picture.between(1, kMoods - 1));
  const int strokes = picture.between(16, 22);
  for (int i = 0; i < strokes; ++i) {
    const Pen pen{kUnit * picture.between(4, 9) / 2, picture.near(palette.stroke)};
    draw_stroke(picture, picture.chance(kStrangeStrokesIn100) ? stranger : mood, pen);
  }
  return picture.take();
}

}  // namespace vise::datasets
