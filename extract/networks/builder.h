// Puts a network together, operation by operation, taking its parameters from a source.
//
//   NetworkBuilder b(weights);
//   int x = b.conv("conv1", b.input(), {.out = 64, .in = 3, .kernel = 7, .stride = 2, .pad = 3});
//   x = b.relu(b.batch_norm("bn1", x, 64));
//   b.layer("stem", x);
//   return b.finish("resnet", "resnet50");
//
// Every function appends one operation and gives the number of the value it makes. Parameters are asked for as
// "<name>.weight", "<name>.bias" and, of a batch norm, "<name>.running_mean" and "<name>.running_var".
#pragma once

#include <string>
#include <vector>

#include "extract/networks/network.h"
#include "extract/networks/weight_source.h"

namespace vise::networks {

class NetworkBuilder {
 public:
  explicit NetworkBuilder(WeightSource& weights) : weights_(weights) {}

  static int input() { return 0; }
  // `shape` without parameters; they are taken here.
  int conv(const std::string& name, int x, Convolution shape, bool bias = false);
  int batch_norm(const std::string& name, int x, int channels, double eps = 1e-5);
  int activate(const std::string& name, int x, Activation function);
  int relu(const std::string& name, int x) { return activate(name, x, Activation::relu); }
  int linear(const std::string& name, int x, int in, int out, bool bias = true);
  int layer_norm(const std::string& name, int x, int channels, double eps);
  // The parameter is called `name` itself: layer scales go by many names.
  int scale(const std::string& name, int x, int channels);
  int add(const std::string& name, int a, int b) { return append(name, {a, b}, Add{}); }
  // Any other operation, with its parameters.
  int append(const std::string& name, std::vector<int> inputs, OpKind kind);

  // For operations whose parameters have names of their own.
  Parameter take(const std::string& name, std::vector<std::int64_t> shape, Init init) {
    return weights_.take(name, std::move(shape), init);
  }
  void layer(const std::string& name, int value) { network_.layers.push_back({name, value}); }
  Network& network() { return network_; }
  // The last layer is the default one unless network().default_layer is set.
  Network finish(std::string family, std::string architecture);

 private:
  WeightSource& weights_;
  Network network_;
};

}  // namespace vise::networks
