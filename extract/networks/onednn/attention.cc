// Attention, a head at a time: its scores fit the cache, and its two products are oneDNN's on strided views of the
// queries, keys and values. Windows are gathered, attended and scattered one by one.
//
// Every image, window and head is a product of its own, so that a result can't depend on its neighbours.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "extract/networks/onednn/compile.h"
#include "extract/networks/onednn/row_kernels.h"
#include "extract/networks/positions.h"

namespace vise::networks {
namespace {

using dnnl::memory;
using tag = memory::format_tag;
using type = memory::data_type;

// To cache lines, so that parts of the scratch memory share none.
std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

// The two products and the softmax of one set of tokens, all heads, on scratch memory of its own.
class HeadProducts {
 public:
  HeadProducts(Assembly& assembly, int tokens, int channels, int heads)
      : tokens_(tokens), channels_(channels), heads_(heads), bf16_(assembly.operand_type() == type::bf16) {
    // A token's row holds q, k and v of all heads side by side, so a head's matrix is a view with
    // a row stride of three times the channels; nothing is copied apart.
    const memory::dim t = tokens, d = channels / heads, wide = 3 * channels;
    const type operand = assembly.operand_type();
    const memory::desc queries({t, d}, operand, memory::dims{wide, 1}), keys({d, t}, operand, memory::dims{1, wide}),
        values({t, d}, operand, memory::dims{wide, 1}), scores({t, t}, type::f32, tag::ab),
        weights({t, t}, operand, tag::ab), answers({t, d}, operand, memory::dims{channels, 1});
    // The scale and the bias are applied between the two products, so they can't be one primitive.
    const dnnl::matmul::primitive_desc first(dnnl::matmul::desc(queries, keys, scores), Assembly::attributes(),
                                             assembly.engine()),
        second(dnnl::matmul::desc(weights, values, answers), Assembly::attributes(), assembly.engine());
    first_ = dnnl::matmul(first);
    second_ = dnnl::matmul(second);
    const auto make = [&](const memory::desc& desc) { return assembly.unbound(desc); };
    first_arguments_ = {{DNNL_ARG_SRC, make(queries)},
                        {DNNL_ARG_WEIGHTS, make(keys)},
                        {DNNL_ARG_DST, make(scores)},
                        {DNNL_ARG_SCRATCHPAD, make(first.scratchpad_desc())}};
    second_arguments_ = {{DNNL_ARG_SRC, make(weights)},
                         {DNNL_ARG_WEIGHTS, make(values)},
                         {DNNL_ARG_DST, make(answers)},
                         {DNNL_ARG_SCRATCHPAD, make(second.scratchpad_desc())}};
    pad_bytes_ = aligned(std::max(first.scratchpad_desc().get_size(), second.scratchpad_desc().get_size()));
  }

  // Scratch of one head: what the primitives ask for, the scores in float32, and their copy in bf16.
  std::size_t scratch_bytes() const { return pad_bytes_ + 2 * aligned(score_count() * sizeof(float)); }

  // `qkv`: tokens x 3 channels; `out`: tokens x channels. `bias(head, query, row)` may fill a row that is added to the
  // logits, and says whether it did.
  template <typename Bias>
  void run(dnnl::stream& stream, const std::byte* qkv, std::byte* out, std::byte* scratch, Bias bias) {
    const std::size_t item = bf16_ ? 2 : 4, head_bytes = static_cast<std::size_t>(channels_ / heads_) * item,
                      third = static_cast<std::size_t>(channels_) * item;
    auto* const scores = reinterpret_cast<float*>(scratch + pad_bytes_);
    std::byte* const narrow = scratch + pad_bytes_ + aligned(score_count() * sizeof(float));
    const auto set = [](Assembly::Arguments& arguments, int which, const void* data) {
      arguments.at(which).set_data_handle(const_cast<void*>(data));
    };
    // Primitives are shared by all windows and images; only the addresses change, head by head.
    set(first_arguments_, DNNL_ARG_SCRATCHPAD, scratch);
    set(second_arguments_, DNNL_ARG_SCRATCHPAD, scratch);
    set(first_arguments_, DNNL_ARG_DST, scores);
    set(second_arguments_, DNNL_ARG_SRC, bf16_ ? static_cast<const void*>(narrow) : scores);
    for (int head = 0; head < heads_; ++head) {
      const std::byte* const queries = qkv + static_cast<std::size_t>(head) * head_bytes;
      set(first_arguments_, DNNL_ARG_SRC, queries);
      set(first_arguments_, DNNL_ARG_WEIGHTS, queries + third);
      first_.execute(stream, first_arguments_);
      stream.wait();
      normalise(scores, head, bias);
      if (bf16_) narrow_bf16(scores, score_count(), reinterpret_cast<Bf16*>(narrow));
      set(second_arguments_, DNNL_ARG_WEIGHTS, queries + 2 * third);
      set(second_arguments_, DNNL_ARG_DST, out + static_cast<std::size_t>(head) * head_bytes);
      second_.execute(stream, second_arguments_);
      stream.wait();
    }
  }

