// Graphs of strangers: recognised by their bytes, checked before OpenCV parses them, run as their files say.
#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "extract/networks/inspect_graph.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/opencv/onnx_forms.h"
#include "extract/networks/opencv/open.h"
#include "extract/networks/trunk.h"
#include "tests/onnx_files.h"
#include "tests/opencv_module.h"
#include "tests/plain_file.h"
#include "tests/shared.h"

namespace vise::networks {
namespace {

using test::bytes_field;
using test::node;
using test::OnnxGraph;
using test::small_graph;
using test::tensor;
using test::value_info;
using test::varint_field;

ByteView view(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }

template <typename Run>
std::string why_refused(Run run) {
  try {
    run();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input) << e.message();
    return e.message();
  }
  return "nothing was refused";
}

#define EXPECT_SAYS(run, part)                             \
  {                                                        \
    const std::string said = why_refused([&] { run; });    \
    EXPECT_NE(said.find(part), std::string::npos) << said; \
  }

TEST(GraphFile, IsToldByItsBytes) {
  EXPECT_EQ(graph_kind(view(small_graph().file())), GraphKind::onnx);
  EXPECT_EQ(graph_kind(view(bytes_field(1, "net") + bytes_field(100, "layer"))), GraphKind::caffe);
  EXPECT_EQ(graph_kind(view(bytes_field(1, "net") + bytes_field(2, std::string(300, ' ')))), GraphKind::caffe);
  for (const std::string& other : {std::string(), std::string("PK\3\4"), std::string(100, '\0'), std::string("\x80\2"),
                                   std::string("{\"a\": 1}"), bytes_field(1, "a text alone")})
    EXPECT_EQ(graph_kind(view(other)), std::nullopt) << other;
}

TEST(GraphFile, SaysWhatItTakesAndGives) {
  const GraphShape shape = read_onnx_shape(view(small_graph(8, 2).file()));
  EXPECT_EQ(shape.batch, 2);
  EXPECT_EQ(shape.side, 8);
  EXPECT_EQ(shape.outputs, (std::vector<std::string>{"features", "map"}));
  const GraphShape any = read_onnx_shape(view(small_graph(0, 0).file()));
  EXPECT_EQ(any.batch, 0);
  EXPECT_EQ(any.side, 0);
}

// ONNX's first files list the weights among the inputs.
TEST(GraphFile, PassesOverWeightsAmongTheInputs) {
  OnnxGraph old = small_graph();
  old.inputs.insert(old.inputs.begin(), value_info("weight", {2, 3, 1, 1}));
  old.inputs.push_back(value_info("bias", {2}));
  EXPECT_EQ(read_onnx_shape(view(old.file())).side, 8);
}

TEST(GraphFile, IsRefusedWhereItIsNoPicturesGraph) {
  const auto shape_of = [](const OnnxGraph& graph) { read_onnx_shape(view(graph.file())); };
  OnnxGraph graph = small_graph();
  graph.inputs.push_back(value_info("mask", {1, 1, 8, 8}));
  EXPECT_SAYS(shape_of(graph), "is a graph of 2 inputs");
  graph.inputs = {value_info("picture", {1, 3, 8, 9})};
  EXPECT_SAYS(shape_of(graph), "takes pictures of 8 x 9");
  graph.inputs = {value_info("picture", {1, 4, 8, 8})};
  EXPECT_SAYS(shape_of(graph), "of 4 channels");
  graph.inputs = {value_info("picture", {1, 16})};
  EXPECT_SAYS(shape_of(graph), "of 2 dimensions");
  graph = small_graph();
  graph.outputs.clear();
  EXPECT_SAYS(shape_of(graph), "without an output");
}

// OpenCV would believe the dimensions.
TEST(GraphFile, IsRefusedWhereATensorIsNotAsLongAsItSays) {
  const auto with_weight = [](const std::string& weight) {
    OnnxGraph graph = small_graph();
    graph.initializers[0] = weight;
    read_onnx_shape(view(graph.file()));
  };
  EXPECT_SAYS(with_weight(tensor("weight", {2, 3, 1, 2}, {1, 2, 3, 4, 5, 6})), "'weight' has not as many values");
  EXPECT_SAYS(with_weight(tensor("weight", {1ULL << 40}, {})), "dimensions pass 2^31");
  EXPECT_SAYS(with_weight(tensor("weight", {1 << 20, 1 << 20}, {})), "dimensions pass 2^31");
  EXPECT_SAYS(with_weight(varint_field(1, 6) + varint_field(2, 1) + bytes_field(8, "weight") + bytes_field(13, "f")),
              "'weight' lies in another file");
  EXPECT_SAYS(with_weight(varint_field(1, 1) + varint_field(2, 8) + bytes_field(6, "text")), "of data type 8");
}

TEST(GraphFile, IsRefusedWhereItIsCut) {
  const std::string whole = small_graph().file();
  const test::ScratchDir scratch;
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size() - 4; ++size) {  // the last field is the opset, of 4 bytes
    test::write_plainly(scratch / "cut.onnx", whole.substr(0, size));
    try {
      load_network(scratch / "cut.onnx", {});
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::input) << size;
      ++refused;
    }
  }
  EXPECT_EQ(refused, whole.size() - 4);
  test::write_plainly(scratch / "cut.onnx", whole.substr(0, whole.size() / 2));
  EXPECT_SAYS(load_network(scratch / "cut.onnx", {}), "is a damaged ONNX graph");
}

