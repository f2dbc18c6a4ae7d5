#include "extract/networks/families/vit/layout_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vise::networks {
namespace {

using Shape = std::vector<std::int64_t>;

// The first renaming whose start the name has.
std::string renamed(std::string_view name, const std::vector<Renaming>& table) {
  for (const auto& [ours, theirs] : table)
    // A whole component must fit: "norm" is not the start of "norm1".
    if (name.starts_with(ours) && (name.size() == ours.size() || name[ours.size()] == '.'))
      return fmt::format("{}{}", theirs, name.substr(ours.size()));
  return std::string(name);
}

// "blocks.3.attn.proj.weight" -> 3, "attn.proj.weight"; -1 for other names.
std::pair<int, std::string_view> split_block(std::string_view name) {
  constexpr std::string_view kStart = "blocks.";
  int block = -1;
  if (!name.starts_with(kStart)) return {-1, name};
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kStart.size(), end, block);
  if (error != std::errc() || rest == end || *rest != '.') return {-1, name};
  return {block, std::string_view(rest + 1, static_cast<std::size_t>(end - rest - 1))};
}

// Rows of `a`, then of `b` ...: a shape alone if one of them is.
Parameter stacked(const std::vector<Parameter>& parts, Shape shape) {
  std::vector<float> values;
  for (const Parameter& part : parts) {
    if (part.values().empty()) return Parameter(std::move(shape));
    values.insert(values.end(), part.values().begin(), part.values().end());
  }
  return {std::move(shape), std::move(values)};
}

// OpenAI keeps its projection as a matrix to multiply by from the right.
Parameter transposed(const Parameter& matrix, Shape shape) {
  if (matrix.values().empty()) return Parameter(std::move(shape));
  const auto rows = static_cast<std::size_t>(shape[0]), columns = static_cast<std::size_t>(shape[1]);
  std::vector<float> values(matrix.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) values[r * columns + c] = matrix.values()[c * rows + r];
  return {std::move(shape), std::move(values)};
}

// A shape alone where either has no values, as in an outline.
template <typename Operation>
Parameter elementwise(const Parameter& a, const Parameter& b, Operation operation) {
  if (a.values().empty() || b.values().empty()) return a.without_values();
  std::vector<float> values(a.size());
  std::ranges::transform(a.values(), b.values(), values.begin(), operation);
  return {a.shape(), std::move(values)};
}

// A masked value is 0, not -0, as files hold it where the mask was already applied.
Parameter masked(const Parameter& a, const Parameter& mask) {
  return elementwise(a, mask, [](float x, float kept) { return x * kept + 0.0F; });
}
Parameter sum(const Parameter& a, const Parameter& b) { return elementwise(a, b, std::plus<>()); }

// Of a matrix the rows `from` on, as many values as `shape` has.
Parameter cut(const Parameter& whole, std::int64_t from, Shape shape) {
  if (whole.values().empty()) return Parameter(std::move(shape));
  const std::size_t row = whole.size() / static_cast<std::size_t>(whole.shape()[0]), size = Parameter(shape).size();
  const std::span<const float> part = whole.values().subspan(static_cast<std::size_t>(from) * row, size);
  return {std::move(shape), {part.begin(), part.end()}};
}

}  // namespace

std::string LayoutNames::block_key(int block, std::string_view key) const {
  return fmt::format("{}{}{}.{}", layout_.root, layout_.block, block, key);
}

std::string LayoutNames::in_block(std::string_view name) const { return renamed(name, layout_.inside); }

std::string LayoutNames::file_key(std::string_view name) const {
  const auto [block, rest] = split_block(name);
  if (block < 0) return layout_.root + renamed(name, layout_.top);
  return block_key(block, in_block(rest));
}

