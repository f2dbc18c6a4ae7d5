// A family's files in memory: the parameters of a build function under the names of other codes, whole and spoilt.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "extract/networks/load.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/trunk.h"
#include "tests/unit/extract/networks/networks.h"

namespace vise::test {

// A tensor that owns its values.
inline networks::NamedTensor owned(std::string name, std::vector<std::int64_t> shape, std::vector<float> values) {
  const auto owner = std::make_shared<std::vector<float>>(std::move(values));
  std::vector<std::int64_t> strides = networks::contiguous_strides(shape);
  return {std::move(name),
          "",
          {networks::DType::f32, std::move(shape), std::move(strides), 0, std::as_bytes(std::span(*owner)), owner}};
}

// Gives every parameter values of its own and keeps it by its name.
class Recorder final : public networks::WeightSource {
 public:
  networks::Parameter take(const std::string& name, std::vector<std::int64_t> shape, networks::Init) override {
    RandomStream stream(name, 0);
    std::vector<float> values(networks::Parameter(shape).size());
    for (float& value : values) value = static_cast<float>(stream.uniform());
    tensors.push_back(owned(name, shape, values));
    return {std::move(shape), std::move(values)};
  }

  std::vector<networks::NamedTensor> tensors;
};

// Patterns of names, and what files of another code have in their place: the first that is found is replaced.
using Renaming = std::vector<std::pair<std::string, std::string>>;

inline std::vector<networks::NamedTensor> renamed(std::vector<networks::NamedTensor> tensors, const Renaming& renaming,
                                                  const std::string& prefix = "") {
  for (networks::NamedTensor& tensor : tensors) {
    for (const auto& [from, to] : renaming)
      if (const std::regex pattern(from); std::regex_search(tensor.name, pattern)) {
        tensor.name = std::regex_replace(tensor.name, pattern, to);
        break;
      }
    tensor.name = prefix + tensor.name;
  }
  return tensors;
}

// The tensors whose names end so, in the shape that `change` makes of theirs.
inline std::vector<networks::NamedTensor> reshaped(
    std::vector<networks::NamedTensor> tensors, const std::string& end,
    const std::function<std::vector<std::int64_t>(const std::vector<std::int64_t>&)>& change) {
  for (networks::NamedTensor& named : tensors)
    if (named.name.ends_with(end)) {
      named.tensor.shape = change(named.tensor.shape);
      named.tensor.strides = networks::contiguous_strides(named.tensor.shape);
    }
  return tensors;
}

inline std::vector<std::int64_t> with_two_after(std::vector<std::int64_t> shape) {
  shape.insert(shape.end(), 2, 1);
  return shape;
}
inline std::vector<std::int64_t> with_three_before(std::vector<std::int64_t> shape) {
  shape.insert(shape.begin(), 3, 1);
  return shape;
}

inline networks::Facts facts_of(const std::vector<std::pair<std::string, std::string>>& said) {
  networks::Facts facts;
  for (const auto& [name, value] : said) facts.say(name, value, "the user");
  return facts;
}

inline networks::Network load_from(std::vector<networks::NamedTensor> tensors, const networks::Facts& facts = {},
                                   networks::LoadReport* report = nullptr) {
  networks::LoadRequest request;
  request.facts = facts;
  return networks::load_network(checkpoint_of(std::move(tensors)), request, report);
}

// What loading these tensors is refused with; "" where it isn't.
inline std::string refusal(std::vector<networks::NamedTensor> tensors, const networks::Facts& facts = {}) {
  try {
    load_from(std::move(tensors), facts);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input) << e.message();
    return e.message();
  }
  return "";
}

