// What makes one row an image of a network's values: means and maxima over places, class tokens, and what published
// protocols put together from several layers.
//
// Pooling is exact in the sense that matters for reproducing numbers: sums run in double, in a fixed order, so a row
// depends on its image alone. Class tokens and registers never enter a mean, a maximum or a generalised mean.
//
//   const Pooling pooling = Pooling::parse("cls+avg");
//   pooling.layers(outline, "final");                 // {"final"}: what it reads; checked
//   pooling(maps, rows);                              // rows: batch x pooling.dim(outline, "final")
//
//   avg, max, gem:P   over the places of a map or of patch tokens; gem: (mean of max(x, 1e-6)^P)^(1/P) (Radenovic et
//                     al. 2018)
//   cls               the class token
//   cls+avg           class token, then mean of the patches (DINOv2's linear head)
//   cls+dist          the mean of class and distillation token (DeiT)
//   last4, last4+avg  the normed class tokens of the last four blocks, oldest first; then the last one's patch mean
//   (DINO,
//                     DINOv2)
//   map               SigLIP's attention pooling: the layer of that name
//   tokens            no pooling: the row is every place's channels, place after place (top row of the picture first).
//   For
//                     probes that look at tokens; places of a map are its tokens, class tokens and registers are not
//
// Thread-safe: immutable.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/trunk.h"

namespace vise::networks {

class Pooling {
 public:
  // Error{usage} with the accepted forms when `text` is none of them.
  static Pooling parse(std::string_view text);
  // What a layer is pooled by where nobody says: the network's own way for its own layer, else the class token where
  // there is one, else avg.
  static Pooling usual(const Outline& network, const std::string& layer);

  // The name that appears in features.json and in the feature key; parse(name()) is the same pooling.
  std::string name() const;

  // The layers that it reads for `layer`, in the order in which it wants their maps. Error{usage} for a layer that the
  // network lacks or that can't be pooled so.
  std::vector<std::string> layers(const Outline& network, const std::string& layer) const;
  // Numbers a row; 0 for a graph's. Of `tokens` as many as an input of side x side pixels has places (0: the side
  // that the network is made for): Error{usage} for a side at which only running the network would tell.
  std::size_t dim(const Outline& network, const std::string& layer, int side = 0) const;
  // How many tokens a row holds: the places for `tokens`, 1 for everything that pools.
  std::size_t tokens(const Outline& network, const std::string& layer, int side = 0) const;

  // Writes one row an image, batch x dim, row-major; `maps` are those of layers(), in their order. The size of `rows`
  // is asserted.
  void operator()(std::span<const FeatureMaps> maps, std::span<float> rows) const;

 private:
  enum class Kind { avg, max, gem, cls, cls_avg, cls_dist, last4, last4_avg, map, tokens };
  explicit Pooling(Kind kind, double power = 1) : kind_(kind), power_(power) {}
  bool wants_class_token() const { return kind_ >= Kind::cls && kind_ < Kind::map; }

  Kind kind_ = Kind::avg;
  double power_ = 1;
};

}  // namespace vise::networks