 private:
  std::size_t score_count() const { return static_cast<std::size_t>(tokens_) * static_cast<std::size_t>(tokens_); }

  template <typename Bias>
  void normalise(float* scores, int head, Bias bias) {
    const auto n = static_cast<std::size_t>(tokens_);
    // The scale is applied to the logits in softmax_row(), so that queries need no pass of their own.
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(channels_ / heads_)));
    row_.resize(n);
    for (std::size_t query = 0; query < n; ++query) {
      const bool biased = bias(head, query, row_.data());
      softmax_row(scores + query * n, biased ? row_.data() : nullptr, scale, n);
    }
  }

  int tokens_, channels_, heads_;
  bool bf16_;
  dnnl::matmul first_, second_;
  Assembly::Arguments first_arguments_, second_arguments_;
  std::size_t pad_bytes_ = 0;
  std::vector<float> row_;
};

// For networks whose attention has no bias.
bool no_bias(int, std::size_t, float*) { return false; }

// Turns the queries and keys of a batch's places, in place.
void add_rotation(Compilation& c, const FusedGroup& group, const Attention& attention, const Laid& qkv) {
  const ValueShape& shape = qkv.shape;
  // The tables depend on the size of the map, so they are made once a network and size, as weights are.
  const auto& tables = c.weights(group.op, [&] {
    const RopeTable table = rope_table(*attention.rope, shape.height, shape.width);
    return std::vector{c.plain(table.cos), c.plain(table.sin)};
  });
  Assembly& a = c.assembly;
  const auto batch = static_cast<std::size_t>(a.batch()), tokens = static_cast<std::size_t>(shape.tokens()),
             prefix = static_cast<std::size_t>(shape.prefix), channels = static_cast<std::size_t>(shape.channels),
             heads = static_cast<std::size_t>(attention.heads), head = channels / 3 / heads;
  a.add([=, &a, spot = Assembly::spot(qkv), pairing = attention.rope->pairing,
         cos = static_cast<const float*>(tables[0].get_data_handle()),
         sin = static_cast<const float*>(tables[1].get_data_handle()), wide = std::vector<float>(head)]() mutable {
    for (std::size_t image = 0; image < batch; ++image)
      for (std::size_t token = prefix; token < tokens; ++token)
        // Queries, then keys: the first two thirds of a row's heads.
        for (std::size_t i = 0; i < 2 * heads; ++i) {
          const std::size_t at = (image * tokens + token) * channels + i * head, place = (token - prefix) * head;
          if (!spot.bf16) {
            rotate_row(a.floats(spot) + at, cos + place, sin + place, pairing, head);
            continue;
          }
          // The rotation is computed in float32: a product and a sum in bf16 would round the angles away.
          Bf16* const narrow = reinterpret_cast<Bf16*>(a.bytes(spot)) + at;
          widen_bf16(narrow, head, wide.data());
          rotate_row(wide.data(), cos + place, sin + place, pairing, head);
          narrow_bf16(wide.data(), head, narrow);
        }
  });
}

// Which rows of a map are in which window, and which of them may look at each other.
struct Windows {
  int tokens = 0;                      // of a window
  std::vector<int> rows;               // by window and token: the map's row, or -1 for padding
  std::vector<unsigned char> regions;  // by window and token: only tokens of one region meet
  bool masked = false;
};

// The slice of an axis of n places (padded, rolled by `shift`) that place i is in.
int region_of(int i, int n, int size, int shift) {
  if (shift == 0) return 0;
  // The authors' img_mask: after rolling, the last window of an axis holds places from both
  // ends of the map, which must not meet.
  return i < n - size ? 0 : i < n - shift ? 1 : 2;
}

