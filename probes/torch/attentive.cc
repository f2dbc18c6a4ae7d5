#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "probes/torch/entry.h"
#include "probes/torch/training.h"

namespace vise::probes {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// Blocks of so many images, whatever the threads: a product of other rows may meet another kernel at its edge, and a
// sum in other parts rounds otherwise.
constexpr std::int64_t kBlock = 8;

std::int64_t block_count(const torch::Tensor& x) { return (x.size(0) + kBlock - 1) / kBlock; }

// work(block, first image, images) of each block of x (B x ...), several at a time on a CPU.
template <typename Work>
void for_blocks(const torch::Tensor& x, const Work& work) {
  const auto some = [&](std::int64_t begin, std::int64_t end) {
    const torch::NoGradGuard no_grad;  // it is a thread's own
    for (std::int64_t block = begin; block < end; ++block)
      work(block, block * kBlock, std::min(kBlock, x.size(0) - block * kBlock));
  };
  if (x.is_cuda())
    some(0, block_count(x));
  else
    at::parallel_for(0, block_count(x), 1, some);
}

// Tokens x (B x T x C) as queries u (Q x C) see them: sum over t of softmax_t(x_t . u_q) x_t, B x Q x C. Gradients go
// to u alone: the tokens are frozen.
// The backward pass needs the tokens and the attention weights, and no other intermediate is kept.
struct Attend : torch::autograd::Function<Attend> {
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& u) {
    torch::Tensor weights = torch::empty({x.size(0), x.size(1), u.size(0)}, x.options());
    torch::Tensor pooled = torch::empty({x.size(0), u.size(0), x.size(2)}, x.options());
    for_blocks(x, [&](std::int64_t, std::int64_t begin, std::int64_t count) {
      const torch::Tensor tokens = x.narrow(0, begin, count);
      const torch::Tensor logits = tokens.reshape({-1, x.size(2)}).mm(u.t()).view({count, x.size(1), u.size(0)});
      weights.narrow(0, begin, count).copy_(logits.softmax(1));
      pooled.narrow(0, begin, count).copy_(weights.narrow(0, begin, count).transpose(1, 2).bmm(tokens));
    });
    context->save_for_backward({x, weights});
    return pooled;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weights = saved[1];
    torch::Tensor parts = torch::empty({block_count(x), weights.size(2), x.size(2)}, x.options());
    for_blocks(x, [&](std::int64_t block, std::int64_t begin, std::int64_t count) {
      const torch::Tensor a = weights.narrow(0, begin, count), tokens = x.narrow(0, begin, count);
      const torch::Tensor by_weight = tokens.bmm(gradients[0].narrow(0, begin, count).transpose(1, 2));
      // The softmax's derivative: each weight times what it gains over the weighted mean.
      const torch::Tensor by_logit = a * (by_weight - (a * by_weight).sum(1, true));
      parts[block].copy_(by_logit.view({-1, a.size(2)}).t().mm(tokens.reshape({-1, x.size(2)})));
    });
    // One sum over the blocks' parts, in their order.
    const torch::Tensor by_query = parts.sum(0);
    return {Variable(), by_query};
  }
};

