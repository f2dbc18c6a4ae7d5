#include "extract/networks/pooling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace vise::networks {
namespace {

// Two images of 1 x 2 positions and 2 channels.
const std::vector<float> kMap{1, -4, 3, 8, 10, 20, 30, 40};
const FeatureMaps kMaps{kMap, 2, 1, 2, 2};

std::vector<float> pooled(const char* name) {
  std::vector<float> rows(4);
  Pooling::parse(name)(std::span(&kMaps, 1), rows);
  return rows;
}

TEST(Pooling, AveragesPositionsPerChannel) { EXPECT_EQ(pooled("avg"), (std::vector<float>{2, 2, 20, 30})); }

TEST(Pooling, TakesTheMaximumPerChannel) { EXPECT_EQ(pooled("max"), (std::vector<float>{3, 8, 30, 40})); }

TEST(Pooling, GeneralisedMeanClipsBelowItsFloor) {
  const std::vector<float> rows = pooled("gem:3");
  EXPECT_FLOAT_EQ(rows[0], static_cast<float>(std::cbrt((1.0 + 27.0) / 2)));
  EXPECT_FLOAT_EQ(rows[1], static_cast<float>(std::cbrt((1e-18 + 512.0) / 2)));
}

// One image of class and distillation token, two patches, 2 channels.
const std::vector<float> kTokens{1, 2, 3, 6, 10, 20, 30, 40};
const FeatureMaps kTokenMaps{kTokens, 1, 1, 2, 2, 2};

std::vector<float> of_tokens(const char* name, std::size_t dim, std::size_t layers = 1) {
  std::vector<float> rows(dim);
  Pooling::parse(name)(std::vector<FeatureMaps>(layers, kTokenMaps), rows);
  return rows;
}

TEST(Pooling, LeavesTokensWithoutAPlaceOutOfMeans) {
  EXPECT_EQ(of_tokens("avg", 2), (std::vector<float>{20, 30}));
  EXPECT_EQ(of_tokens("max", 2), (std::vector<float>{30, 40}));
}

TEST(Pooling, TakesClassTokensAndPutsPartsSideBySide) {
  EXPECT_EQ(of_tokens("cls", 2), (std::vector<float>{1, 2}));
  EXPECT_EQ(of_tokens("cls+dist", 2), (std::vector<float>{2, 4}));
  EXPECT_EQ(of_tokens("cls+avg", 4), (std::vector<float>{1, 2, 20, 30}));
  EXPECT_EQ(of_tokens("last4", 8, 4), (std::vector<float>{1, 2, 1, 2, 1, 2, 1, 2}));
  EXPECT_EQ(of_tokens("last4+avg", 10, 4), (std::vector<float>{1, 2, 1, 2, 1, 2, 1, 2, 20, 30}));
}

Outline vit_like() {
  Outline outline;
  outline.architecture = "vit-test";
  outline.layers = {{"block1", 8, 1, false},  {"final-3", 8, 1, false}, {"final-2", 8, 1, false},
                    {"final-1", 8, 1, false}, {"final", 8, 1, false},   {"post", 4, 0, true}};
  outline.default_layer = "final";
  outline.default_pool = "cls";
  outline.has_class_token = true;
  return outline;
}

TEST(Pooling, ReadsTheLayersItNeedsAndKnowsItsWidth) {
  const Outline net = vit_like();
  EXPECT_EQ(Pooling::parse("last4").layers(net, "final"),
            (std::vector<std::string>{"final-3", "final-2", "final-1", "final"}));
  EXPECT_EQ(Pooling::parse("last4+avg").dim(net, "final"), 40U);
  EXPECT_EQ(Pooling::parse("cls+avg").dim(net, "block1"), 16U);
  EXPECT_EQ(Pooling::usual(net, "block1").name(), "cls");
  EXPECT_EQ(Pooling::usual(net, "post").name(), "avg");
}

TEST(Pooling, RefusesWhatALayerCannotGive) {
  const Outline net = vit_like();
  const auto refused = [&](const char* pool, const char* layer) {
    try {
      Pooling::parse(pool).layers(net, layer);
    } catch (const Error& e) {
      return e.message();
    }
    return std::string();
  };
  EXPECT_NE(refused("max", "post").find("one vector an image"), std::string::npos);
  EXPECT_NE(refused("cls+dist", "final").find("no distillation token"), std::string::npos);
  EXPECT_NE(refused("last4", "block1").find("last four blocks"), std::string::npos);
  EXPECT_NE(refused("map", "final").find("no layer 'map'"), std::string::npos);
  EXPECT_NE(refused("avg", "layer4").find("no layer 'layer4'"), std::string::npos);
}

TEST(Pooling, OfTokensKeepsEveryPlaceAndNoOtherToken) {
  EXPECT_EQ(of_tokens("tokens", 4), (std::vector<float>{10, 20, 30, 40}));
  std::vector<float> rows(8);
  Pooling::parse("tokens")(std::span(&kMaps, 1), rows);
  EXPECT_EQ(rows, kMap);
}

TEST(Pooling, OfTokensKnowsHowManyThereAreAtASide) {
  Outline net = vit_like();
  net.side = 32;
  net.layers[4] = {"final", 8, 1, false, 4, 4};
  const Pooling tokens = Pooling::parse("tokens");
  EXPECT_EQ(tokens.tokens(net, "final"), 16U);
  EXPECT_EQ(tokens.dim(net, "final"), 128U);
  EXPECT_EQ(tokens.tokens(net, "final", 48), 36U);
  EXPECT_EQ(tokens.dim(net, "final", 48), 288U);
  EXPECT_EQ(Pooling::parse("cls").tokens(net, "final", 48), 1U);
  EXPECT_THROW(tokens.tokens(net, "final", 36), Error);  // 8 pixels a patch
}

TEST(Pooling, OfTokensIsRefusedWhereThereAreNone) {
  const Outline net = vit_like();
  EXPECT_THROW(Pooling::parse("tokens").layers(net, "post"), Error);
  Outline graph;
  graph.layers = {{"output"}};
  graph.graph = GraphKind::torchscript;
  EXPECT_THROW(Pooling::parse("tokens").layers(graph, "output"), Error);
}

TEST(Pooling, NameParsesBackToItself) {
  for (const char* name :
       {"avg", "max", "gem:3", "gem:2.5", "cls", "cls+avg", "cls+dist", "last4", "last4+avg", "map", "tokens"})
    EXPECT_EQ(Pooling::parse(name).name(), name);
}

TEST(Pooling, RefusesUnknownFormsWithTheKnownOnes) {
  for (const char* name : {"mean", "gem", "gem:0", "gem:-1", "gem:x", ""})
    EXPECT_THROW(Pooling::parse(name), Error) << name;
}

}  // namespace
}  // namespace vise::networks
