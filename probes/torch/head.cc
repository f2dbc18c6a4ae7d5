#include <ATen/Parallel.h>
#include <torch/types.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "probes/torch/entry.h"
#include "probes/torch/training.h"

namespace vise::probes {
namespace {

// Weights dim x (H K), so that one product of a batch with them gives every head's outputs; biases 1 x (H K).
// Column h K + k is output k of head h.
class Heads {
 public:
  Heads(const HeadJob& job, const torch::Device& device)
      : job_(job),
        heads_(static_cast<std::int64_t>(job.heads.size())),
        outputs_(static_cast<std::int64_t>(job.outputs)) {
    const auto dim = static_cast<std::int64_t>(job.dim);
    // All heads begin alike.
    RandomStream random("probe/head/weights", job.seed);
    torch::Tensor one = torch::empty({dim, 1, outputs_});
    float* const values = one.data_ptr<float>();
    for (std::int64_t i = 0; i < one.numel(); ++i)
      values[i] = static_cast<float>(job.initial_deviation * random.normal());
    weights_ = Trained(one.expand({dim, heads_, outputs_}).reshape({dim, heads_ * outputs_}).to(device).contiguous());
    bias_ = Trained(torch::full({1, heads_ * outputs_}, job.initial_bias, device));
    rates_ = per_column([](const HeadRate& r) { return r.learning_rate; }, device);
    decays_ = per_column([](const HeadRate& r) { return r.weight_decay; }, device);
  }

  // One step on the batch; returns each head's mean loss before it.
  torch::Tensor step(const torch::Tensor& x, const torch::Tensor& y, double factor) {
    const Slope slope = slope_of(x, y);
    ++steps_;
    const torch::Tensor rates = rates_ * factor;
    weights_.step(job_, product(x.t(), slope.residual), rates, decays_, steps_, true);
    bias_.step(job_, slope.residual.sum(0, true), rates, decays_, steps_, false);  // biases don't decay
    return slope.losses.mean(0);
  }

  // The largest entry of each head's gradient on these rows, weight decay included.
  torch::Tensor gradient_max(const torch::Tensor& x, const torch::Tensor& y) const {
    const torch::Tensor residual = slope_of(x, y).residual;
    const torch::Tensor largest =
        torch::maximum((product(x.t(), residual) + decays_ * weights_.value).abs().amax(0), residual.sum(0).abs());
    return largest.view({heads_, outputs_}).amax(1);
  }

  // From columns side by side to H x K x dim.
  void read(HeadResult& result) const {
    const torch::Tensor w =
        weights_.value.view({-1, heads_, outputs_}).permute({1, 2, 0}).to(torch::kCPU, torch::kDouble).contiguous();
    const torch::Tensor b = bias_.value.to(torch::kCPU, torch::kDouble).contiguous();
    result.weights.assign(w.data_ptr<double>(), w.data_ptr<double>() + w.numel());
    result.intercepts.assign(b.data_ptr<double>(), b.data_ptr<double>() + b.numel());
  }

 private:
  // Each row's share in the derivative of the mean loss by the outputs, n x (H K); its losses, n x H.
  struct Slope {
    torch::Tensor residual, losses;
  };
  // The three losses of HeadLoss with their derivatives by z.
  Slope slope_of(const torch::Tensor& x, const torch::Tensor& y) const {
    const torch::Tensor z = product(x, weights_.value).add_(bias_.value).view({x.size(0), heads_, outputs_});
    const torch::Tensor target = y.unsqueeze(1);
    Slope slope;
    if (job_.loss == HeadLoss::softmax) {
      const torch::Tensor log_p = torch::log_softmax(z, 2);
      // d/dz of -sum y log p is p (sum y) - y; votes that do not sum to one are weights.
      slope.residual = log_p.exp() * target.sum(2, true) - target;
      slope.losses = -(target * log_p).sum(2);
    } else if (job_.loss == HeadLoss::sigmoid) {
      const torch::Tensor known = target >= 0;
      slope.residual = (torch::sigmoid(z) - target) * known;
      slope.losses = ((torch::softplus(z) - target * z) * known).sum(2);
    } else {
      slope.residual = z - target;
      slope.losses = slope.residual.square().sum(2) / 2;
    }
    // By hand rather than by autograd: for a linear layer the gradient is x' residual, and no graph is kept.
    slope.residual = slope.residual.reshape({x.size(0), heads_ * outputs_}) / x.size(0);
    return slope;
  }

  template <typename Get>
  torch::Tensor per_column(const Get& get, const torch::Device& device) const {
    std::vector<float> values;
    for (const HeadRate& head : job_.heads) values.insert(values.end(), job_.outputs, static_cast<float>(get(head)));
    return torch::tensor(values).view({1, -1}).to(device);
  }

  const HeadJob& job_;
  std::int64_t heads_, outputs_, steps_ = 0;
  Trained weights_{torch::Tensor(torch::empty({0}))}, bias_{torch::Tensor(torch::empty({0}))};
  torch::Tensor rates_, decays_;
};

// Rows may be anywhere in memory; LibTorch wants them side by side.
torch::Tensor gather(const HeadJob& job) {
  torch::Tensor x = torch::empty({static_cast<std::int64_t>(job.rows.size()), static_cast<std::int64_t>(job.dim)});
  float* out = x.data_ptr<float>();
  for (const float* const row : job.rows) out = std::copy(row, row + job.dim, out);
  return x;
}

// All epochs for all heads of the grid. The last epoch's mean loss is what is reported.
void train(const HeadJob& job, HeadResult& result) {
  const torch::Device device = training_device(job.device);
  at::set_num_threads(job.threads);
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = gather(job).to(device);
  const auto n = x.size(0);
  const torch::Tensor y =
      torch::from_blob(const_cast<float*>(job.targets.data()), {n, static_cast<std::int64_t>(job.outputs)}).to(device);
  Heads heads(job, device);
  RandomStream random("probe/head/order", job.seed);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  torch::Tensor losses;
  for (std::int64_t epoch = 0; epoch < job.epochs; ++epoch) {
    random.shuffle(std::span(order));
    const torch::Tensor places = torch::tensor(order).to(device);
    losses = torch::zeros({static_cast<std::int64_t>(job.heads.size())}, device);
    for (std::int64_t begin = 0; begin < n; begin += job.batch) {
      const std::int64_t end = std::min(begin + job.batch, n);
      const bool whole = begin == 0 && end == n;  // a full batch needs no order
      const torch::Tensor batch = places.slice(0, begin, end);
      const torch::Tensor mean =
          whole ? heads.step(x, y, rate_factor(job, epoch))
                : heads.step(x.index_select(0, batch), y.index_select(0, batch), rate_factor(job, epoch));
      losses += mean * (static_cast<double>(end - begin) / static_cast<double>(n));
    }
    if (job.progress) job.progress(epoch + 1);
  }
  heads.read(result);
  const auto doubles = [](const torch::Tensor& tensor) {
    const torch::Tensor values = tensor.to(torch::kCPU, torch::kDouble).contiguous();
    return std::vector<double>(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  };
  result.losses = doubles(losses);
  result.gradients = doubles(heads.gradient_max(x, y));
}

}  // namespace

extern "C" void vise_torch_head(const HeadJob& job, HeadResult& result) {
  try {
    train(job, result);
  } catch (const c10::Error& e) {
    throw Error(ErrorKind::system, std::string("LibTorch: ") + e.what_without_backtrace());
  }
}

}  // namespace vise::probes