// The map as the windows see it: padded to whole windows at its right and lower edges, and rolled.
Windows windows_of(const Window& window, int height, int width) {
  const int size = window.size, tall = (height + size - 1) / size * size, wide = (width + size - 1) / size * size;
  // A single window has nothing to be shifted against (torchvision and timm set the shift to 0 too).
  const int down = size >= tall ? 0 : window.shift, right = size >= wide ? 0 : window.shift;
  Windows made;
  made.tokens = size * size;
  made.masked = down > 0 || right > 0;
  for (int top = 0; top < tall; top += size)
    for (int left = 0; left < wide; left += size)
      for (int y = top; y < top + size; ++y)
        for (int x = left; x < left + size; ++x) {
          const int from_y = (y + down) % tall, from_x = (x + right) % wide;
          made.rows.push_back(from_y < height && from_x < width ? from_y * width + from_x : -1);
          made.regions.push_back(
              static_cast<unsigned char>(region_of(y, tall, size, down) * 3 + region_of(x, wide, size, right)));
        }
  return made;
}

// heads x tokens x tokens: the bias of every pair of a window's places.
std::vector<float> pair_biases(const Window& window, int heads) {
  const int size = window.size, span = 2 * size - 1, tokens = size * size;
  const std::span<const float> table = window.bias_table.values();
  std::vector<float> biases;
  for (int head = 0; head < heads; ++head)
    for (int query = 0; query < tokens; ++query)
      for (int key = 0; key < tokens; ++key) {
        // The table has a row for each relative offset, numbered as in families/swin/layouts.cc.
        const int row = query / size - key / size + size - 1, column = query % size - key % size + size - 1;
        biases.push_back(table[static_cast<std::size_t>((row * span + column) * heads + head)]);
      }
  return biases;
}

Laid attend_in_windows(Compilation& c, const FusedGroup& group, const Attention& attention, const Laid& qkv) {
  Assembly& a = c.assembly;
  const ValueShape& out_shape = c.shape_of(group.out);
  const int channels = out_shape.channels;
  const auto& parts = c.weights(group.op, [&] {
    const std::span<const float> pad = attention.window->padding.values();
    std::vector<float> padding(3 * static_cast<std::size_t>(channels));
    std::copy(pad.begin(), pad.end(), padding.begin());
    return std::vector{c.plain(pair_biases(*attention.window, attention.heads)), c.plain(padding)};
  });
  const Windows windows = windows_of(*attention.window, out_shape.height, out_shape.width);
  HeadProducts products(a, windows.tokens, channels, attention.heads);
  const Laid out = a.make_rows(out_shape, a.operand_type());
  const std::size_t item = a.operand_type() == type::f32 ? 4 : 2, out_row = static_cast<std::size_t>(channels) * item,
                    in_row = 3 * out_row, t = static_cast<std::size_t>(windows.tokens),
                    places = static_cast<std::size_t>(out_shape.places()), batch = static_cast<std::size_t>(a.batch());
  a.need_scratch(products.scratch_bytes() + aligned(t * in_row) + aligned(t * out_row));
  std::vector<std::byte> padding(in_row);
  const auto* const pad = static_cast<const float*>(parts[1].get_data_handle());
  if (item == 4)
    std::memcpy(padding.data(), pad, in_row);
  else
    narrow_bf16(pad, 3 * static_cast<std::size_t>(channels), reinterpret_cast<Bf16*>(padding.data()));
  // Gather a window, attend to it, and scatter its answers, image by image.
  a.add([=, &a, from = Assembly::spot(qkv), to = Assembly::spot(out),
         biases = static_cast<const float*>(parts[0].get_data_handle())]() mutable {
    std::byte* const gathered = a.scratch();
    std::byte* const answers = gathered + aligned(t * in_row);
    std::byte* const rest = answers + aligned(t * out_row);
    for (std::size_t image = 0; image < batch; ++image)
      for (std::size_t first = 0; first < windows.rows.size(); first += t) {
        const int* const rows = windows.rows.data() + first;
        const unsigned char* const regions = windows.regions.data() + first;
        for (std::size_t i = 0; i < t; ++i)
          std::copy_n(rows[i] < 0 ? padding.data()
                                  : a.bytes(from) + (image * places + static_cast<std::size_t>(rows[i])) * in_row,
                      in_row, gathered + i * in_row);
        products.run(a.stream(), gathered, answers, rest, [&](int head, std::size_t query, float* row) {
          const float* const bias = biases + (static_cast<std::size_t>(head) * t + query) * t;
          for (std::size_t key = 0; key < t; ++key)
            // -100 in place of minus infinity, as in the authors' code: after the softmax
            // it is 0 in float32 either way.
            row[key] = bias[key] + (regions[key] == regions[query] ? 0.0F : -100.0F);
          return true;
        });
        for (std::size_t i = 0; i < t; ++i)
          // Padded places were attended to but have no place in the map; their answers are dropped.
          if (rows[i] >= 0)
            std::copy_n(answers + i * out_row, out_row,
                        a.bytes(to) + (image * places + static_cast<std::size_t>(rows[i])) * out_row);
      }
  });
  return out;
}

}  // namespace

