// What op.h says of each operation, as plain loops in double precision: the oracle of engines, which share no line with
// it. Slow: for networks of a few channels.
//
//   const Value y = defined(op.kind, {x}, shape_after(op, {x.shape}));
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "base/random.h"
#include "extract/networks/positions.h"
#include "extract/networks/trunk.h"

namespace vise::test {

inline constexpr int kBatch = 3;

inline networks::Parameter drawn(const std::string& name, std::vector<std::int64_t> shape, double deviation = 1,
                                 double mean = 0) {
  RandomStream random("torch-ops/" + name, 0);
  std::vector<float> values(networks::Parameter(shape).size());
  for (float& v : values) v = static_cast<float>(mean + deviation * random.normal());
  return {std::move(shape), std::move(values)};
}

// A value of a batch: B x T x C.
struct Value {
  Value(networks::ValueShape of, std::vector<double> values) : shape(of), data(std::move(values)) {}
  explicit Value(networks::ValueShape of)
      : Value(of, std::vector<double>(static_cast<std::size_t>(kBatch * of.tokens() * of.channels))) {}

  double& at(int image, int token, int channel) {
    return data[static_cast<std::size_t>((image * shape.tokens() + token) * shape.channels + channel)];
  }
  double at(int image, int token, int channel) const { return const_cast<Value&>(*this).at(image, token, channel); }
  // Of a map: 0 outside.
  double place(int image, int y, int x, int channel) const {
    const bool inside = y >= 0 && x >= 0 && y < shape.height && x < shape.width;
    return inside ? at(image, shape.prefix + y * shape.width + x, channel) : 0;
  }

  networks::ValueShape shape;
  std::vector<double> data;
};
using Values = std::vector<Value>;

inline double value_of(const networks::Parameter& parameter, int i) {
  return parameter.values()[static_cast<std::size_t>(i)];
}

// For every image, token and channel of `y`.
template <typename F>
inline Value each(Value y, F f) {
  for (int b = 0; b < kBatch; ++b)
    for (int t = 0; t < y.shape.tokens(); ++t)
      for (int c = 0; c < y.shape.channels; ++c) y.at(b, t, c) = f(b, t, c);
  return y;
}

inline Value defined(const networks::Convolution& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int o) {
    const int y = t / shape.width * k.stride - k.pad, x = t % shape.width * k.stride - k.pad;
    const int width = k.in / k.groups, first = o / (k.out / k.groups) * width;
    double sum = k.bias.exists() ? value_of(k.bias, o) : 0;
    for (int i = 0; i < width; ++i)
      for (int v = 0; v < k.kernel; ++v)
        for (int u = 0; u < k.kernel; ++u)
          sum += value_of(k.weight, ((o * width + i) * k.kernel + v) * k.kernel + u) *
                 in[0].place(b, y + v * k.dilation, x + u * k.dilation, first + i);
    return sum;
  });
}

inline Value defined(const networks::BatchNorm& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int c) {
    return value_of(k.gamma, c) * (in[0].at(b, t, c) - value_of(k.mean, c)) /
               std::sqrt(value_of(k.variance, c) + k.eps) +
           value_of(k.beta, c);
  });
}

inline double defined(networks::Activation function, double x) {
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  switch (function) {
    case networks::Activation::relu:
      return std::max(x, 0.0);
    case networks::Activation::gelu_exact:
      return x * 0.5 * std::erfc(-x / std::numbers::sqrt2);
    case networks::Activation::gelu_tanh:
      return x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x))) / 2;
    case networks::Activation::gelu_quick:
      return x * sigmoid(1.702 * x);
    case networks::Activation::silu:
      return x * sigmoid(x);
    case networks::Activation::sigmoid:
      return sigmoid(x);
  }
  return NAN;
}

inline Value defined(const networks::Activate& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int c) { return defined(k.function, in[0].at(b, t, c)); });
}

inline Value defined(const networks::Add&, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int c) { return in[0].at(b, t, c) + in[1].at(b, t, c); });
}

inline Value defined(const networks::Multiply&, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int c) { return in[0].at(b, t, c) * in[1].at(b, 0, c); });
}

inline Value defined(const networks::Pool2d& k, const Values& in, const networks::ValueShape& shape) {
  const networks::ValueShape& from = in[0].shape;
  return each(Value(shape), [&](int b, int t, int c) {
    double sum = 0, largest = -INFINITY;
    for (int v = 0; v < k.kernel; ++v)
      for (int u = 0; u < k.kernel; ++u) {
        const int y = t / shape.width * k.stride - k.pad + v, x = t % shape.width * k.stride - k.pad + u;
        if (y < 0 || x < 0 || y >= from.height || x >= from.width) continue;
        sum += in[0].place(b, y, x, c);
        largest = std::max(largest, in[0].place(b, y, x, c));
      }
    return k.kind == networks::Pool2d::Kind::max ? largest : sum / (k.kernel * k.kernel);
  });
}

