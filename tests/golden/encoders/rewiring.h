// Deliberate errors that are other operations: code that leaves a step out, takes steps in another order, or does what
// op.h has no word for, spelt in op.h's words.
#pragma once

#include <cmath>
#include <numbers>

#include "tests/golden/encoders/mistakes.h"

namespace vise::test {

// The operation of that name.
inline std::size_t op_named(const networks::Network& network, std::string_view name) {
  const auto found = std::ranges::find(network.ops, name, &networks::Op::name);
  EXPECT_NE(found, network.ops.end()) << name;
  return static_cast<std::size_t>(found - network.ops.begin());
}

// Puts an operation before number `at`; its inputs are values made before. Gives its value.
inline int insert(networks::Network& network, std::size_t at, std::vector<int> inputs, networks::OpKind kind) {
  const auto moved = static_cast<int>(at);
  for (std::size_t i = at; i < network.ops.size(); ++i)
    for (int& input : network.ops[i].inputs) input += input > moved;
  for (networks::Layer& layer : network.layers) layer.value += layer.value > moved;
  network.ops.insert(network.ops.begin() + moved, networks::Op{"inserted", std::move(inputs), std::move(kind)});
  return networks::Network::value_of(at);
}

// A layer that is another value, made of the network's values by operations at its end.
inline int append(networks::Network& network, std::vector<int> inputs, networks::OpKind kind) {
  return insert(network, network.ops.size(), std::move(inputs), std::move(kind));
}
inline void set_layer(networks::Network& network, std::string_view name, int value) {
  std::ranges::find(network.layers, name, &networks::Layer::name)->value = value;
}

// Who read `from` reads `to`, from operation `first` on.
inline void redirect(networks::Network& network, int from, int to, std::size_t first) {
  for (std::size_t i = first; i < network.ops.size(); ++i)
    for (int& input : network.ops[i].inputs)
      if (input == from) input = to;
}

// Everybody reads what the operations of that end read, instead of what they make.
inline void leave_out(networks::Network& network, std::string_view end) {
  bool any = false;
  for (std::size_t i = 0; i < network.ops.size(); ++i)
    if (network.ops[i].name.ends_with(end)) {
      redirect(network, networks::Network::value_of(i), network.ops[i].inputs[0], i + 1);
      any = true;
    }
  EXPECT_TRUE(any) << end;
}

// The last norm of the mean, where the mean of the normed is right.
inline void norm_after_mean(networks::Network& network) {
  const networks::Op norm = network.ops[op_named(network, "norm")];
  const int mean = append(network, norm.inputs, networks::Mean{});
  set_layer(network, "final", append(network, {mean}, norm.kind));
}

// The mean of the normed map, where the norm of the mean is right.
inline void norm_before_mean(networks::Network& network) {
  const auto is_mean = [](const networks::Op& op) { return op.as<networks::Mean>() != nullptr; };
  const auto mean = std::ranges::find_if(network.ops, is_mean);
  const auto norm = std::ranges::find_if(mean, network.ops.end(),
                                         [](const networks::Op& op) { return op.as<networks::LayerNorm>(); });
  const std::vector<int> map = mean->inputs;
  const networks::OpKind kind = norm->kind;
  set_layer(network, "final", append(network, map, kind));
}

// A mean over patches and registers, which are tokens 1 to `registers`.
inline void registers_in_mean(networks::Network& network, int registers, int places) {
  const int tokens = std::ranges::find(network.layers, "final", &networks::Layer::name)->value;
  const auto width = static_cast<std::int64_t>(every<networks::Scale>(network).front()->gamma.size());
  const auto share = [&](double count) {
    return networks::Scale{networks::Parameter(
        {width},
        std::vector<float>(static_cast<std::size_t>(width), static_cast<float>(count / (places + registers))))};
  };
  int sum = append(network, {append(network, {tokens}, networks::Mean{})}, share(places));
  for (int i = 1; i <= registers; ++i)
    sum = append(network, {sum, append(network, {append(network, {tokens}, networks::Select{i})}, share(1))},
                 networks::Add{});
  set_layer(network, "final", sum);
}

// y = bias + weight x n, without x.
inline void response_norm_without_identity(networks::Network& network) {
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    const auto* const norm = network.ops[i].as<networks::ResponseNorm>();
    if (!norm) continue;
    const auto n = static_cast<std::int64_t>(norm->weight.size());
    const networks::Scale minus{networks::Parameter({n}, std::vector<float>(static_cast<std::size_t>(n), -1.0F))};
    const int whole = networks::Network::value_of(i);
    const int negative = insert(network, i + 1, network.ops[i].inputs, minus);
    redirect(network, whole, insert(network, i + 2, {whole, negative}, networks::Add{}), i + 3);
  }
}

