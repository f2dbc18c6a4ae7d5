// Graphs on OpenCV's dnn module: entry.h. The only source that sees its headers.
//
// Fusion is off: a fused layer's value is another one, so a row would depend on which layers are tapped beside it.
// OpenCV's own threads are off in the whole process, and every replica parses the file again: a cv::dnn::Net's copy
// shares its state.
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <map>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "extract/networks/opencv/entry.h"
#include "extract/networks/opencv/onnx_forms.h"

namespace vise::networks {
namespace {

constexpr std::size_t kMostWords = 200;

// OpenCV's messages name its own source lines and repeat themselves; what is wrong follows the last "error: ".
std::string words_of(const cv::Exception& e) {
  std::string text;
  for (const std::string& line : split(e.err, '\n')) text += line.starts_with("> ") ? line.substr(1) : " " + line;
  if (const auto at = text.rfind("error: ("); at != std::string::npos) text = text.substr(at + 7);
  std::string words = printable(std::string(trim(text)));
  return words.size() > kMostWords ? words.substr(0, kMostWords) + "..." : words;
}

// "Node [Expand@ai.onnx]:(onnx_node!/Expand) parse error": which operation it was; empty where no node is named.
std::string operation_of(const cv::Exception& e) {
  const std::string::size_type at = e.err.find("Node ["), name = e.err.find(":(", at), end = e.err.find(") parse", at);
  if (at == std::string::npos || name == std::string::npos || end == std::string::npos) return {};
  const std::string type = e.err.substr(at + 6, e.err.find('@', at) - at - 6);
  const std::string node = e.err.substr(name + 2, end - name - 2);
  return printable(fmt::format("{} (node '{}')", type, node.substr(node.find('!') + 1)));
}

constexpr const char* kOtherWays =
    "give the state dict of a family that is known (FILE.pth, FILE.safetensors), or the network as TorchScript "
    "(torch.jit.trace, arch=torchscript); older forms of operations that OpenCV may read are written by "
    "torch.onnx.export(..., opset_version=10)";

// What Protocol Buffers' parser, which OpenCV uses, says of this thread's file: the line and word of a prototxt that it
// doesn't know. Left to itself it prints it.
thread_local std::string parser_said;
void keep_what_is_said(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  parser_said = message;
}

// OpenCV throws its own exceptions, and what its parsers and containers throw. No file may end the program by any.
template <typename Run>
auto with_opencv_errors(const Path& file, Run run) {
  parser_said.clear();
  const auto refuse = [&](std::string why) {
    if (!parser_said.empty()) why = "cannot read this graph: " + printable(parser_said);
    throw Error(ErrorKind::input, fmt::format("{}: OpenCV {} {}", file.string(), CV_VERSION, why), kOtherWays);
  };
  try {
    return run();
  } catch (const Error&) {
    throw;
  } catch (const cv::Exception& e) {
    const std::string operation = operation_of(e);
    const std::string lacks = operation.empty() ? std::string("cannot run this graph")
                                                : fmt::format("lacks the operation {} as this graph has it", operation);
    refuse(fmt::format("{}: {}", lacks, words_of(e)));
  } catch (const std::exception& e) {
    refuse(fmt::format("cannot run this graph: {}", printable(e.what())));
  }
  std::abort();  // not reached: refuse() throws
}

// The name that the graph's file has: the importer writes its own before it. Names are of strangers.
std::string own_name(const std::string& name) {
  if (!name.starts_with("onnx_node")) return printable(name);
  return printable(name.substr(name.find('!') + 1));
}

// A graph as it is parsed again for each replica: its files, in the form that this OpenCV reads.
struct GraphFiles {
  explicit GraphFiles(const Graph& of) : graph(of), weights(of.file) {
    if (of.kind == GraphKind::caffe)
      prototxt = read_text_file(of.prototxt);
    else
      older_forms = in_older_forms(weights.bytes());
  }

