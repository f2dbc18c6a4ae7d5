// The golden rows notice every deliberate error that ../shared/data/encoders/README.md lists under "Effect of
// deliberate errors": a network with one error is farther from its golden rows than their tolerance on each of three
// pictures, and the smallest of the three is the README's figure.
#include <algorithm>
#include <array>
#include <numeric>

#include "tests/golden/encoders/mistakes.h"
#include "tests/golden/encoders/rewiring.h"
#include "tests/golden/encoders/subject.h"

namespace vise {
namespace {

using namespace test;

// An error that several families can have; figures of the README's columns, 0 where it has none.
struct Common {
  const char* name;
  std::array<double, 6> figures;  // CLIP, DINOv2, timm's ViT, SigLIP, ConvNeXt, Swin
  void (*make)(networks::Network&);
};
enum Column { clip, dinov2, vit, siglip, convnext, swin };

const std::vector<Common>& common_mistakes() {
  static const std::vector<Common> all{
      {"no patch or stem bias",
       {0, 3.0e-1, 4.5e-1, 4.5e-1, 1.1e-1, 1.3e-1},
       [](networks::Network& n) { zero(every<networks::Convolution>(n).front()->bias); }},
      {"no q bias",
       {8.2e-2, 6.3e-2, 6.3e-2, 4.3e-2, 0, 0},
       [](networks::Network& n) { zero_bias(n, ".attn.qkv", 0, 3); }},
      {"no v bias",
       {3.6e-1, 2.6e-1, 3.3e-1, 2.9e-1, 0, 3.5e-1},
       [](networks::Network& n) { zero_bias(n, ".attn.qkv", 2, 3); }},
      {"no attention output bias",
       {2.3e-1, 2.0e-1, 2.6e-1, 1.9e-1, 0, 2.3e-1},
       [](networks::Network& n) { zero_bias(n, ".attn.proj"); }},
      {"no attention output bias in the second block",
       {9.0e-2, 7.6e-2, 1.0e-1, 9.1e-2, 0, 0},
       [](networks::Network& n) { zero_bias(n, "blocks.1.attn.proj"); }},
      {"no fc1 bias", {1.4, 1.2, 1.3, 1.1, 1.5, 1.3}, [](networks::Network& n) { zero_bias(n, ".mlp.fc1"); }},
      {"no fc2 bias",
       {2.4e-1, 1.9e-1, 2.3e-1, 1.7e-1, 3.5e-1, 2.2e-1},
       [](networks::Network& n) { zero_bias(n, ".mlp.fc2"); }},
      {"no bias in norm1",
       {3.1e-1, 2.7e-1, 3.0e-1, 2.1e-1, 0, 0},
       [](networks::Network& n) { zero_norm_bias(n, ".norm1"); }},
      {"no bias in norm2",
       {6.3e-2, 5.6e-2, 6.4e-2, 4.9e-2, 0, 0},
       [](networks::Network& n) { zero_norm_bias(n, ".norm2"); }},
      {"no bias in the blocks' norm",
       {0, 0, 0, 0, 7.8e-2, 0},
       [](networks::Network& n) { zero_norm_bias(n, ".norm", "blocks."); }},
      {"tanh GELU for exact",
       {0, 1.3e-3, 1.8e-3, 1.5e-3, 1.8e-3, 1.8e-3},
       [](networks::Network& n) { set_activation(n, networks::Activation::gelu_tanh); }},
      {"exact GELU for QuickGELU",
       {1.0e-1, 0, 0, 0, 0, 0},
       [](networks::Network& n) { set_activation(n, networks::Activation::gelu_exact); }},
      {"QuickGELU for exact",
       {0, 8.1e-2, 8.8e-2, 9.4e-2, 1.0e-1, 1.2e-1},
       [](networks::Network& n) { set_activation(n, networks::Activation::gelu_quick); }},
      {"eps 1e-6 for 1e-5", {2.7e-3, 0, 0, 0, 0, 7.1e-3}, [](networks::Network& n) { set_eps(n, 1e-6); }},
      {"eps 1e-5 for 1e-6", {0, 5.4e-3, 5.1e-3, 4.5e-3, 0, 0}, [](networks::Network& n) { set_eps(n, 1e-5); }},
      {"eps 1e-12 for 1e-6", {0, 6.1e-4, 5.7e-4, 5.1e-4, 0, 0}, [](networks::Network& n) { set_eps(n, 1e-12); }},
      {"twice the heads",
       {1.6e-1, 2.3e-1, 1.4e-1, 1.2e-1, 0, 0},
       [](networks::Network& n) {
         for (networks::Attention* const attention : every<networks::Attention>(n)) attention->heads *= 2;
       }},
      {"heads interleaved", {2.6e-1, 3.7e-1, 2.2e-1, 2.4e-1, 0, 0}, interleave_heads},
      {"q and k exchanged",
       {2.8e-1, 4.1e-1, 2.4e-1, 2.3e-1, 0, 0},
       [](networks::Network& n) { exchange(n, ".attn.qkv", 0, 1, 3); }},
      {"tokens column by column", {1.2e-1, 8.7e-2, 5.0e-2, 5.0e-2, 0, 0}, transpose_positions},
      {"kernels transposed", {1.4e-1, 5.0e-2, 2.9e-2, 3.0e-2, 0, 0}, transpose_kernels},
      {"kernels flipped", {0, 0, 0, 0, 5.8e-2, 0}, flip_kernels}};
  return all;
}

void notices_common(Subject& subject, Column column) {
  for (const Common& mistake : common_mistakes())
    if (mistake.figures[column] > 0) subject.notices(mistake.name, mistake.figures[column], mistake.make);
  if (column > siglip) return;
  // It adds the same to all logits of a query, and softmax removes it.
  const networks::Network wrong = subject.with([](networks::Network& n) { zero_bias(n, ".attn.qkv", 1, 3); });
  subject.golden().expect_unnoticed("no k bias", std::ranges::max(subject.golden().errors(wrong)));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << text << " lacks " << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

void notices_filter(Subject& subject, double figure) {
  const Golden& golden = subject.golden();
  const std::string bilinear = replaced(golden.transform(), "bicubic", "bilinear");
  golden.expect_noticed("bilinear for bicubic", figure, std::ranges::min(golden.errors(subject.right(), bilinear)));
}

// Of the picture that is not square.
void notices_shape(Subject& subject, double figure, const std::string& right, const std::string& wrong) {
  const Golden& golden = subject.golden();
  const std::string transform = replaced(golden.transform(), right, wrong);
  golden.expect_noticed(wrong + " for " + right, figure, golden.errors(subject.right(), transform).back());
}

void notices_class_position(Subject& subject, double figure, const std::string& key) {
  subject.notices("class token without its position", figure, [&](networks::Network& n) {
    networks::Tokens& tokens = *every<networks::Tokens>(n).front();
    tokens.prefix = networks::Parameter(tokens.prefix.shape(), [&] {
      const networks::Parameter token = subject.tensor(key);
      return std::vector<float>(token.values().begin(), token.values().end());
    }());
  });
}

void notices_rules(Subject& subject, const Golden& golden,
                   const std::vector<std::pair<networks::PositionRule, double>>& rules) {
  for (const auto& [rule, figure] : rules)
    subject.notices(golden, fmt::format("positions={}", networks::position_rule_name(rule)), figure,
                    [rule = rule](networks::Network& n) { every<networks::Tokens>(n).front()->rule = rule; });
}

constexpr networks::PositionRule kScale = networks::PositionRule::scale, kSize = networks::PositionRule::size,
                                 kAntialias = networks::PositionRule::antialias;

TEST(EncoderErrors, OfClipAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("clip_b32_openai", "pre");
  notices_common(subject, clip);
  notices_class_position(subject, 6.3e-2, "visual.class_embedding");
  notices_filter(subject, 5.6e-3);
  notices_shape(subject, 1.8e-1, "resize=224", "squash=224");
}

TEST(EncoderErrors, OfDinov2AreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("dinov2_s14", "cls");
  notices_common(subject, dinov2);
  notices_class_position(subject, 9.8e-2, "cls_token");
  notices_filter(subject, 2.7e-3);
  notices_shape(subject, 7.8e-2, "resize=256", "squash=256");
  subject.notices(Subject::row("dinov2_s14", "mean"), "norm after the mean", 7.4e-2, norm_after_mean);
  subject.notices("layer scale replaced by its mean", 4.2e-1, [](networks::Network& n) {
    for (networks::Scale* const scale : every<networks::Scale>(n))
      change(scale->gamma, [](std::vector<float>& values) {
        std::ranges::fill(values, std::accumulate(values.begin(), values.end(), 0.0F) / values.size());
      });
  });
  subject.notices(Subject::row("dinov2_s14", "last4"), "newest first", 3.7e-1, [](networks::Network& n) {
    const auto value = [&](const char* name) -> int& {
      return std::ranges::find(n.layers, name, &networks::Layer::name)->value;
    };
    std::swap(value("final"), value("final-3"));
    std::swap(value("final-1"), value("final-2"));
  });
  notices_rules(subject, subject.golden(), {{kSize, 5.7e-3}, {kAntialias, 1.8e-2}});
  subject.notices("positions bilinear", 8.1e-3, [](networks::Network& n) { resize_positions_bilinearly(n, 16); });
  const Golden larger = Subject::row("dinov2_s14@336", "cls");
  notices_rules(subject, larger, {{kSize, 2.4e-3}, {kAntialias, 5.7e-3}});
  subject.notices(larger, "positions bilinear", 3.6e-3,
                  [](networks::Network& n) { resize_positions_bilinearly(n, 24); });
}

TEST(EncoderErrors, OfRegistersAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("dinov2_s14_reg", "cls");
  notices_rules(subject, subject.golden(), {{kScale, 1.3e-2}, {kSize, 1.3e-2}});
  subject.notices("registers dropped", 2.2e-2, [](networks::Network& n) {
    networks::Parameter& prefix = every<networks::Tokens>(n).front()->prefix;
    const auto width = prefix.shape()[1];
    const std::span<const float> row = prefix.values().first(static_cast<std::size_t>(width));
    prefix = networks::Parameter({1, width}, {row.begin(), row.end()});
  });
  subject.notices(Subject::row("dinov2_s14_reg", "mean"), "registers in the mean", 6.0e-3,
                  [](networks::Network& n) { registers_in_mean(n, 4, 256); });
}

TEST(EncoderErrors, OfDinoAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("dino_s16@336", "cls");
  notices_rules(subject, subject.golden(), {{kSize, 2.1e-3}, {kAntialias, 2.5e-3}});
}

TEST(EncoderErrors, OfTimmsVitAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("timm_vit_s16", "cls");
  notices_common(subject, vit);
  notices_class_position(subject, 6.0e-2, "cls_token");
  notices_filter(subject, 1.1e-3);
  notices_shape(subject, 4.3e-2, "resize=248", "squash=248");
  // Silhouettes are grey.
  const std::vector<double> errors = subject.golden().errors(subject.with(exchange_red_and_blue));
  subject.golden().expect_unnoticed("red and blue exchanged, silhouette", errors[1]);
  EXPECT_GT(std::min(errors[0], errors[2]), 1e-3) << "red and blue exchanged";
  notices_rules(subject, Subject::row("timm_vit_s16@336", "cls"), {{kScale, 4.0e-3}, {kSize, 1.9e-3}});
}

TEST(EncoderErrors, OfOpenClipAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("openclip_b16_training@336", "pre");
  notices_rules(subject, subject.golden(), {{kScale, 2.4e-3}, {kSize, 1.2e-3}});
}

TEST(EncoderErrors, OfSiglipAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("timm_siglip_b16", "map");
  notices_common(subject, siglip);
  notices_filter(subject, 9.4e-4);
  notices_shape(subject, 3.1e-2, "squash=224,filter=bicubic,crop=none", "resize=224,filter=bicubic,crop=224");
  subject.notices("k and v exchanged", 1.3, [](networks::Network& n) { exchange(n, "attn_pool.kv", 0, 1, 2); });
  subject.notices("residual from the normed", 2.8e-1, [](networks::Network& n) {
    n.ops[op_named(n, "attn_pool.add")].inputs[0] = networks::Network::value_of(op_named(n, "attn_pool.norm"));
  });
}

TEST(EncoderErrors, OfDinov3AreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("dinov3_s16", "cls");
  subject.notices("h and w exchanged", 1.1e-1,
                  [](networks::Network& n) { order_in_heads(n, [](std::size_t c) { return c ^ 16U; }); });
  subject.notices("pairs for halves", 2.0e-1, [](networks::Network& n) {
    for (networks::Attention* const attention : every<networks::Attention>(n))
      attention->rope->pairing = networks::Rope::Pairing::pairs;
  });
  for (const auto& [tap, figure] : {std::pair{"cls", 2.3e-2}, std::pair{"mean", 2.4e-3}})
    subject.notices(Subject::row("dinov3_s16", tap), "no half pixel", figure,
                    [](networks::Network& n) { rope_without_half_pixel(n, 5, 14); });
  subject.notices("key bias mask ignored", 2.8e-2, [&](networks::Network& n) {
    for (networks::Op& op : n.ops)
      if (op.name.ends_with(".attn.qkv")) std::get<networks::Linear>(op.kind).bias = subject.tensor(op.name + ".bias");
  });
  subject.notices("periods not rounded", 3.1e-4, [](networks::Network& n) {
    for (networks::Attention* const attention : every<networks::Attention>(n))
      change(attention->rope->periods, [](std::vector<float>& values) {
        for (std::size_t j = 0; j < values.size(); ++j)
          values[j] = static_cast<float>(std::pow(100.0, static_cast<double>(j) / static_cast<double>(values.size())));
      });
  });
}

TEST(EncoderErrors, OfGatesAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("dinov3_s16plus", "cls");
  subject.notices("gate on the other half", 3.9e-1, [](networks::Network& n) { exchange(n, ".mlp.fc1", 0, 1, 2); });
}

TEST(EncoderErrors, OfEva02AreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("timm_eva02_clip_b16", "pre");
  subject.notices("h and w exchanged", 1.9e-1,
                  [](networks::Network& n) { order_in_heads(n, [](std::size_t c) { return c ^ 32U; }); });
  subject.notices("halves for pairs", 1.9e-1, [](networks::Network& n) {
    for (networks::Attention* const attention : every<networks::Attention>(n))
      attention->rope->pairing = networks::Rope::Pairing::halves;
  });
  subject.notices("gate on the other half", 4.9e-1, [](networks::Network& n) { exchange(n, ".mlp.fc1", 0, 1, 2); });
  subject.notices("no attn.norm", 2.6e-1, [](networks::Network& n) { leave_out(n, ".attn.norm"); });
  subject.notices("no mlp.norm", 2.6e-1, [](networks::Network& n) { leave_out(n, ".mlp.norm"); });
}

TEST(EncoderErrors, OfConvnextAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("timm_convnext_t", "pooled");
  notices_common(subject, convnext);
  // Of the last norm, which transformers gives another: on its own.
  for (const auto& [eps, figure] : {std::pair{1e-5, 5.8e-3}, std::pair{1e-12, 6.5e-4}})
    subject.notices(fmt::format("eps {} for 1e-6, but of the last norm", eps), figure,
                    [eps = eps](networks::Network& n) {
                      const double right = every<networks::LayerNorm>(n, "head.norm").front()->eps;
                      set_eps(n, eps);
                      every<networks::LayerNorm>(n, "head.norm").front()->eps = right;
                    });
  notices_filter(subject, 1.3e-3);
  subject.notices("norm before the mean", 1.0e-1, norm_before_mean);
}

TEST(EncoderErrors, OfResponseNormsAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("timm_convnextv2_t", "pooled");
  subject.notices("GRN without identity", 4.8e-1, response_norm_without_identity);
  subject.notices("GRN without bias", 1.2e-1, [](networks::Network& n) {
    for (networks::ResponseNorm* const norm : every<networks::ResponseNorm>(n)) zero(norm->bias);
  });
}

// A bias table's rows are (2 size - 1)^2, of row and column offsets.
void transpose_bias_tables(networks::Network& network) {
  for (networks::Attention* const attention : every<networks::Attention>(network)) {
    const auto side = static_cast<std::size_t>(2 * attention->window->size - 1);
    order_rows(attention->window->bias_table,
               order_of(side * side, [side](std::size_t i) { return i % side * side + i / side; }));
  }
}

// The squares' places (0, 0), (0, 1), (1, 0), (1, 1), where (1, 0) is the second: as much is a norm and a linear layer
// that take the two in the middle for each other.
void merge_row_by_row(networks::Network& network) {
  for (networks::LayerNorm* const norm : every<networks::LayerNorm>(network, ".downsample.norm")) {
    order_rows(norm->weight, {0, 2, 1, 3});
    order_rows(norm->bias, {0, 2, 1, 3});
  }
  for (networks::Linear* const linear : every<networks::Linear>(network, ".downsample.reduction")) {
    const std::size_t in = static_cast<std::size_t>(linear->in), n = in / 4;
    order_columns(linear->weight, order_of(in, [n](std::size_t i) {
                    return i / n == 1 ? i + n : i / n == 2 ? i - n : i;
                  }));
  }
}

TEST(EncoderErrors, OfSwinAreNoticed) {
  VISE_NEEDS_ENCODERS();
  Subject subject("timm_swin_t", "mean");
  notices_common(subject, swin);
  subject.notices("norm after the mean", 2.0e-3, norm_after_mean);
  subject.notices("no bias table", 7.4e-3, [](networks::Network& n) {
    for (networks::Attention* const attention : every<networks::Attention>(n)) zero(attention->window->bias_table);
  });
  subject.notices("bias table transposed", 7.7e-3, transpose_bias_tables);
  subject.notices("no shift", 2.0e-2, [](networks::Network& n) {
    for (networks::Attention* const attention : every<networks::Attention>(n)) attention->window->shift = 0;
  });
  subject.notices("no mask", 1.3e-2, [](networks::Network& n) { shift_without_mask(n, 224); });
  subject.notices("shift of a single window", 1.9e-3, shift_single_window);
  subject.notices("patches merged row by row", 2.3e-2, merge_row_by_row);
}

}  // namespace
}  // namespace vise
