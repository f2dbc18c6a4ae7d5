#include "probes/torch/training.h"

#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace vise::probes {

torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b) {
  if (a.is_cuda()) return a.mm(b);
  torch::Tensor result = torch::empty({a.size(0), b.size(1)});
  // Rows are divided, never sums, so a result doesn't depend on the number of threads.
  const std::int64_t slice = (a.size(0) + at::get_num_threads() - 1) / at::get_num_threads();
  at::parallel_for(0, a.size(0), slice, [&](std::int64_t begin, std::int64_t end) {
    const torch::NoGradGuard no_grad;  // it is a thread's own
    torch::Tensor rows = result.narrow(0, begin, end - begin);
    at::mm_out(rows, a.narrow(0, begin, end - begin), b);
  });
  return result;
}

// In epochs, as VPT's scheduler counts.
double rate_factor(const TrainingSettings& settings, std::int64_t epoch) {
  if (epoch < settings.warmup_epochs) return static_cast<double>(epoch) / static_cast<double>(settings.warmup_epochs);
  if (!settings.cosine) return 1;
  const double progress = static_cast<double>(epoch - settings.warmup_epochs) /
                          static_cast<double>(std::max<std::int64_t>(1, settings.epochs - settings.warmup_epochs));
  return 0.5 * (1 + std::cos(M_PI * progress));
}

// One step in place; `steps` counts from 1 for Adam's correction.
void Trained::step(const TrainingSettings& settings, torch::Tensor gradient, const torch::Tensor& rates,
                   const torch::Tensor& decays, std::int64_t steps, bool decay) {
  if (settings.optimizer == HeadOptimizer::sgd) {
    m.mul_(settings.momentum).add_(gradient);  // in place: these arrays are as large as the features
    if (decay) m.addcmul_(decays, value);
    value.addcmul_(rates, m, -1);
    return;
  }
  // Loshchilov & Hutter 2019: decay apart from the moments. Adam's older form adds it to the gradient.
  if (decay && settings.optimizer == HeadOptimizer::adamw) value.mul_(1 - rates * decays);
  if (decay && settings.optimizer != HeadOptimizer::adamw) gradient = gradient + decays * value;
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  m.mul_(kBeta1).add_(gradient, 1 - kBeta1);
  v.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
  // The moments start at zero; these undo the bias that leaves (Kingma & Ba 2015, section 3).
  const double first = 1 - std::pow(kBeta1, static_cast<double>(steps));
  const double second = 1 - std::pow(kBeta2, static_cast<double>(steps));
  value.sub_(rates / first * m / ((v / second).sqrt() + kEpsilon));
}

torch::Device training_device(const std::string& name) {
  const torch::Device device(name);
  if (device.is_cuda() && !torch::cuda::is_available())
    throw Error(ErrorKind::usage, "this machine has no CUDA device that LibTorch can use", "leave --device out");
  return device;
}

}  // namespace vise::probes
