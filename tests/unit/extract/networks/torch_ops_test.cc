// LibTorch's interpreter, operation by operation, against what op.h says of each.
#include <gtest/gtest.h>

#include "extract/networks/make_trunk.h"
#include "tests/torch_module.h"
#include "tests/unit/extract/networks/op_definitions.h"

namespace vise::networks {
namespace {

using namespace test;

class TorchOps : public testing::Test {
 protected:
  void SetUp() override {
    if (!have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  }

  // Appends; gives the value that it makes. Every value is a layer, called by its number.
  int op(OpKind kind, std::vector<int> inputs) {
    network_.ops.push_back({"op" + std::to_string(network_.ops.size()), std::move(inputs), std::move(kind)});
    const int value = static_cast<int>(network_.ops.size());
    network_.layers.push_back({std::to_string(value), value});
    return value;
  }
  // A map of so many channels, as large as the input.
  int channels(int count) {
    return op(Convolution{.out = count, .in = 3, .weight = drawn("in", {count, 3, 1, 1})}, {0});
  }

  // Every value of the network for noise, value 0 included.
  Values run(int side) {
    network_.architecture = "drawn";
    network_.side = side;
    TrunkRequest request{.engine = Engine::torch, .layers = {}, .batch = kBatch, .side = side};
    for (const Layer& layer : network_.layers) request.layers.push_back(layer.name);
    const auto trunk = make_trunk(network_, request);
    RandomStream random("torch-ops/input", 0);
    for (float& v : trunk->input()) v = static_cast<float>(random.normal());
    const std::string before = trunk->state_hash();
    trunk->forward();
    EXPECT_EQ(trunk->state_hash(), before);
    const ValueShape shape{0, side, side, 3};
    const auto input = trunk->input();
    Values values{each(Value(shape), [&](int b, int t, int c) {
      return static_cast<double>(input[static_cast<std::size_t>((b * 3 + c) * side * side + t)]);
    })};
    for (std::size_t i = 0; i < request.layers.size(); ++i) values.push_back(as_value(trunk->maps(i)));
    return values;
  }

  // Compares each value with what its operation's definition makes of the values that it took.
  void expect_as_defined(int side) {
    const Values values = run(side);
    const std::vector<ValueShape> shapes = value_shapes(network_, side);
    for (std::size_t i = 0; i < network_.ops.size(); ++i) {
      Values inputs;
      for (const int input : network_.ops[i].inputs) inputs.push_back(values[static_cast<std::size_t>(input)]);
      const Value expected = defined(network_.ops[i].kind, inputs, shapes[i + 1]);
      const Value& got = values[i + 1];
      ASSERT_EQ(got.shape, expected.shape) << op_name(network_.ops[i]);
      // A few roundings of float32, whose half unit is 6e-8.
      EXPECT_LE(relative_error(got, expected), 1e-6) << network_.ops[i].name << ", " << op_name(network_.ops[i]);
    }
  }

  Network network_;
};

TEST_F(TorchOps, ConvolveAsDefined) {
  const int x = channels(8);
  op(Convolution{.out = 6, .in = 8, .kernel = 3, .stride = 2, .pad = 1, .weight = drawn("w", {6, 8, 3, 3})}, {x});
  op(Convolution{.out = 8,
                 .in = 8,
                 .kernel = 7,
                 .pad = 3,
                 .groups = 8,
                 .weight = drawn("w", {8, 1, 7, 7}),
                 .bias = drawn("b", {8})},
     {x});
  op(
      Convolution{
          .out = 4, .in = 8, .kernel = 3, .pad = 2, .groups = 2, .dilation = 2, .weight = drawn("w", {4, 4, 3, 3})},
      {x});
  // Patches that leave a row and a column of the map out.
  op(
      Convolution{
          .out = 5, .in = 3, .kernel = 4, .stride = 4, .weight = drawn("w", {5, 3, 4, 4}), .bias = drawn("b", {5})},
      {0});
  expect_as_defined(9);
}

TEST_F(TorchOps, NormaliseAsDefined) {
  const int x = channels(8);
  op(BatchNorm{drawn("g", {8}), drawn("b", {8}), drawn("m", {8}), drawn("v", {8}, 0.1, 1), 1e-3}, {x});
  const int norm = op(LayerNorm{drawn("g", {8}), drawn("b", {8}), 0.1}, {x});
  op(Scale{drawn("s", {8})}, {norm});
  op(ResponseNorm{drawn("g", {8}), drawn("b", {8}), 0.1}, {norm});
  expect_as_defined(5);
}

TEST_F(TorchOps, ActivateGateAddAndMultiplyAsDefined) {
  const int x = channels(8);
  for (const Activation f : {Activation::relu, Activation::gelu_exact, Activation::gelu_tanh, Activation::gelu_quick,
                             Activation::silu, Activation::sigmoid}) {
    op(Activate{f}, {x});
    op(Gate{f}, {x});
  }
  const int tokens = op(Linear{8, 8, drawn("w", {8, 8}), {}}, {x});
  op(Add{}, {x, x});
  op(Add{}, {x, tokens});
  op(Add{}, {tokens, x});
  const int vector = op(Mean{}, {x});
  op(Multiply{}, {x, vector});
  op(Multiply{}, {tokens, vector});
  expect_as_defined(4);
}

TEST_F(TorchOps, PoolMergeAndMultiplyByMatricesAsDefined) {
  const int x = channels(8);
  op(Pool2d{Pool2d::Kind::max, 3, 2, 1}, {x});
  op(Pool2d{Pool2d::Kind::average, 2, 2, 0}, {x});
  const int merged = op(MergePatches{}, {x});
  const int tokens = op(Linear{5, 32, drawn("w", {5, 32}), drawn("b", {5})}, {merged});
  op(MergePatches{}, {tokens});
  op(Pool2d{Pool2d::Kind::max, 3, 2, 1}, {tokens});
  op(Mean{}, {tokens});
  op(Convolution{.out = 4, .in = 5, .kernel = 3, .pad = 1, .weight = drawn("w", {4, 5, 3, 3})}, {tokens});
  expect_as_defined(7);
}

TEST_F(TorchOps, MakeTokensAsDefined) {
  const int x = channels(8);
  const Parameter positions = drawn("positions", {4, 4, 8});
  const int with_prefix = op(Tokens{drawn("prefix", {3, 8}), positions, std::nullopt, false}, {x});
  op(Select{0}, {with_prefix});
  op(Select{5}, {with_prefix});
  op(Mean{}, {with_prefix});
  op(Linear{5, 8, drawn("w", {5, 8}), drawn("b", {5})}, {with_prefix});
  op(Tokens{drawn("prefix", {2, 8}), positions, std::nullopt, true}, {x});
  op(Tokens{{}, positions, std::nullopt, false}, {x});
  op(Tokens{{}, drawn("positions", {6, 6, 8}), PositionRule::antialias, false}, {x});
  op(Constant{drawn("values", {8})}, {});
  expect_as_defined(4);
}

TEST_F(TorchOps, AttendToAllTokensAsDefined) {
  const int x =
      op(Tokens{drawn("prefix", {2, 48}), drawn("positions", {5, 5, 48}), std::nullopt, false}, {channels(48)});
  op(Attention{1, std::nullopt, std::nullopt}, {x});
  op(Attention{2, std::nullopt, std::nullopt}, {x});
  for (const Rope::Coordinate coordinate : {Rope::Coordinate::unit, Rope::Coordinate::cells})
    for (const Rope::Pairing pairing : {Rope::Pairing::halves, Rope::Pairing::pairs})
      op(Attention{2, Rope{Parameter({2}, {1.5F, 9}), coordinate, pairing}, std::nullopt}, {x});
  const int query = op(Select{1}, {op(Linear{24, 48, drawn("w", {24, 48}, 0.1), {}}, {x})});
  op(CrossAttention{1}, {query, x});
  op(CrossAttention{4}, {query, x});
  expect_as_defined(5);
}

// Maps that windows divide, that they don't, and that are a window or less.
TEST_F(TorchOps, AttendWithinWindowsAsDefined) {
  for (const int side : {3, 4, 6, 8, 10}) {
    network_ = {};
    const int x = channels(24);
    for (const int shift : {0, 1, 2})
      for (const Parameter& padding : {Parameter(), drawn("padding", {24})}) {
        Window window;
        window.size = 4;
        window.shift = shift;
        window.bias_table = drawn("table", {49, 2});
        window.padding = padding;
        op(Attention{2, std::nullopt, window}, {x});
      }
    expect_as_defined(side);
  }
}

// A small vision transformer: products of an odd number of rows meet other kernels at a block's edge.
TEST_F(TorchOps, GiveBitEqualValuesWhereverAnImageStandsInTheBatch) {
  const int patches = op(Convolution{.out = 64,
                                     .in = 3,
                                     .kernel = 8,
                                     .stride = 8,
                                     .weight = drawn("patch", {64, 3, 8, 8}, 0.1),
                                     .bias = drawn("b", {64})},
                         {0});
  const int tokens =
      op(Tokens{drawn("prefix", {1, 64}), drawn("positions", {7, 7, 64}), std::nullopt, false}, {patches});
  const int norm = op(LayerNorm{drawn("g", {64}), drawn("b", {64}), 1e-6}, {tokens});
  const int qkv = op(Linear{192, 64, drawn("qkv", {192, 64}, 0.2), drawn("b", {192})}, {norm});
  const int attended = op(Attention{4, std::nullopt, std::nullopt}, {qkv});
  op(Activate{Activation::gelu_exact}, {op(Linear{250, 64, drawn("fc", {250, 64}, 0.2), {}}, {attended})});
  network_.architecture = "drawn";
  network_.side = 56;
  const auto trunk =
      make_trunk(network_, {.engine = Engine::torch, .layers = {network_.layers.back().name}, .batch = 4, .side = 56});
  const std::size_t size = 3 * 56 * 56;
  const auto rows_of = [&](const std::vector<std::size_t>& order) {
    for (std::size_t place = 0; place < order.size(); ++place) {
      RandomStream random("torch-ops/" + std::to_string(order[place]), 0);
      for (float& v : trunk->input().subspan(place * size, size)) v = static_cast<float>(random.normal());
    }
    trunk->forward();
    std::vector<std::vector<float>> rows(4);
    const auto values = trunk->maps(0).values;
    for (std::size_t place = 0; place < 4; ++place) {
      const auto row = values.subspan(place * values.size() / 4, values.size() / 4);
      rows[order[place]].assign(row.begin(), row.end());
    }
    return rows;
  };
  const auto expected = rows_of({0, 1, 2, 3});
  EXPECT_EQ(rows_of({3, 2, 1, 0}), expected);
  EXPECT_EQ(rows_of({1, 3, 0, 2}), expected);
}

}  // namespace
}  // namespace vise::networks