// That a file with one tensor missing, one too many, one of another shape or one non-finite is refused, by the name of
// `key`, a whole key of the file.
inline void expect_strict(const std::vector<networks::NamedTensor>& tensors, const std::string& key,
                          const networks::Facts& facts = {}) {
  ASSERT_EQ(refusal(tensors, facts), "");
  const auto at = std::ranges::find(tensors, key, &networks::NamedTensor::name) - tensors.begin();
  ASSERT_LT(at, std::ssize(tensors)) << key;
  const auto spoilt = [&](auto spoil) {
    std::vector<networks::NamedTensor> copy = tensors;
    spoil(copy, copy[static_cast<std::size_t>(at)]);
    return refusal(std::move(copy), facts);
  };
  const auto has = [&](const std::string& message, const std::string& text) {
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_NE(message.find(key), std::string::npos) << message;
  };
  has(spoilt([&](auto& all, auto&) { all.erase(all.begin() + at); }), "1 missing");
  has(spoilt([&](auto& all, auto&) { all.push_back(constant(key + ".more", {3})); }), "1 unexpected");
  has(spoilt([&](auto&, networks::NamedTensor& one) {
        std::vector<std::int64_t> shape = one.tensor.shape;
        shape.push_back(2);
        one = constant(key, std::move(shape));
      }),
      " is ");
  has(spoilt([&](auto&, networks::NamedTensor& one) {
        one = constant(key, one.tensor.shape, std::numeric_limits<float>::quiet_NaN());
      }),
      "NaN");
}

// The epsilons of a network's layer norms and batch norms, in order, each once.
inline std::vector<double> epsilons(const networks::Network& network) {
  std::vector<double> found;
  const auto note = [&](double eps) {
    if (std::ranges::find(found, eps) == found.end()) found.push_back(eps);
  };
  for (const networks::Op& op : network.ops) {
    if (const auto* norm = op.as<networks::LayerNorm>()) note(norm->eps);
    if (const auto* norm = op.as<networks::BatchNorm>()) note(norm->eps);
  }
  return found;
}

// "stage1 96, stage2 192, ..., final 768 vector": what an outline says of the layers.
inline std::string layers_text(const networks::Network& network) {
  std::string text;
  for (const networks::LayerOutline& layer : networks::outline(network).layers)
    text += (text.empty() ? "" : ", ") + layer.name + " " + std::to_string(layer.channels) +
            (layer.vector ? " vector" : "");
  return text;
}

// That an image's values, of the first and the last layer, are the same to the last bit at every place of a batch
// and whatever is beside it. Of bf16 only where the processor has it.
inline void expect_same_at_every_place(const networks::Network& network, int side, networks::Precision precision) {
  const std::vector<std::string> layers{network.layers.front().name, network.layers.back().name};
  std::unique_ptr<networks::Trunk> trunk;
  try {
    trunk = networks::make_trunk(network, {.precision = precision, .layers = layers, .batch = 4, .side = side});
  } catch (const Error& e) {
    ASSERT_EQ(precision, networks::Precision::bf16) << e.message();
    return;
  }
  const std::size_t pixels = trunk->input().size() / 4;
  std::map<int, std::array<std::vector<float>, 2>> seen;
  for (const std::array<int, 4>& batch : {std::array{0, 1, 2, 3}, {3, 0, 4, 1}, {1, 1, 0, 2}}) {
    for (std::size_t place = 0; place < 4; ++place) {
      RandomStream stream("image", static_cast<std::uint64_t>(batch[place]));
      for (float& value : trunk->input().subspan(place * pixels, pixels))
        value = static_cast<float>(4 * stream.uniform() - 2);
    }
    trunk->forward();
    for (std::size_t place = 0; place < 4; ++place)
      for (std::size_t layer = 0; layer < 2; ++layer) {
        const std::span<const float> all = trunk->maps(layer).values,
                                     own = all.subspan(place * all.size() / 4, all.size() / 4);
        std::vector<float>& before = seen[batch[place]][layer];
        if (before.empty()) before.assign(own.begin(), own.end());
        EXPECT_TRUE(std::ranges::equal(before, own))
            << layers[layer] << ", image " << batch[place] << ", place " << place;
      }
  }
}

}  // namespace vise::test