int LayoutNames::depth() const {
  constexpr int kMost = 1000;
  const std::string start = prefix_ + layout_.root + layout_.block;
  int depth = 0;
  for (const NamedTensor& named : keys_.checkpoint().tensors) {
    if (!named.name.starts_with(start)) continue;
    const char* const end = named.name.data() + named.name.size();
    int block = -1;
    const auto [rest, error] = std::from_chars(named.name.data() + start.size(), end, block);
    if (error == std::errc() && rest != end && *rest == '.' && block >= 0 && block < kMost)
      // The highest number, so that a block that is missing in between is a missing key
      // and not a shallower network.
      depth = std::max(depth, block + 1);
  }
  return depth;
}

// vit.cc asks for parameters by its own names. Those that files hold otherwise, as several tensors or as parts of one,
// are put together here; the others are only renamed.
Parameter LayoutKeys::take(const std::string& name, Shape shape, Init init) {
  if (name == "tokens.prefix") return prefix_tokens();
  // The table may begin with rows for the class token; the grid's are the last ones.
  if (name == "tokens.positions") return cut(positions(), positions().shape()[0] - spec_.grid * spec_.grid, shape);
  if (name == "rope.periods") return keys_.take(layout_.root + layout_.periods, std::move(shape), init);
  if (name == "proj.weight") return projection(std::move(shape));
  if (name == "proj.bias") return keys_.take(layout_.projection + ".bias", std::move(shape), init);
  if (name.starts_with("attn_pool.")) return of_pool(name, std::move(shape), init);
  const auto [block, rest] = split_block(name);
  if (block >= 0) return in_block(block, rest, std::move(shape), init);
  return keys_.take(names_.file_key(name), std::move(shape), init);
}

// What a block may hold otherwise: queries, keys and values as one tensor or three, and a gate's two halves.
Parameter LayoutKeys::in_block(int block, std::string_view name, Shape shape, Init init) {
  if (name == "attn.qkv.weight") return joined(block, layout_.qkv, std::move(shape), init);
  if (name == "attn.qkv.bias") {
    Parameter bias = joined(block, layout_.qkv_bias, shape, init);
    // DINOv3 trains without a bias of the keys: its file has a joint bias and a mask
    // that zeroes the middle third.
    if (layout_.qkv_bias_mask.empty()) return bias;
    return masked(bias, keys_.take(names_.block_key(block, layout_.qkv_bias_mask), std::move(shape), init));
  }
  // A gate whose halves are already one keeps the usual name in some files (timm's packed ones).
  const bool has_gate_keys = spec_.gated && !layout_.gate.empty();
  for (const std::string leaf : {"weight", "bias"}) {
    if (has_gate_keys && name == "mlp.fc1." + leaf) {
      std::vector<std::string> keys = layout_.gate;
      for (std::string& key : keys) key += "." + leaf;
      return joined(block, keys, std::move(shape), init);
    }
    if (has_gate_keys && name == "mlp.fc2." + leaf)
      return keys_.take(names_.block_key(block, layout_.gate_out + "." + leaf), std::move(shape), init);
  }
  return keys_.take(names_.block_key(block, names_.in_block(name)), std::move(shape), init);
}

// One key as it is, several row by row; "" is zero.
Parameter LayoutKeys::joined(int block, const std::vector<std::string>& keys, Shape shape, Init init) {
  Shape part = shape;
  part[0] /= static_cast<std::int64_t>(keys.size());
  std::vector<Parameter> parts;
  for (const std::string& key : keys)
    // EVA and DINOv3 have no bias for keys: softmax is indifferent to what adds the same number
    // to a query's logits, so zero is the same network.
    parts.push_back(key.empty() ? Parameter(part, std::vector<float>(Parameter(part).size(), 0.0F))
                                : keys_.take(names_.block_key(block, key), part, init));
  return parts.size() == 1 ? std::move(parts[0]) : stacked(parts, std::move(shape));
}

// The layout names either a linear layer or a matrix.
Parameter LayoutKeys::projection(Shape shape) {
  if (layout_.projection_matrix.empty())
    return keys_.take(layout_.projection + ".weight", std::move(shape), Init::small);
  return transposed(keys_.take(layout_.projection_matrix, {shape[1], shape[0]}, Init::small), shape);
}