// A map rolled up and left by `shift` places, or down and right: what leaves on one side comes in on the other. A roll
// along one axis is two depthwise convolutions, each with one tap that is not zero, of what stays and what comes in.
inline int roll(networks::Network& network, std::size_t& at, int x, int side, int channels, int shift) {
  for (const bool rows : {true, false}) {
    std::vector<int> parts;
    for (const int step : {shift, shift > 0 ? shift - side : shift + side}) {
      std::vector<float> taps(static_cast<std::size_t>(channels) * 9);
      const std::size_t tap = rows ? (step > 0 ? 7 : 1) : (step > 0 ? 5 : 3);
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) taps[9 * c + tap] = 1;
      networks::Convolution conv{.out = channels,
                                 .in = channels,
                                 .kernel = 3,
                                 .pad = std::abs(step),
                                 .groups = channels,
                                 .dilation = std::abs(step)};
      conv.weight = networks::Parameter({channels, 1, 3, 3}, std::move(taps));
      parts.push_back(insert(network, at++, {x}, std::move(conv)));
    }
    x = insert(network, at++, parts, networks::Add{});
  }
  return x;
}

// Shifted windows that attend to whomever the roll brought beside them.
inline void shift_without_mask(networks::Network& network, int input_side) {
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    auto* const attention = std::get_if<networks::Attention>(&network.ops[i].kind);
    if (!attention || attention->window->shift == 0) continue;
    const networks::ValueShape shape =
        networks::value_shapes(network, input_side)[static_cast<std::size_t>(networks::Network::value_of(i))];
    if (shape.height <= attention->window->size) continue;
    const int shift = std::exchange(attention->window->shift, 0);
    // Before the linear layer of queries, keys and values, which are three times as many channels.
    std::size_t at = i - 1;
    const int x = network.ops[at].inputs[0];
    const std::size_t before = at;
    const int rolled = roll(network, at, x, shape.height, shape.channels, shift);
    network.ops[at].inputs[0] = rolled;
    i += at - before;
    at = i + 1;
    const int back = roll(network, at, networks::Network::value_of(i), shape.height, shape.channels, -shift);
    network.ops[at].inputs[0] = back;
    i = at;
  }
}

// Dimension `dimension` in groups of `d`, each with zeros after it up to `wider`.
inline networks::Parameter widened(const networks::Parameter& old, std::size_t d, std::size_t wider,
                                   std::size_t dimension) {
  std::vector<std::int64_t> shape = old.shape();
  std::size_t inner = d;
  for (std::size_t i = dimension + 1; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  std::vector<float> values(old.size() / d * wider);
  for (std::size_t i = 0; i < old.size(); ++i) values[i / inner * (inner / d * wider) + i % inner] = old.values()[i];
  shape[dimension] = shape[dimension] / static_cast<std::int64_t>(d) * static_cast<std::int64_t>(wider);
  return {std::move(shape), std::move(values)};
}

// The last attention's one window rolled and masked as if it were one of many: places attend within the four corners of
// the map that the roll by size / 2 keeps together. Four more channels of queries and keys, one a corner, add 100 to
// the logits of two places of one corner (torchvision's mask takes 100 from the others').
inline void shift_single_window(networks::Network& network) {
  constexpr std::size_t kCorners = 4;
  std::size_t at = network.ops.size();
  while (!network.ops[--at].as<networks::Attention>()) {
  }
  auto& attention = std::get<networks::Attention>(network.ops[at].kind);
  auto &qkv = std::get<networks::Linear>(network.ops[at - 1].kind),
       &proj = std::get<networks::Linear>(network.ops[at + 1].kind);
  const int size = attention.window->size;
  const auto heads = static_cast<std::size_t>(attention.heads), d = static_cast<std::size_t>(proj.in) / heads,
             wider = d + kCorners, width = heads * wider;
  attention.window->padding = {};
  qkv.weight = widened(qkv.weight, d, wider, 0);
  qkv.bias = widened(qkv.bias, d, wider, 0);
  proj.weight = widened(proj.weight, d, wider, 1);
  qkv.out = static_cast<int>(3 * width);
  proj.in = static_cast<int>(width);
  // Logits are divided by the root of a head's channels, which are more now.
  const auto rescale = [&](std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size() / 3; ++i)
      values[i] *= static_cast<float>(std::sqrt(static_cast<double>(wider) / static_cast<double>(d)));
  };
  change(qkv.weight, rescale);
  change(qkv.bias, rescale);
  const auto mark = static_cast<float>(std::sqrt(100 * std::sqrt(static_cast<double>(wider))));
  std::vector<float> corners;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x)
      for (std::size_t i = 0; i < 3 * width; ++i) {
        const std::size_t corner = static_cast<std::size_t>(2 * (y < size / 2) + (x < size / 2));
        corners.push_back(i < 2 * width && i % wider == d + corner ? mark : 0.0F);
      }
  networks::Tokens tokens;
  tokens.positions = networks::Parameter({size, size, static_cast<std::int64_t>(3 * width)}, std::move(corners));
  const int marked = insert(network, at, {networks::Network::value_of(at - 1)}, std::move(tokens));
  network.ops[at + 1].inputs[0] = marked;
}

