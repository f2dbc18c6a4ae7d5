// The operations that are not products, on rows: B x T x C, row-major, float32 or bf16.
//
// Every function takes one image's rows or one row, and computes an output from its own inputs in a fixed order, so
// that a result depends on its image alone. Sums run in double, exponentials are our own, good to 2 units in the last
// place: the C library's can't be vectorised. Compiled for AVX-512, AVX2 and the baseline, chosen at run time; all
// three give the same bits (no contraction, and sums of eight lanes on each).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "extract/networks/op.h"

namespace vise::networks {

// bf16 is the upper half of a float; narrowing rounds to the nearest, ties to even, as oneDNN does.
using Bf16 = std::uint16_t;
void widen_bf16(const Bf16* from, std::size_t n, float* to);
void narrow_bf16(const float* from, std::size_t n, Bf16* to);

// y = weight (x - mean) / sqrt(var + eps) + bias, of a row of n.
void layer_norm_row(const float* x, const float* weight, const float* bias, double eps, std::size_t n, float* y);
// softmax(scale x + bias) of a row of n, in place; bias may be null.
void softmax_row(float* x, const float* bias, float scale, std::size_t n);
// y = f(a) b, of a row of n.
void gate_row(const float* a, const float* b, Activation function, std::size_t n, float* y);
// f(x) in place; of silu, sigmoid, relu and quick only: the others are oneDNN's.
void activate_row(float* x, Activation function, std::size_t n);
// y = scale x + shift, of a row; shift may be null.
void affine_row(const float* x, const float* scale, const float* shift, std::size_t n, float* y);
// sums[c] += x[c]; squares: x[c]^2.
void add_row(const float* x, std::size_t n, double* sums);
void add_squares_row(const float* x, std::size_t n, double* sums);
// Turns a head's n channels by cosines and sines (positions.h), in place.
void rotate_row(float* x, const float* cos, const float* sin, Rope::Pairing pairing, std::size_t n);
double dot(const float* a, const float* b, std::size_t n);

}  // namespace vise::networks
