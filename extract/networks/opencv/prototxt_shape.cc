// What a Caffe prototxt says of its network's input. It is Protocol Buffers' text format (protobuf.dev,
// reference/protobuf/textformat-spec) of caffe.proto's NetParameter; OpenCV reads the rest.
#include <fmt/format.h>

#include <cctype>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/opencv/open.h"

namespace vise::networks {
namespace {

[[noreturn]] void refuse(const std::string& what, std::string hint = "") {
  throw Error(ErrorKind::input, what, std::move(hint));
}

// Names, numbers, quoted text (without its quotes) and the marks { } < > : alone.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  // Empty at the end.
  std::string_view next() {
    skip_space();
    if (rest_.empty()) return {};
    if (rest_[0] == '"' || rest_[0] == '\'') {
      const auto end = rest_.find(rest_[0], 1);
      if (end == std::string_view::npos) refuse("is no prototxt: a quoted text doesn't end");
      const std::string_view quoted = rest_.substr(1, end - 1);
      rest_.remove_prefix(end + 1);
      // Empty means the end, so an empty text is given as a blank.
      return quoted.empty() ? std::string_view(" ") : quoted;
    }
    std::size_t size = 0;
    while (size < rest_.size() && is_word(rest_[size])) ++size;
    if (size == 0) size = 1;
    const std::string_view token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }

 private:
  static bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' || c == '+';
  }
  void skip_space() {
    while (!rest_.empty()) {
      if (rest_[0] == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (std::isspace(static_cast<unsigned char>(rest_[0])) || rest_[0] == ',' || rest_[0] == ';') {
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }

  std::string_view rest_;
};

// Every plain value with the path to it: ("layer.input_param.shape.dim", "224").
template <typename Each>
void for_values(std::string_view text, Each each) {
  constexpr std::size_t kDeepest = 32;
  Tokens tokens(text);
  std::vector<std::string> path;
  std::string name;
  for (std::string_view token = tokens.next(); !token.empty(); token = tokens.next()) {
    if (token == ":") {
      token = tokens.next();
      // "name: value" and "name { ... }" are both written; the colon before a bracket is optional.
      if (token != "{" && token != "<") {
        each(path.empty() ? name : join(path, ".") + "." + name, token);
        continue;
      }
    }
    if (token == "{" || token == "<") {
      if (path.size() == kDeepest) refuse("is no prototxt: it is nested too deep");
      path.push_back(name);
    } else if (token == "}" || token == ">") {
      if (path.empty()) refuse("is no prototxt: a bracket closes nothing");
      path.pop_back();
    } else {
      name = token;
    }
  }
  if (!path.empty()) refuse("is no prototxt: a bracket isn't closed");
}

}  // namespace

// Shared with onnx_shape.cc.
GraphShape shape_of_input(const std::vector<std::uint64_t>& dimensions, const std::string& name) {
  if (dimensions.size() != 4)
    refuse(fmt::format("takes '{}' of {} dimensions; a picture's are N x 3 x H x W", name, dimensions.size()));
  if (dimensions[1] != 3 && dimensions[1] != 0)
    refuse(fmt::format("takes '{}' of {} channels; a picture has 3", name, dimensions[1]));
  const std::uint64_t height = dimensions[2], width = dimensions[3];
  if (height != width || height > 4096)
    refuse(fmt::format("takes pictures of {} x {}; here they are square, up to 4096", height, width),
           "export the graph for a square input");
  if (dimensions[0] > 4096) refuse(fmt::format("takes {} pictures at once; 4096 are the most", dimensions[0]));
  return {static_cast<int>(dimensions[0]), static_cast<int>(height), {}};
}

GraphShape read_prototxt_shape(std::string_view text) {
  std::vector<std::uint64_t> dimensions;
  for_values(text, [&](const std::string& path, std::string_view value) {
    std::int64_t number = 0;
    // Three ways in which prototxts have said it: two older ones, and the layer Input.
    const bool is_dimension = path == "input_dim" || path == "input_shape.dim" || path == "layer.input_param.shape.dim";
    if (is_dimension && parse_int(value, number) && number >= 0)
      dimensions.push_back(static_cast<std::uint64_t>(number));
  });
  if (dimensions.empty())
    refuse("says no input's size: it is a prototxt for training, or none",
           "give the network's deploy.prototxt, with input_shape or a layer of type Input");
  GraphShape shape = shape_of_input(dimensions, "data");
  shape.batch = 0;  // Caffe's layers take any number
  return shape;
}

}  // namespace vise::networks
