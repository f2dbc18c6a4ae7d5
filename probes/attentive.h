// Probe `attentive`: one learned query looks at an image's tokens, and a linear layer reads what it saw.
//
// With tokens x_1 ... x_T of C channels, H heads of d = C / H channels each, and m, s the mean and deviation of each
// channel over train's tokens:
//
//   x'_t = (x_t - m) / s
//   a_ht = softmax over t of (q_h . K_h x'_t / sqrt(d))                     q_h: d, K_h: d x C
//   y    = W [sum_t a_1t V_1 x'_t; ...; sum_t a_Ht V_H x'_t] + b            V_h: d x C, W: outputs x C
//
// All of q, K, V, W and b are learned. This is the attentive pooling that networks trained by reconstruction or
// prediction are probed with: a query token, attention over frozen tokens and a linear layer, as AIM has it (El-Nouby
// et al. 2024, arXiv 2401.08541, whose batch norm of tokens m and s represent). V-JEPA (Bardes et al. 2024, arXiv
// 2404.08471) and CAPI (Darcet et al. 2025, arXiv 2502.08769) probe so too; V-JEPA's has an MLP and norms more. A mean
// over tokens is the case q = 0.
//
// Tokens are places alone: patches of a transformer, places of a map. No class token, no register.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "probes/probe.h"
#include "probes/torch/entry.h"

namespace vise::probes {

// Mean and deviation of each channel over all tokens of all rows, in double; the deviation is sqrt(variance + 1e-6).
struct TokenScale {
  std::vector<double> mean, deviation;
};
TokenScale token_scale(std::span<const std::uint16_t* const> rows, std::size_t tokens, std::size_t channels);

// The formula above for rows of tokens (views.h), in double. Null where a parameter isn't finite: the training
// diverged.
std::unique_ptr<ProbeModel> attentive_model(const AttentiveParameters& parameters, const TokenScale& scale,
                                            std::size_t heads);

}  // namespace vise::probes
