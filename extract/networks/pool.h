// Average, max and generalised-mean pooling of a trunk's feature maps to one row an image.
//
// Pooling is exact in the sense that matters for reproducing numbers: sums run in double, in a fixed order, so a row
// depends on its image alone.
//
//   const Pool pool = Pool::parse("gem:3");          // "avg", "max", "gem:P" with P > 0
//   pool(maps, rows);                                // rows.size() == maps.batch * maps.channels
//
// Generalised mean (Radenovic et al. 2018): (mean of max(x, 1e-6)^P)^(1/P). Thread-safe: a Pool is immutable.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "extract/networks/trunk.h"

namespace vise {

class Pool {
 public:
  // Error{usage} with the accepted forms when `text` is none of them.
  static Pool parse(std::string_view text);

  // Writes one row an image, batch x channels, row-major. The size of `rows` is asserted.
  void operator()(const FeatureMaps& maps, std::span<float> rows) const;

  // The name that appears in features.json and in the feature key; parse(name()) is the same pool.
  std::string name() const;

 private:
  enum class Kind { avg, max, gem };
  Kind kind_ = Kind::avg;
  double power_ = 1;
};

}  // namespace vise
