// What bf16 is worth on this CPU. Its features are rounded more than those of fp32, so it is the user's choice, never
// ours: here is what can be said about it.
//
//   if (bf16_gain() >= kMuchFaster) log.info(...);
#pragma once

namespace vise::networks {

// Whether this CPU computes in bf16 (AVX-512 BF16, AMX), as oneDNN sees it, which ONEDNN_MAX_CPU_ISA can limit.
bool cpu_has_bf16();

// How many times as fast as in fp32 this CPU multiplies the matrices of a ViT-B/16 in bf16, on one thread; 1 without
// bf16. Measured at the first call of a process, which takes some 50 ms. A whole network gains less: what is no product
// stays as slow, and a ResNet's fp32 has Winograd's convolutions, which bf16 lacks.
double bf16_gain();

// From here on it is worth a word.
inline constexpr double kMuchFaster = 1.3;

}  // namespace vise::networks