TEST(Prototxt, SaysWhatANetworkTakesInItsThreeForms) {
  for (const char* text :
       {"name: 'n' input: \"data\"\ninput_dim: 10 input_dim: 3 input_dim: 227 # rows\ninput_dim: 227",
        "input: 'data' input_shape { dim: 1 dim: 3 dim: 227 dim: 227 }",
        "layer { name: 'data' type: 'Input' top: 'data' input_param { shape: { dim: 1 dim: 3 dim: 227 dim: 227 } } "
        "}"}) {
    const GraphShape shape = read_prototxt_shape(text);
    EXPECT_EQ(shape.side, 227) << text;
    EXPECT_EQ(shape.batch, 0) << text;
  }
}

TEST(Prototxt, IsRefusedWhereItIsNone) {
  EXPECT_SAYS(read_prototxt_shape("layer { name: 'data' type: 'Data' }"), "says no input's size");
  EXPECT_SAYS(read_prototxt_shape(""), "says no input's size");
  EXPECT_SAYS(read_prototxt_shape("layer { name: 'data'"), "a bracket isn't closed");
  EXPECT_SAYS(read_prototxt_shape("layer } "), "a bracket closes nothing");
  EXPECT_SAYS(read_prototxt_shape("name: 'data"), "a quoted text doesn't end");
  EXPECT_SAYS(read_prototxt_shape(std::string(100, '{')), "nested too deep");
  EXPECT_SAYS(read_prototxt_shape("input_dim: 1 input_dim: 1 input_dim: 28 input_dim: 28"), "of 1 channels");
}

TEST(OlderForms, AreMadeOnlyWhereAFileNeedsThem) {
  EXPECT_EQ(in_older_forms(view(small_graph().file())), std::nullopt);
  EXPECT_EQ(in_older_forms({}), std::nullopt);
  OnnxGraph graph = small_graph();
  graph.nodes[1] = node("Clip", "relu", {"before", "min", "max"}, {"map"});
  EXPECT_EQ(in_older_forms(view(graph.file())), std::nullopt) << "the bounds aren't constant";
  graph.initializers.push_back(tensor("min", {}, {0}));
  graph.initializers.push_back(tensor("max", {}, {6}));
  EXPECT_NE(in_older_forms(view(graph.file())), std::nullopt);
}

class GraphRun : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::have_opencv()) GTEST_SKIP() << "skipped: built without OpenCV";
  }

  Path write(const std::string& bytes, const std::string& name = "graph.onnx") const {
    test::write_plainly(scratch_ / name, bytes);
    return scratch_ / name;
  }

  Network load(const OnnxGraph& graph) const { return load_network(write(graph.file()), {.side = 8}); }

  // Of pictures whose every red is 1, 2, 3 ..., green -0.5 and blue 0.5.
  static std::vector<float> run(const Network& network, const std::string& layer, int batch) {
    const auto trunk = make_trunk(network, {Engine::opencv, Precision::fp32, {layer}, batch, 8});
    std::span<float> input = trunk->input();
    for (std::size_t i = 0; i < input.size(); ++i)
      input[i] = i / 64 % 3 == 0 ? static_cast<float>(i / 192 + 1) : i / 64 % 3 == 1 ? -0.5f : 0.5f;
    trunk->forward();
    const FeatureMaps maps = trunk->maps(0);
    return {maps.values.begin(), maps.values.end()};
  }

  test::ScratchDir scratch_;
};

TEST_F(GraphRun, GivesEachPictureItsOwnRow) {
  for (const std::uint64_t batch : {0, 1, 2, 4})
    EXPECT_EQ(run(load(small_graph(8, batch)), "features", 3), (std::vector<float>{0.5, 0, 1.5, 0, 2.5, 0})) << batch;
}

TEST_F(GraphRun, HasMapsWithChannelsInnermost) {
  const std::vector<float> map = run(load(small_graph()), "map", 1);
  ASSERT_EQ(map.size(), 128U);
  for (std::size_t i = 0; i < map.size(); ++i) EXPECT_EQ(map[i], i % 2 == 0 ? 0.5f : 0.f);
}