// Files differ in leading edges of 1, and a tensor with other values than wanted must be an error of the matcher's.
// Of [n, C], [1, n, C] or, of one row, [C]: `count` x C.
Parameter LayoutKeys::rows(const std::string& key, std::int64_t count) {
  const Shape shape{count, spec_.width};
  Shape file_shape{1, count, spec_.width};
  if (const Tensor* const tensor = names_.find(key)) {
    Shape found = tensor->shape;
    while (!found.empty() && found.front() == 1) found.erase(found.begin());
    if (found == shape || (count == 1 && found == Shape{spec_.width})) file_shape = tensor->shape;
  }
  return keys_.take(key, shape, Init::small, file_shape);
}

// Taken once: the grid and the tokens before it are cut from the same table.
const Parameter& LayoutKeys::positions() {
  if (!positions_) {
    const std::string key = names_.file_key("pos_embed");
    const Tensor* const tensor = names_.find(key);
    const std::size_t dimensions = tensor ? tensor->shape.size() : 0;
    positions_ = rows(key, dimensions >= 2 ? tensor->shape[dimensions - 2] : std::int64_t{spec_.grid} * spec_.grid);
  }
  return *positions_;
}

// Upstream adds in float32, so the sums here are the ones that files hold where they were already added.
Parameter LayoutKeys::prefix_tokens() {
  std::vector<Parameter> parts;
  const auto add_token = [&](const std::string& key) {
    Parameter token = rows(layout_.root + key, 1);
    const auto row = static_cast<std::int64_t>(parts.size());
    // Where the table has a row for this token its position is added once here and not for every picture.
    if (spec_.grid > 0 && positions().shape()[0] - std::int64_t{spec_.grid} * spec_.grid > row)
      token = sum(token, cut(positions(), row, {1, spec_.width}));
    parts.push_back(std::move(token));
  };
  if (spec_.class_token) add_token(layout_.class_token);
  if (spec_.distillation_token) add_token(layout_.distillation_token);
  if (spec_.registers > 0) parts.push_back(rows(layout_.root + layout_.registers, spec_.registers));
  return stacked(parts, {spec_.class_token + spec_.distillation_token + spec_.registers, spec_.width});
}

// The rows of q, then those of k and v.
Parameter LayoutKeys::of_pool(const std::string& name, Shape shape, Init init) {
  const std::string key = names_.file_key(name);
  if (name == "attn_pool.latent") {
    const Parameter row = rows(key, 1);
    return {std::move(shape), {row.values().begin(), row.values().end()}};
  }
  const bool is_query = name.starts_with("attn_pool.q.");
  if (!layout_.map_joined || !(is_query || name.starts_with("attn_pool.kv."))) return keys_.take(key, shape, init);
  const bool is_weight = name.ends_with(".weight");
  std::optional<Parameter>& whole = is_weight ? pool_weight_ : pool_bias_;
  // in_proj holds q, k and v; it is taken once, and both parts are cut from it.
  if (!whole) {
    Shape all = shape;
    all[0] = 3 * spec_.width;
    whole = keys_.take(names_.file_key(is_weight ? "attn_pool.in_proj_weight" : "attn_pool.in_proj_bias"), all, init);
  }
  return cut(*whole, is_query ? 0 : spec_.width, std::move(shape));
}

// Keys of the layout that carry no parameter of the network, each with the reason that is printed.
void LayoutKeys::drop_unused() {
  for (const auto& [key, rule] : layout_.unused) keys_.drop(layout_.root + key, rule);
  for (int block = 0; block < spec_.depth && !layout_.unused_inside.empty(); ++block)
    for (const auto& [key, rule] : layout_.unused_inside) keys_.drop(names_.block_key(block, key), rule);
}

}  // namespace vise::networks
