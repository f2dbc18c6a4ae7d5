#include "extract/networks/pooling.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace vise::networks {
namespace {

constexpr double kGemFloor = 1e-6;
constexpr std::array<std::string_view, 10> kNames{"avg",      "max",   "gem",       "cls", "cls+avg",
                                                  "cls+dist", "last4", "last4+avg", "map", "tokens"};

// Folds every place's channels into `sums`, place after place.
template <typename Fold>
void fold_places(std::span<const float> places, std::span<double> sums, Fold fold) {
  for (std::size_t at = 0; at < places.size(); at += sums.size())
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] = fold(sums[c], static_cast<double>(places[at + c]));
}

// One image's tokens: first those that stand for no place, then the places.
struct ImageTokens {
  ImageTokens(const FeatureMaps& maps, std::size_t image) : channels(static_cast<std::size_t>(maps.channels)) {
    const std::size_t size = maps.values.size() / static_cast<std::size_t>(maps.batch);
    all = maps.values.subspan(image * size, size);
    places = all.subspan(static_cast<std::size_t>(maps.prefix) * channels);
  }
  std::span<const float> token(std::size_t i) const { return all.subspan(i * channels, channels); }

  std::size_t channels;
  std::span<const float> all, places;
};

// Token 0 is the class token.
void write_token(const ImageTokens& image, std::span<float> row) { std::ranges::copy(image.token(0), row.begin()); }

// DeiT's distillation token is the second.
void write_mean_of_two(const ImageTokens& image, std::span<float> row) {
  for (std::size_t c = 0; c < row.size(); ++c)
    row[c] = static_cast<float>((static_cast<double>(image.token(0)[c]) + static_cast<double>(image.token(1)[c])) / 2);
}

enum class Over { mean, maximum, power };
void write_places(const ImageTokens& image, Over over, double power, std::span<float> row) {
  std::vector<double> sums(row.size(), over == Over::maximum ? -std::numeric_limits<double>::infinity() : 0.0);
  if (over == Over::mean) fold_places(image.places, sums, [](double a, double b) { return a + b; });
  if (over == Over::maximum) fold_places(image.places, sums, [](double a, double b) { return std::max(a, b); });
  if (over == Over::power)
    // Radenovic et al. 2018: powers need positive values, so that everything below the
    // floor counts as the floor.
    fold_places(image.places, sums, [&](double a, double b) { return a + std::pow(std::max(b, kGemFloor), power); });
  const double places = static_cast<double>(image.places.size() / row.size());
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (over != Over::maximum) sums[c] /= places;
    if (over == Over::power) sums[c] = std::pow(sums[c], 1 / power);
    row[c] = static_cast<float>(sums[c]);
  }
}

}  // namespace

Pooling Pooling::parse(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (text == kNames[i] && static_cast<Kind>(i) != Kind::gem) return Pooling(static_cast<Kind>(i));
  double power = 0;
  if (text.starts_with("gem:") && parse_double(text.substr(4), power) && power > 0) return Pooling(Kind::gem, power);
  throw Error(ErrorKind::usage, fmt::format("unknown pooling '{}'", text),
              "known: avg, max, gem:P (for example gem:3); of tokens cls, cls+avg, cls+dist, last4, last4+avg, map; "
              "for probe attentive tokens");
}

// What the network's authors probe of its default layer; of other layers the class token where there is one, else the
// mean.
Pooling Pooling::usual(const Outline& network, const std::string& layer) {
  const LayerOutline& seen = network.layer(layer);
  if (layer == network.default_layer) return parse(network.default_pool);
  if (seen.vector || seen.prefix == 0 || !network.has_class_token) return Pooling(Kind::avg);
  return Pooling(network.has_distillation_token ? Kind::cls_dist : Kind::cls);
}

std::string Pooling::name() const {
  if (kind_ == Kind::gem) return "gem:" + number(power_);
  return std::string(kNames[static_cast<std::size_t>(kind_)]);
}