Laid compile_attention(Compilation& c, const FusedGroup& group) {
  Assembly& a = c.assembly;
  const Op& op = c.network.ops[group.op];
  const Attention& attention = *op.as<Attention>();
  Laid qkv = a.as_rows(c.input(op), a.operand_type());
  if (attention.rope) {
    // The rotation is done in place, so a value that somebody else reads has to be copied first.
    if (qkv.place == c.input(op).place && !c.may_overwrite(op.inputs[0])) qkv = a.copied(qkv);
    add_rotation(c, group, attention, qkv);
  }
  if (attention.window) return attend_in_windows(c, group, attention, qkv);
  const ValueShape& shape = c.shape_of(group.out);
  HeadProducts products(a, shape.tokens(), shape.channels, attention.heads);
  a.need_scratch(products.scratch_bytes());
  const Laid out = a.make_rows(shape, a.operand_type());
  const std::size_t item = a.operand_type() == type::f32 ? 4 : 2,
                    image_out =
                        static_cast<std::size_t>(shape.tokens()) * static_cast<std::size_t>(shape.channels) * item,
                    batch = static_cast<std::size_t>(a.batch());
  a.add([=, &a, from = Assembly::spot(qkv), to = Assembly::spot(out)]() mutable {
    for (std::size_t image = 0; image < batch; ++image)
      products.run(a.stream(), a.bytes(from) + 3 * image * image_out, a.bytes(to) + image * image_out, a.scratch(),
                   no_bias);
  });
  return out;
}

Laid compile_cross_attention(Compilation& c, const FusedGroup& group) {
  Assembly& a = c.assembly;
  const Op& op = c.network.ops[group.op];
  // One query an image: two products of a vector, too small to be worth a primitive, in
  // float32 with sums in double.
  const Laid query = a.as_rows(c.input(op, 0), type::f32), answers = a.as_rows(c.input(op, 1), type::f32);
  const ValueShape& shape = c.shape_of(group.out);
  const Laid out = a.make_rows(shape, type::f32);
  const auto heads = static_cast<std::size_t>(op.as<CrossAttention>()->heads),
             channels = static_cast<std::size_t>(shape.channels), head = channels / heads,
             tokens = static_cast<std::size_t>(answers.shape.tokens()), batch = static_cast<std::size_t>(a.batch());
  a.add([=, &a, q = Assembly::spot(query), kv = Assembly::spot(answers), to = Assembly::spot(out),
         scores = std::vector<float>(tokens), sums = std::vector<double>(head)]() mutable {
    for (std::size_t image = 0; image < batch; ++image)
      for (std::size_t h = 0; h < heads; ++h) {
        const float* const asks = a.floats(q) + image * channels + h * head;
        const float* const keys = a.floats(kv) + image * tokens * 2 * channels + h * head;
        for (std::size_t token = 0; token < tokens; ++token)
          scores[token] = static_cast<float>(dot(asks, keys + token * 2 * channels, head));
        softmax_row(scores.data(), nullptr, static_cast<float>(1 / std::sqrt(static_cast<double>(head))), tokens);
        std::ranges::fill(sums, 0.0);
        for (std::size_t token = 0; token < tokens; ++token) {
          const float* const values = keys + token * 2 * channels + channels;
          for (std::size_t i = 0; i < head; ++i)
            sums[i] += static_cast<double>(scores[token]) * static_cast<double>(values[i]);
        }
        for (std::size_t i = 0; i < head; ++i)
          a.floats(to)[image * channels + h * head + i] = static_cast<float>(sums[i]);
      }
  });
  return out;
}

}  // namespace vise::networks