TEST_F(GraphRun, NamesOutputsAndWhatIsInside) {
  const Outline seen = outline(load(small_graph()));
  EXPECT_EQ(seen.default_layer, "features");
  EXPECT_EQ(seen.layer_names(), (std::vector<std::string>{"features", "map"}));
  EXPECT_EQ(seen.layer("conv").channels, 2);
  try {
    seen.layer("block3");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("it has features, map; and inside conv, relu"), std::string::npos) << e.hint();
  }
  EXPECT_EQ(to_json(outline_from_json(to_json(seen))), to_json(seen));
}

TEST_F(GraphRun, TakesTheBoundsOfAClipFromItsInputs) {
  OnnxGraph graph = small_graph();
  graph.nodes[1] = node("Clip", "relu", {"before", "low", "high"}, {"map"});
  graph.initializers.push_back(tensor("high", {}, {2}));
  // The lower one by an Identity, as exporters write what equals another tensor.
  graph.initializers.push_back(tensor("one", {}, {1}));
  graph.nodes.insert(graph.nodes.begin(), node("Identity", "same", {"one"}, {"low"}));
  EXPECT_EQ(run(load(graph), "features", 3), (std::vector<float>{1, 1, 1.5, 1, 2, 1}));
}

TEST_F(GraphRun, TakesEqualTensorsForEachOther) {
  OnnxGraph graph = small_graph();
  graph.nodes.insert(graph.nodes.begin(), node("Identity", "same", {"bias"}, {"other"}));
  graph.nodes[1] =
      node("Conv", "conv", {"picture", "weight", "other"}, {"before"}, test::ints_attribute("kernel_shape", {1, 1}));
  EXPECT_EQ(run(load(graph), "features", 1), (std::vector<float>{0.5, 0}));
}

TEST_F(GraphRun, NamesTheOperationThatOpenCvLacks) {
  OnnxGraph graph = small_graph();
  graph.nodes[1] = node("Gelu", "act7", {"before"}, {"map"});
  const Path file = write(graph.file());
  EXPECT_SAYS(load_network(file, {.side = 8}),
              "OpenCV " + opencv_version() + " lacks the operation Gelu (node 'act7')");
}

TEST_F(GraphRun, SaysWhatIsWrongWithAPrototxtAndPrintsNothing) {
  const Path weights = write(bytes_field(1, "net") + bytes_field(100, bytes_field(1, "conv")), "net.caffemodel");
  const Path prototxt = write("input: 'data' input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\nlayer { nome: 'conv' }", "p");
  testing::internal::CaptureStderr();
  EXPECT_SAYS(load_network(weights, {.prototxt = prototxt}), "2:13: Message type");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(GraphRun, RefusesWhatIsSaidOfCheckpoints) {
  const Path file = write(small_graph().file());
  for (const NetworkRequest& request :
       {NetworkRequest{.load = {.architecture = "resnet50"}}, NetworkRequest{.load = {.branch = "teacher"}}})
    EXPECT_THROW(load_network(file, request), Error);
  EXPECT_SAYS(load_network(file, {.prototxt = "deploy.prototxt"}), "is an ONNX graph, which no prototxt describes");
  const Path weights = write(bytes_field(1, "net") + bytes_field(100, bytes_field(1, "conv")), "net.caffemodel");
  EXPECT_SAYS(load_network(weights, {}), "a prototxt describes the network");
}

TEST_F(GraphRun, RunsOnOpenCvAtItsOwnSizeOnly) {
  const Network network = load(small_graph());
  for (const TrunkRequest& request : {TrunkRequest{.engine = Engine::onednn, .layers = {"map"}, .side = 8},
                                      TrunkRequest{.engine = Engine::torch, .layers = {"map"}, .side = 8},
                                      TrunkRequest{.engine = Engine::opencv, .layers = {"map"}, .side = 16},
                                      TrunkRequest{.engine = Engine::opencv, .layers = {"layer4"}, .side = 8}}) {
    try {
      make_trunk(network, request);
      ADD_FAILURE() << engine_name(request.engine);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage) << e.message();
    }
  }
}

// Whatever a byte becomes: the network loads, or it is one Error.
TEST_F(GraphRun, GivesOneErrorForAHostileByte) {
  const std::string whole = small_graph().file();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const unsigned char flip : {0x01, 0x80, 0xFF}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
      try {
        load_network(write(changed), {.side = 8});
      } catch (const Error&) {
        ++refused;
      }
    }
  EXPECT_GT(refused, whole.size());
}

TEST_F(GraphRun, IsInspected) {
  const std::optional<GraphInspection> seen = inspect_graph(write(small_graph().file()), {});
  ASSERT_TRUE(seen);
  EXPECT_EQ(to_json(*seen)["container"], "onnx");
  EXPECT_EQ(to_json(*seen)["network"]["default_layer"], "features");
  const std::string text = to_text(*seen);
  for (const char* part :
       {"pictures of 8 x 8", "outputs       features (2, a vector), map (2)", "inside        conv (2)"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_EQ(inspect_graph(write("no graph", "x.txt"), {}), std::nullopt);
}

}  // namespace
}  // namespace vise::networks