inline double mean_of_places(const Value& x, int image, int channel) {
  double sum = 0;
  for (int p = 0; p < x.shape.places(); ++p) sum += x.at(image, x.shape.prefix + p, channel);
  return sum / x.shape.places();
}

inline Value defined(const networks::Mean&, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int, int c) { return mean_of_places(in[0], b, c); });
}

inline Value defined(const networks::Linear& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int o) {
    double sum = k.bias.exists() ? value_of(k.bias, o) : 0;
    for (int i = 0; i < k.in; ++i) sum += value_of(k.weight, o * k.in + i) * in[0].at(b, t, i);
    return sum;
  });
}

inline Value defined(const networks::LayerNorm& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int c) {
    double mean = 0, variance = 0;
    for (int i = 0; i < shape.channels; ++i) mean += in[0].at(b, t, i) / shape.channels;
    for (int i = 0; i < shape.channels; ++i) variance += std::pow(in[0].at(b, t, i) - mean, 2) / shape.channels;
    return value_of(k.weight, c) * (in[0].at(b, t, c) - mean) / std::sqrt(variance + k.eps) + value_of(k.bias, c);
  });
}

inline Value defined(const networks::Scale& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int c) { return value_of(k.gamma, c) * in[0].at(b, t, c); });
}

inline Value defined(const networks::Tokens& k, const Values& in, const networks::ValueShape& shape) {
  const networks::Parameter positions({shape.places(), shape.channels},
                                      networks::positions_for(k, shape.height, shape.width));
  return each(Value(shape), [&](int b, int t, int c) {
    if (t >= shape.prefix)
      return in[0].at(b, t - shape.prefix, c) + value_of(positions, (t - shape.prefix) * shape.channels + c);
    const double mean = k.mean_token && t == 0 ? mean_of_places(in[0], b, c) : 0;
    return value_of(k.prefix, t * shape.channels + c) + mean;
  });
}

inline Value defined(const networks::Select& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int, int c) { return in[0].at(b, k.token, c); });
}

inline Value defined(const networks::Constant& k, const Values&, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int, int, int c) { return value_of(k.values, c); });
}

// softmax over `keys` of logit(key), times value(key): channel by channel.
inline double weighted(const std::vector<int>& keys, const std::function<double(int)>& logit,
                       const std::function<double(int)>& value) {
  double largest = -INFINITY, sum = 0, total = 0;
  for (const int key : keys) largest = std::max(largest, logit(key));
  for (const int key : keys) total += std::exp(logit(key) - largest);
  for (const int key : keys) sum += std::exp(logit(key) - largest) / total * value(key);
  return sum;
}

// Channel `c` of head `first / d`'s query or key, turned as op.h and positions.h say: token t of a value with rope.
inline double turned(const networks::Rope& rope, const Value& x, int b, int t, int first, int c, int d) {
  const int place = t - x.shape.prefix, quarter = d / 4;
  if (place < 0) return x.at(b, t, first + c);
  const bool halves = rope.pairing == networks::Rope::Pairing::halves;
  const int partner = halves ? (c + d / 2) % d : c ^ 1;
  const bool is_first = halves ? c < d / 2 : c % 2 == 0;
  // Which of the d / 2 angles: rows' first, then columns'.
  const int angle = halves ? c % (d / 2) : c / 2;
  const bool is_row = angle < quarter;
  const int i = is_row ? place / x.shape.width : place % x.shape.width, size = is_row ? x.shape.height : x.shape.width;
  const double period = value_of(rope.periods, angle % quarter);
  const double turn = rope.coordinate == networks::Rope::Coordinate::unit
                          ? 2 * std::numbers::pi * (2 * (i + 0.5) / size - 1) / period
                          : 16.0 * i / (size * period);
  return x.at(b, t, first + c) * std::cos(turn) + (is_first ? -1 : 1) * x.at(b, t, first + partner) * std::sin(turn);
}

inline Value over_all_tokens(const networks::Attention& k, const Value& in, const networks::ValueShape& shape) {
  const int d = shape.channels / k.heads;
  std::vector<int> keys(static_cast<std::size_t>(shape.tokens()));
  for (std::size_t t = 0; t < keys.size(); ++t) keys[t] = static_cast<int>(t);
  const auto part = [&](int b, int t, int first, int c) {
    return k.rope ? turned(*k.rope, in, b, t, first, c, d) : in.at(b, t, first + c);
  };
  return each(Value(shape), [&](int b, int t, int c) {
    const int head = c / d * d;
    const auto logit = [&](int key) {
      double sum = 0;
      for (int i = 0; i < d; ++i) sum += part(b, t, head, i) * part(b, key, shape.channels + head, i);
      return sum / std::sqrt(d);
    };
    return weighted(keys, logit, [&](int key) { return in.at(b, key, 2 * shape.channels + c); });
  });
}

// A place of a padded map: where it is, where the roll brings it, the window it is in and its place there.
struct Axis {
  Axis(int place, int length, int size, int shift)
      : rolled((place - shift + length) % length), window(rolled / size), within(rolled % size), at(place) {}
  // Whether the roll left two places of one window as far apart as they are.
  bool joins(const Axis& other) const { return window == other.window && rolled - other.rolled == at - other.at; }
  int rolled, window, within, at;
};