// G probes of one formula (probes/attentive.h).
class Probes {
 public:
  Probes(const AttentiveJob& job, const torch::Device& device)
      : job_(job),
        probes_(size(job.rates.size())),
        heads_(size(job.heads)),
        channels_(size(job.channels)),
        outputs_(size(job.outputs)) {
    const std::int64_t d = channels_ / heads_;
    RandomStream random("probe/attentive/weights", job.seed);
    // All probes begin alike; keys and values keep a token's length on average.
    const double keep = 1 / std::sqrt(static_cast<double>(channels_));
    const auto draw = [&](std::vector<std::int64_t> shape, double deviation) {
      shape.insert(shape.begin(), 1);
      torch::Tensor one = torch::empty(shape);
      float* const values = one.data_ptr<float>();
      for (std::int64_t i = 0; i < one.numel(); ++i) values[i] = static_cast<float>(deviation * random.normal());
      shape[0] = probes_;
      parameters_.emplace_back(one.expand(shape).contiguous().to(device).requires_grad_());
    };
    draw({heads_, d}, 1);                // query
    draw({heads_, d, channels_}, keep);  // keys
    draw({heads_, d, channels_}, keep);  // values
    draw({outputs_, channels_}, 0.01);   // weights
    draw({outputs_}, 0);                 // intercepts
    mean_ = on(device, job.mean);
    deviation_ = on(device, job.deviation);
    for (const HeadRate& rate : job.rates) {
      rates_.push_back(static_cast<float>(rate.learning_rate));
      decays_.push_back(static_cast<float>(rate.weight_decay));
    }
  }

  // One step on the batch; returns each probe's mean loss before it.
  // All probes see one batch: their losses are added up, and each parameter's gradient has its own probe's part
  // alone.
  torch::Tensor step(const torch::Tensor& x, const torch::Tensor& y, double factor) {
    const torch::Tensor losses = losses_of(scores(x), y).mean(0);
    std::vector<torch::Tensor> leaves;
    for (const Trained& parameter : parameters_) leaves.push_back(parameter.value);
    const variable_list gradients = torch::autograd::grad({losses.sum()}, leaves);
    const torch::NoGradGuard no_grad;
    ++steps_;
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      std::vector<std::int64_t> per_probe(static_cast<std::size_t>(leaves[p].dim()), 1);
      per_probe[0] = probes_;
      const auto broadcast = [&](const std::vector<float>& values) {
        return torch::tensor(values).view(per_probe).to(leaves[p].device());
      };
      const bool decays = p != 0 && p + 1 != parameters_.size();  // the query and intercepts don't
      parameters_[p].step(job_, gradients[p], broadcast(rates_) * factor, broadcast(decays_), steps_, decays);
    }
    return losses.detach();
  }

  // The five parameters of each probe, in AttentiveParameters' layouts.
  std::vector<AttentiveParameters> read(const torch::Tensor& losses) const {
    std::vector<AttentiveParameters> all(job_.rates.size());
    for (std::size_t g = 0; g < all.size(); ++g) {
      std::array<std::vector<float>*, 5> parts{&all[g].query, &all[g].keys, &all[g].values, &all[g].weights,
                                               &all[g].intercepts};
      for (std::size_t p = 0; p < parts.size(); ++p) {
        const torch::Tensor one = parameters_[p].value.detach()[size(g)].to(torch::kCPU).contiguous();
        parts[p]->assign(one.data_ptr<float>(), one.data_ptr<float>() + one.numel());
      }
      all[g].loss = losses[size(g)].item<double>();
    }
    return all;
  }

 private:
  static std::int64_t size(std::size_t n) { return static_cast<std::int64_t>(n); }
  static torch::Tensor on(const torch::Device& device, std::span<const double> values) {
    return torch::tensor(std::vector<float>(values.begin(), values.end())).to(device);
  }

  // B x G x K. Keys and values are linear, and an image's attention sums to 1, so that both are applied once an image:
  // to the query, and to the pooled token.
  torch::Tensor scores(const torch::Tensor& x) const {
    const torch::Tensor &query = parameters_[0].value, &keys = parameters_[1].value, &values = parameters_[2].value;
    const std::int64_t d = channels_ / heads_;
    const torch::Tensor u = query.unsqueeze(2).matmul(keys).view({probes_ * heads_, channels_}) /
                            (std::sqrt(static_cast<double>(d)) * deviation_);
    const torch::Tensor pooled = (Attend::apply(x, u) - mean_) / deviation_;
    const torch::Tensor by_head = pooled.view({x.size(0), probes_, heads_, channels_}).permute({1, 2, 3, 0});
    const torch::Tensor v = values.matmul(by_head).reshape({probes_, channels_, x.size(0)});
    const torch::Tensor z = parameters_[3].value.matmul(v) + parameters_[4].value.unsqueeze(2);
    return z.permute({2, 0, 1});
  }

  // B x G.
  // As torch/head.cc, for G probes at once.
  torch::Tensor losses_of(const torch::Tensor& z, const torch::Tensor& y) const {
    const torch::Tensor target = y.unsqueeze(1);
    if (job_.loss == HeadLoss::softmax) return -(target * torch::log_softmax(z, 2)).sum(2);
    if (job_.loss == HeadLoss::sigmoid) return ((torch::softplus(z) - target * z) * (target >= 0)).sum(2);
    return (z - target).square().sum(2) / 2;
  }

  const AttentiveJob& job_;
  std::int64_t probes_, heads_, channels_, outputs_, steps_ = 0;
  std::vector<Trained> parameters_;  // query, keys, values, weights, intercepts; G first
  torch::Tensor mean_, deviation_;
  std::vector<float> rates_, decays_;
};