// The rows of queries and keys, or their bias, as what the turn of a head's channels by `angles`, halves with halves,
// adds to them; zeros for the values. `inner` numbers a row.
inline networks::Parameter turned_less_itself(const networks::Parameter& qkv, const std::vector<double>& angles) {
  const std::span<const float> old = qkv.values();
  const std::size_t half = 2 * angles.size(), rows = static_cast<std::size_t>(qkv.shape()[0]),
                    inner = old.size() / rows;
  std::vector<float> added(old.size());
  for (std::size_t row = 0; row < 2 * rows / 3; ++row) {
    const bool first = row / half % 2 == 0;
    const double angle = angles[row % angles.size()], sine = first ? -std::sin(angle) : std::sin(angle);
    const std::size_t other = first ? row + half : row - half;
    for (std::size_t i = 0; i < inner; ++i)
      added[row * inner + i] =
          static_cast<float>((std::cos(angle) - 1) * old[row * inner + i] + sine * old[other * inner + i]);
  }
  return {qkv.shape(), std::move(added)};
}

// Zeros before the rows, as many.
inline networks::Parameter below_zeros(const networks::Parameter& rows) {
  std::vector<std::int64_t> shape = rows.shape();
  shape[0] *= 2;
  std::vector<float> values(rows.size());
  values.insert(values.end(), rows.values().begin(), rows.values().end());
  return {std::move(shape), std::move(values)};
}

// DINOv3's places without their half pixel: all angles are smaller by that of half a place. Attention sees differences
// of angles, so as much is a turn of the tokens that stand for no place the other way: what it adds to their queries
// and keys goes through a gate that is 1 for them and 0 for places.
inline void rope_without_half_pixel(networks::Network& network, int prefix, int side) {
  const networks::Linear first = *every<networks::Linear>(network, ".attn.qkv").front();
  const int width = first.out, patch = every<networks::Convolution>(network).front()->kernel;
  networks::Convolution nothing{.out = 2 * width, .in = 3, .kernel = patch, .stride = patch};
  nothing.weight = networks::Parameter({nothing.out, 3, patch, patch},
                                       std::vector<float>(static_cast<std::size_t>(nothing.out * 3 * patch * patch)));
  networks::Tokens marks;
  std::vector<float> ones(static_cast<std::size_t>(prefix * 2 * width));
  for (std::size_t i = 0; i < ones.size(); ++i)
    ones[i] = i % static_cast<std::size_t>(2 * width) < static_cast<std::size_t>(width);
  marks.prefix = networks::Parameter({prefix, 2 * width}, std::move(ones));
  const int zeros = insert(network, 0, {0}, std::move(nothing)), mark = insert(network, 1, {zeros}, std::move(marks));
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    if (!network.ops[i].name.ends_with(".attn.qkv")) continue;
    const networks::Op qkv = network.ops[i];
    std::vector<double> angles;
    for (const float period : network.ops[i + 1].as<networks::Attention>()->rope->periods.values())
      angles.push_back(2 * std::numbers::pi / side / static_cast<double>(period));
    const networks::Linear& right = *qkv.as<networks::Linear>();
    const networks::Linear turn{2 * width, right.in, below_zeros(turned_less_itself(right.weight, angles)),
                                below_zeros(turned_less_itself(right.bias, angles))};
    int y = insert(network, i + 1, qkv.inputs, turn);
    y = insert(network, i + 2, {y, mark}, networks::Add{});
    y = insert(network, i + 3, {y}, networks::Gate{networks::Activation::relu});
    network.ops[i + 5].inputs[0] = insert(network, i + 4, {networks::Network::value_of(i), y}, networks::Add{});
  }
}

}  // namespace vise::test