  cv::dnn::Net parse() const {
    const auto* const bytes = older_forms ? older_forms->data() : reinterpret_cast<const char*>(weights.bytes().data());
    const std::size_t size = older_forms ? older_forms->size() : weights.bytes().size();
    cv::dnn::Net net = graph.kind == GraphKind::caffe
                           ? cv::dnn::readNetFromCaffe(prototxt.data(), prototxt.size(), bytes, size)
                           : cv::dnn::readNetFromONNX(bytes, size);
    // The CPU and OpenCV's own kernels: another backend would round differently, and isn't everywhere.
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    net.enableFusion(false);
    return net;
  }

  Graph graph;
  MappedFile weights;
  std::string prototxt;
  std::optional<std::string> older_forms;  // of an ONNX file, where it has forms that OpenCV doesn't read
};

class GraphTrunk final : public Trunk {
 public:
  GraphTrunk(std::shared_ptr<const GraphFiles> files, const TrunkRequest& request)
      : files_(std::move(files)), request_(request), net_(files_->parse()), taps_(request.layers.size()) {
    const int at_once = std::max(files_->graph.batch, 1), side = request_.side;
    // Whole chunks: what is beyond the batch holds zeros, and nobody reads its rows.
    // A graph may fix its number of pictures (dim_value 1 is frequent), so a batch goes
    // through in chunks of that.
    const int chunks = (request_.batch + at_once - 1) / at_once;
    input_.assign(static_cast<std::size_t>(chunks) * at_once * per_image(), 0);
    chunk_ = {at_once, 3, side, side};
    // OpenCV's names for layers by the names of the file, which users know.
    for (const std::string& name : net_.getLayerNames()) pins_by_name_.emplace(own_name(name), name);
    for (const std::string& layer : request_.layers) pins_.emplace_back(pins_by_name_.at(layer));
  }

  std::span<float> input() override {
    return std::span(input_).first(static_cast<std::size_t>(request_.batch) * per_image());
  }

  void forward() override {
    const auto size = static_cast<std::size_t>(chunk_[0]) * per_image();
    for (Tap& tap : taps_) tap.values.clear();
    for (std::size_t at = 0; at < input_.size(); at += size) {
      std::vector<cv::Mat> outputs;
      with_opencv_errors(files_->graph.file, [&] {
        net_.setInput(cv::Mat(chunk_, CV_32F, input_.data() + at));
        net_.forward(outputs, pins_);
      });
      for (std::size_t i = 0; i < taps_.size(); ++i) keep(outputs.at(i), i);
    }
  }

  FeatureMaps maps(std::size_t layer) override {
    const Tap& tap = taps_.at(layer);
    const auto size = static_cast<std::size_t>(request_.batch) * tap.height * tap.width * tap.channels;
    return {std::span(tap.values).first(size), request_.batch, tap.height, tap.width, tap.channels, 0};
  }

  int batch() const override { return request_.batch; }
  std::unique_ptr<Trunk> replicate() const override {
    return with_opencv_errors(files_->graph.file, [&] { return std::make_unique<GraphTrunk>(files_, request_); });
  }

  std::string state_hash() const override {
    Sha256 hash;
    for (const std::string& name : net_.getLayerNames())
      for (const cv::Mat& blob : const_cast<cv::dnn::Net&>(net_).getLayer(name)->blobs) {
        hash.update(name);
        hash.update(ByteView(reinterpret_cast<const std::byte*>(blob.data), blob.total() * blob.elemSize()));
      }
    return hash.hex();
  }

  std::string description() const override {
    return fmt::format("OpenCV {}, the {} graph unfused", CV_VERSION, graph_kind_name(files_->graph.kind));
  }

 private:
  // Channels innermost, as FeatureMaps has them; OpenCV has them outermost.
  struct Tap {
    int height = 1, width = 1, channels = 0;
    std::vector<float> values;
  };

  std::size_t per_image() const { return std::size_t{3} * request_.side * request_.side; }