inline Value within_windows(const networks::Attention& k, const Value& in, const networks::ValueShape& shape) {
  const networks::Window& w = *k.window;
  const auto whole = [&](int length) { return (length + w.size - 1) / w.size * w.size; };
  const int rows = whole(shape.height), columns = whole(shape.width), d = shape.channels / k.heads;
  const auto row = [&](int place) { return Axis(place / columns, rows, w.size, rows > w.size ? w.shift : 0); };
  const auto column = [&](int place) { return Axis(place % columns, columns, w.size, columns > w.size ? w.shift : 0); };
  const auto channel = [&](int b, int place, int c) {
    const int y = place / columns, x = place % columns;
    if (y < shape.height && x < shape.width) return in.place(b, y, x, c);
    return w.padding.exists() ? value_of(w.padding, c) : 0.0;
  };
  return each(Value(shape), [&](int b, int t, int c) {
    const int query = t / shape.width * columns + t % shape.width, head = c / d;
    std::vector<int> keys;
    for (int key = 0; key < rows * columns; ++key)
      if (row(query).joins(row(key)) && column(query).joins(column(key))) keys.push_back(key);
    const auto logit = [&](int key) {
      double sum = 0;
      for (int i = 0; i < d; ++i)
        sum += channel(b, query, head * d + i) * channel(b, key, shape.channels + head * d + i);
      const int side = 2 * w.size - 1;
      const int bias = (row(query).within - row(key).within + w.size - 1) * side + column(query).within -
                       column(key).within + w.size - 1;
      return sum / std::sqrt(d) + value_of(w.bias_table, bias * k.heads + head);
    };
    return weighted(keys, logit, [&](int key) { return channel(b, key, 2 * shape.channels + c); });
  });
}

inline Value defined(const networks::Attention& k, const Values& in, const networks::ValueShape& shape) {
  return k.window ? within_windows(k, in[0], shape) : over_all_tokens(k, in[0], shape);
}

inline Value defined(const networks::CrossAttention& k, const Values& in, const networks::ValueShape& shape) {
  const int d = shape.channels / k.heads;
  std::vector<int> keys(static_cast<std::size_t>(in[1].shape.tokens()));
  for (std::size_t t = 0; t < keys.size(); ++t) keys[t] = static_cast<int>(t);
  return each(Value(shape), [&](int b, int, int c) {
    const auto logit = [&](int key) {
      double sum = 0;
      for (int i = 0; i < d; ++i) sum += in[0].at(b, 0, c / d * d + i) * in[1].at(b, key, c / d * d + i);
      return sum / std::sqrt(d);
    };
    return weighted(keys, logit, [&](int key) { return in[1].at(b, key, shape.channels + c); });
  });
}

inline Value defined(const networks::Gate& k, const Values& in, const networks::ValueShape& shape) {
  return each(Value(shape), [&](int b, int t, int c) {
    return defined(k.function, in[0].at(b, t, c)) * in[0].at(b, t, shape.channels + c);
  });
}

inline Value defined(const networks::ResponseNorm& k, const Values& in, const networks::ValueShape& shape) {
  const auto norm = [&](int b, int c) {
    double sum = 0;
    for (int t = 0; t < shape.tokens(); ++t) sum += in[0].at(b, t, c) * in[0].at(b, t, c);
    return std::sqrt(sum);
  };
  return each(Value(shape), [&](int b, int t, int c) {
    double mean = 0;
    for (int i = 0; i < shape.channels; ++i) mean += norm(b, i) / shape.channels;
    const double x = in[0].at(b, t, c), n = norm(b, c) / (mean + k.eps);
    return x + value_of(k.bias, c) + value_of(k.weight, c) * x * n;
  });
}

inline Value defined(const networks::MergePatches&, const Values& in, const networks::ValueShape& shape) {
  const int channels = in[0].shape.channels;
  return each(Value(shape), [&](int b, int t, int c) {
    const int quarter = c / channels, row = quarter % 2, column = quarter / 2;
    return in[0].place(b, t / shape.width * 2 + row, t % shape.width * 2 + column, c % channels);
  });
}

inline Value as_value(const networks::FeatureMaps& maps) {
  return {{maps.prefix, maps.height, maps.width, maps.channels}, {maps.values.begin(), maps.values.end()}};
}

// Of any operation.
inline Value defined(const networks::OpKind& kind, const Values& in, const networks::ValueShape& shape) {
  return std::visit([&](const auto& k) { return defined(k, in, shape); }, kind);
}

// |got - expected| / |expected|, L2.
inline double relative_error(const Value& got, const Value& expected) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    difference += std::pow(got.data[i] - expected.data[i], 2);
    norm += std::pow(expected.data[i], 2);
  }
  return std::sqrt(difference / norm);
}

}  // namespace vise::test