// Widened a batch at a time: memory doesn't grow with the images.
torch::Tensor gather(const AttentiveJob& job, std::span<const std::int64_t> rows, const torch::Device& device) {
  const auto n = static_cast<std::int64_t>(rows.size());
  torch::Tensor halves =
      torch::empty({n, static_cast<std::int64_t>(job.tokens), static_cast<std::int64_t>(job.channels)}, torch::kHalf);
  const std::size_t bytes = job.tokens * job.channels * sizeof(std::uint16_t);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::memcpy(static_cast<std::byte*>(halves.data_ptr()) + i * bytes, job.rows[static_cast<std::size_t>(rows[i])],
                bytes);
  return halves.to(device).to(torch::kFloat);
}

// Epochs over all images; where they fit in one batch they are widened once and stay on the device.
void train(const AttentiveJob& job, std::vector<AttentiveParameters>& result) {
  const torch::Device device = training_device(job.device);
  at::set_num_threads(job.threads);
  const auto n = static_cast<std::int64_t>(job.rows.size());
  const torch::Tensor y =
      torch::from_blob(const_cast<float*>(job.targets.data()), {n, static_cast<std::int64_t>(job.outputs)}).to(device);
  Probes probes(job, device);
  RandomStream random("probe/attentive/order", job.seed);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  const bool one_batch = n <= job.batch;  // needs no order, and is widened once
  const torch::Tensor all = one_batch ? gather(job, order, device) : torch::Tensor();
  torch::Tensor losses;
  for (std::int64_t epoch = 0; epoch < job.epochs; ++epoch) {
    const double factor = rate_factor(job, epoch);
    if (one_batch) {
      losses = probes.step(all, y, factor);
    } else {
      random.shuffle(std::span(order));
      losses = torch::zeros({static_cast<std::int64_t>(job.rates.size())}, device);
      for (std::int64_t begin = 0; begin < n; begin += job.batch) {
        const auto batch = std::span(order).subspan(static_cast<std::size_t>(begin),
                                                    static_cast<std::size_t>(std::min(job.batch, n - begin)));
        const torch::Tensor places = torch::tensor(std::vector<std::int64_t>(batch.begin(), batch.end())).to(device);
        losses += probes.step(gather(job, batch, device), y.index_select(0, places), factor) *
                  (static_cast<double>(batch.size()) / static_cast<double>(n));
      }
    }
    if (job.progress) job.progress(epoch + 1);
  }
  result = probes.read(losses);
}

}  // namespace

// No exception of LibTorch's may cross the module's door: its types aren't known on the other side.
extern "C" void vise_torch_attentive(const AttentiveJob& job, std::vector<AttentiveParameters>& result) {
  try {
    train(job, result);
  } catch (const c10::Error& e) {
    throw Error(ErrorKind::system, std::string("LibTorch: ") + e.what_without_backtrace());
  }
}

}  // namespace vise::probes