  // N x D x H x W to N x H x W x D, one chunk after another; a chunk of another shape is an error, not a wrong row.
  void keep(const cv::Mat& output, std::size_t layer) {
    if (output.type() != CV_32F || (output.dims != 2 && output.dims != 4) || output.size[0] != chunk_[0])
      throw Error(ErrorKind::input,
                  fmt::format("{}: the layer '{}' gives another shape than N x D or N x D x H x W for {} pictures",
                              files_->graph.file.string(), request_.layers[layer], chunk_[0]));
    Tap& tap = taps_[layer];
    tap.channels = output.size[1];
    tap.height = output.dims == 4 ? output.size[2] : 1;
    tap.width = output.dims == 4 ? output.size[3] : 1;
    const std::size_t places = static_cast<std::size_t>(tap.height) * tap.width, channels = tap.channels;
    const auto* const values = output.ptr<float>();
    for (std::size_t image = 0; image < static_cast<std::size_t>(chunk_[0]); ++image)
      for (std::size_t place = 0; place < places; ++place)
        for (std::size_t c = 0; c < channels; ++c)
          tap.values.push_back(values[(image * channels + c) * places + place]);
  }

  std::shared_ptr<const GraphFiles> files_;
  TrunkRequest request_;
  cv::dnn::Net net_;
  std::vector<int> chunk_;  // the shape that goes through at once
  std::vector<float> input_;
  std::map<std::string, std::string> pins_by_name_;
  std::vector<cv::String> pins_;
  std::vector<Tap> taps_;
};

// Layers that are a map or a vector an image; those that no other reads are outputs. OpenCV infers every shape; nothing
// runs.
std::vector<LayerOutline> layers_of(cv::dnn::Net& net, const cv::dnn::MatShape& input) {
  const std::vector<int> ends = net.getUnconnectedOutLayers();
  std::vector<int> ids;
  std::vector<std::vector<cv::dnn::MatShape>> inputs, outputs;
  net.getLayersShapes(input, ids, inputs, outputs);
  std::vector<LayerOutline> layers;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == 0 || outputs[i].empty()) continue;  // 0: the input
    const cv::dnn::MatShape& shape = outputs[i][0];
    if ((shape.size() != 2 && shape.size() != 4) || shape[0] != input[0]) continue;
    const bool vector = shape.size() == 2 || (shape[2] == 1 && shape[3] == 1);
    const bool inner = std::ranges::find(ends, ids[i]) == ends.end();
    const int height = shape.size() == 4 ? shape[2] : 1, width = shape.size() == 4 ? shape[3] : 1;
    layers.push_back({own_name(net.getLayer(ids[i])->name), shape[1], 0, vector, height, width, inner});
  }
  return layers;
}

// Settings of the process, made once: no threads of OpenCV's beside ours, and no message but in an Error.
void prepare_process() {
  static const bool done = [] {
    cv::setNumThreads(1);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    google::protobuf::SetLogHandler(keep_what_is_said);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace
}  // namespace vise::networks

extern "C" void vise_opencv_layers(const vise::networks::Graph& graph, int side,
                                   std::vector<vise::networks::LayerOutline>& layers) {
  vise::networks::prepare_process();
  vise::networks::with_opencv_errors(graph.file, [&] {
    cv::dnn::Net net = vise::networks::GraphFiles(graph).parse();
    const cv::dnn::MatShape shape{std::max(graph.batch, 1), 3, side, side};
    layers = vise::networks::layers_of(net, shape);
    // Shapes can be inferred of graphs that fail when they run; one pass of zeros finds
    // out before any picture is read.
    const cv::Mat zeros(shape, CV_32F, cv::Scalar(0));
    net.setInput(zeros);
    net.forward();
  });
  if (layers.empty())
    throw vise::Error(vise::ErrorKind::input,
                      fmt::format("{}: no layer of the graph gives N x D or N x D x H x W", graph.file.string()));
}

extern "C" void vise_opencv_trunk(const vise::networks::Network& network, const vise::networks::TrunkRequest& request,
                                  std::unique_ptr<vise::networks::Trunk>& trunk) {
  vise::networks::prepare_process();
  const vise::networks::Graph& graph = *network.graph;
  if (!network.any_side && request.side != network.side)
    throw vise::Error(vise::ErrorKind::usage,
                      fmt::format("{}: the graph takes pictures of {} x {}, not of {} x {}", graph.file.string(),
                                  network.side, network.side, request.side, request.side));
  trunk = vise::networks::with_opencv_errors(graph.file, [&] {
    return std::make_unique<vise::networks::GraphTrunk>(std::make_shared<const vise::networks::GraphFiles>(graph),
                                                        request);
  });
}