std::vector<std::string> Pooling::layers(const Outline& network, const std::string& layer) const {
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    throw Error(ErrorKind::usage, fmt::format("{}: --pool {}: {}", network.architecture, name(), why), hint);
  };
  if (kind_ == Kind::map) {
    network.layer("map");
    return {"map"};
  }
  const LayerOutline& seen = network.layer(layer);
  if (kind_ == Kind::tokens && seen.height == 0)
    refuse("a graph doesn't say how many tokens it has", "a checkpoint of the network, without TorchScript");
  if (seen.vector && kind_ != Kind::avg)
    refuse(fmt::format("{} gives one vector an image", layer),
           "leave --pool out, or name a layer with a map or tokens: --layer " + network.layer_names().front());
  if (wants_class_token() && (seen.prefix == 0 || !network.has_class_token))
    refuse(fmt::format("{} has no class token", layer), "--pool avg, max or gem:P");
  if (kind_ == Kind::cls_dist && !network.has_distillation_token) refuse("it has no distillation token", "--pool cls");
  if (kind_ != Kind::last4 && kind_ != Kind::last4_avg) return {layer};
  if (layer != "final" || std::ranges::find(network.layers, "final-3", &LayerOutline::name) == network.layers.end())
    refuse("takes the normed tokens of the last four blocks", "--layer final, of a network with four blocks or more");
  return {"final-3", "final-2", "final-1", "final"};
}

// The number of places at another size follows from the map's stride, where that is whole.
std::size_t Pooling::tokens(const Outline& network, const std::string& layer, int side) const {
  if (kind_ != Kind::tokens) return 1;
  const LayerOutline& seen = network.layer(layer);
  const auto places = [&](int at_own_side) -> std::size_t {
    if (side == 0 || side == network.side) return static_cast<std::size_t>(at_own_side);
    const int stride = at_own_side > 0 && network.side % at_own_side == 0 ? network.side / at_own_side : 0;
    if (stride > 0 && side % stride == 0) return static_cast<std::size_t>(side / stride);
    throw Error(
        ErrorKind::usage,
        fmt::format("{}: --pool tokens: how many places {} has at {} pixels is not known without running it",
                    network.architecture, layer, side),
        stride > 0 ? fmt::format("--side with a multiple of {}", stride) : fmt::format("--side {}", network.side));
  };
  return places(seen.height) * places(seen.width);
}

std::size_t Pooling::dim(const Outline& network, const std::string& layer, int side) const {
  std::size_t sum = 0;
  for (const std::string& read : layers(network, layer)) sum += static_cast<std::size_t>(network.layer(read).channels);
  if (kind_ == Kind::cls_avg) sum *= 2;
  if (kind_ == Kind::tokens) sum *= tokens(network, layer, side);
  if (kind_ == Kind::last4_avg) sum += static_cast<std::size_t>(network.layer(layer).channels);
  return sum;
}

// Parts of a row are written in order, each as long as its layer has channels.
void Pooling::operator()(std::span<const FeatureMaps> maps, std::span<float> rows) const {
  const auto batch = static_cast<std::size_t>(maps[0].batch), dim = rows.size() / batch;
  for (std::size_t image = 0; image < batch; ++image) {
    std::span<float> rest = rows.subspan(image * dim, dim);
    if (kind_ == Kind::tokens) {
      const ImageTokens tokens(maps[0], image);
      assert(tokens.places.size() == dim);
      std::ranges::copy(tokens.places, rest.begin());
      continue;
    }
    const auto part = [&](const FeatureMaps& map) {
      const std::span<float> row = rest.first(static_cast<std::size_t>(map.channels));
      rest = rest.subspan(row.size());
      return row;
    };
    for (const FeatureMaps& map : maps) {
      const ImageTokens tokens(map, image);
      switch (kind_) {
        case Kind::avg:
        case Kind::map:
          write_places(tokens, Over::mean, 1, part(map));
          break;
        case Kind::max:
          write_places(tokens, Over::maximum, 1, part(map));
          break;
        case Kind::gem:
          write_places(tokens, Over::power, power_, part(map));
          break;
        case Kind::cls_dist:
          write_mean_of_two(tokens, part(map));
          break;
        default:
          write_token(tokens, part(map));
      }
    }
    if (kind_ == Kind::cls_avg || kind_ == Kind::last4_avg)
      write_places(ImageTokens(maps.back(), image), Over::mean, 1, part(maps.back()));
    assert(rest.empty());
  }
}

}  // namespace vise::networks
