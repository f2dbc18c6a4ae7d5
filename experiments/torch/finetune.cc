#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/cuda.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "base/threads.h"
#include "experiments/torch/entry.h"
#include "experiments/torch/trainable_network.h"
#include "experiments/torch/training_state.h"

namespace vise::experiments {
namespace {

torch::Device device_named(const std::string& name) {
  const torch::Device device(name);
  if (device.is_cuda() && !torch::cuda::is_available())
    throw Error(ErrorKind::usage, "this machine has no CUDA device that LibTorch can use", "leave device= out");
  return device;
}

// The rows' mean loss; targets as HeadJob::targets.
// Softmax: the cross-entropy to the targets' rows, which may be votes. Sigmoid: -log sigma in its stable form, over
// the labels that are known (unknown ones are negative). Squares: half the squared error.
torch::Tensor mean_loss(probes::HeadLoss kind, const torch::Tensor& z, const torch::Tensor& y) {
  switch (kind) {
    case probes::HeadLoss::softmax:
      return -(y * torch::log_softmax(z, 1)).sum(1).mean();
    case probes::HeadLoss::sigmoid:
      return ((torch::softplus(z) - y * z) * (y >= 0)).sum(1).mean();
    case probes::HeadLoss::squares:
      break;
  }
  return (z - y).square().sum(1).mean() / 2;
}

// Copies in place: the tensors are those that network and optimiser hold.
void copy_into(const std::vector<torch::Tensor>& to, const std::vector<torch::Tensor>& from) {
  const torch::NoGradGuard no_grad;
  if (to.size() != from.size()) throw Error(ErrorKind::input, "the training state is of another network", "remove it");
  for (std::size_t i = 0; i < to.size(); ++i) {
    torch::Tensor destination = to[i];
    destination.copy_(from[i]);
  }
}

std::vector<torch::Tensor> clones(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> out;
  for (const torch::Tensor& tensor : tensors) out.push_back(tensor.detach().clone());
  return out;
}

// One training: the head is drawn, an earlier state is taken up, epochs follow, and the best one's weights score
// test.
class Training {
 public:
  explicit Training(const FinetuneJob& job)
      : job_(job),
        s_(job.settings),
        device_(device_named(s_.device)),
        network_(*job.network, job.side,
                 {job.layer, networks::Pooling::parse(job.pool), s_.blocks, s_.freeze_batch_norm}, device_) {
    // Drawn on the CPU from our own stream, so that a training begins alike on every device.
    RandomStream random("probe/finetune/head", s_.seed);
    weight_ = torch::empty({static_cast<std::int64_t>(job.outputs), network_.dim()});
    for (std::int64_t i = 0; i < weight_.numel(); ++i)
      weight_.data_ptr<float>()[i] = static_cast<float>(0.01 * random.normal());
    weight_ = weight_.to(device_).requires_grad_(true);
    bias_ = torch::zeros({static_cast<std::int64_t>(job.outputs)}, device_).requires_grad_(true);
    parameters_ = {{weight_, 0, true}, {bias_, 0, false}};
    parameters_.insert(parameters_.end(), network_.parameters().begin(), network_.parameters().end());
    for (const LearnedTensor& p : parameters_) {
      learned_.push_back(p.value);
      first_moments_.push_back(torch::zeros_like(p.value));
      if (s_.adamw) second_moments_.push_back(torch::zeros_like(p.value));
    }
    // Batch norms' running statistics change with training, so they belong to what is kept
    // and restored, though no gradient reaches them.
    learned_.insert(learned_.end(), network_.buffers().begin(), network_.buffers().end());
  }

  void run(FinetuneResult& result) {
    resume();
    while (!done()) {
      job_.context->throw_if_stopped();
      run_epoch();
      // After every epoch and as a whole: a resumed training takes the same steps as one that was
      // never stopped, since its draws depend on the epoch's number alone.
      if (!job_.checkpoint.empty()) save();
      job_.context->log.progress("finetune: epochs", state_.epochs.size(), static_cast<std::uint64_t>(s_.epochs));
    }
    // The epoch that was best on val judges test, not the last one.
    if (job_.val.size > 0) copy_into(learned_, state_.best);
    result.epochs = state_.epochs;
    result.best = state_.best_epoch;
    result.steps = state_.steps;
    result.val_scores = scores(job_.val);
    result.test_scores = scores(job_.test);
  }

 private:
  // In a fixed order: what a training state keeps.
  std::vector<torch::Tensor> everything() const {
    std::vector<torch::Tensor> all = learned_;
    all.insert(all.end(), first_moments_.begin(), first_moments_.end());
    all.insert(all.end(), second_moments_.begin(), second_moments_.end());
    return all;
  }

  void resume() {
    std::optional<TrainingState> kept = read_training_state(job_.checkpoint, job_.identity);
    if (!kept) return;
    copy_into(everything(), kept->now);
    state_ = std::move(*kept);
    for (torch::Tensor& tensor : state_.best) tensor = tensor.to(device_);
    job_.context->log.info(fmt::format("finetune: going on after epoch {}", state_.epochs.size()));
  }

  void save() {
    state_.now = everything();
    write_training_state(job_.checkpoint, job_.identity, state_);
    state_.now.clear();
  }

  // All epochs, or `patience` epochs without a better score on val.
  bool done() const {
    const auto run = static_cast<std::int64_t>(state_.epochs.size());
    if (run >= s_.epochs) return true;
    return job_.val.size > 0 && s_.patience > 0 && run > 0 &&
           run - 1 - static_cast<std::int64_t>(state_.best_epoch) >= s_.patience;
  }

  std::int64_t batches() const {
    const auto n = static_cast<std::int64_t>(job_.train.size);
    return (n + s_.batch - 1) / s_.batch;
  }

  // Grows linearly over the warm-up, then falls along a half cosine; changes with every mini-batch.
  // Loshchilov and Hutter 2017, without restarts.
  double rate_factor() const {
    const auto step = static_cast<double>(state_.steps), warm = static_cast<double>(s_.warmup * batches()),
               all = static_cast<double>(s_.epochs * batches());
    // From the first step on the rate is above zero.
    if (step < warm) return (step + 1) / warm;
    return s_.cosine ? 0.5 * (1 + std::cos(M_PI * (step - warm) / (all - warm))) : 1;
  }

  // Images of a part, by number.
  // Decoding and augmentation of a mini-batch on all threads, into one tensor.
  torch::Tensor images(const ImagePart& part, std::span<const std::size_t> chosen, std::int64_t epoch) const {
    torch::Tensor x = torch::empty({static_cast<std::int64_t>(chosen.size()), 3, job_.side, job_.side});
    const std::size_t size = 3 * static_cast<std::size_t>(job_.side) * static_cast<std::size_t>(job_.side);
    float* const values = x.data_ptr<float>();
    parallel_for(job_.context->threads, chosen.size(),
                 [&](std::size_t i) { part.write(chosen[i], epoch, values + i * size); });
    return x.to(device_);
  }

  torch::Tensor targets(std::span<const std::size_t> chosen) const {
    torch::Tensor y = torch::empty({static_cast<std::int64_t>(chosen.size()), static_cast<std::int64_t>(job_.outputs)});
    float* out = y.data_ptr<float>();
    for (const std::size_t i : chosen) {
      const auto row = job_.targets.subspan(i * job_.outputs, job_.outputs);
      out = std::copy(row.begin(), row.end(), out);
    }
    return y.to(device_);
  }

  // z = W x + b, with x the pooled row of each image.
  torch::Tensor logits(const torch::Tensor& x, bool training) const {
    return torch::addmm(bias_, network_.forward(x, training), weight_.t());
  }

  // Train in an order that is drawn for the epoch; the last mini-batch may be smaller.
  void run_epoch() {
    const auto epoch = static_cast<std::int64_t>(state_.epochs.size());
    std::vector<std::size_t> order(job_.train.size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    RandomStream(fmt::format("probe/finetune/order/{}", epoch), s_.seed).shuffle(std::span(order));
    FinetuneEpoch done;
    for (std::size_t begin = 0; begin < order.size(); begin += static_cast<std::size_t>(s_.batch)) {
      job_.context->throw_if_stopped();
      const std::size_t count = std::min(order.size() - begin, static_cast<std::size_t>(s_.batch));
      const auto chosen = std::span(order).subspan(begin, count);
      const torch::Tensor loss = mean_loss(job_.loss, logits(images(job_.train, chosen, epoch), true), targets(chosen));
      loss.backward();
      done.loss += loss.item<double>() * static_cast<double>(count) / static_cast<double>(order.size());
      done.gradient_max = step();
    }
    if (!std::isfinite(done.loss))
      throw Error(ErrorKind::input, fmt::format("fine-tuning diverged in epoch {}", epoch + 1), "give a smaller lr=");
    finish_epoch(done);
  }

  void finish_epoch(FinetuneEpoch& done) {
    constexpr double kTie = 1e-12;
    if (job_.val.size > 0) done.score = job_.judge(scores(job_.val));
    const std::size_t number = state_.epochs.size();
    state_.epochs.push_back(done);
    // Ties go to the earlier epoch: less training for the same score.
    const bool better = number == 0 || done.score > state_.epochs[state_.best_epoch].score + kTie;
    if (job_.val.size > 0 && !better) return;
    state_.best_epoch = number;
    if (job_.val.size > 0) state_.best = clones(learned_);
  }

  // torch.optim's SGD and AdamW; returns the largest gradient.
  double step() {
    const torch::NoGradGuard no_grad;
    const double factor = rate_factor();
    const auto t = static_cast<double>(++state_.steps);
    torch::Tensor largest = torch::zeros({}, device_);
    // Loshchilov and Hutter 2019: the decay acts on the weights, not through the moments; SGD's is part of the
    // gradient.
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      LearnedTensor& p = parameters_[i];
      torch::Tensor g = p.value.grad(), &m = first_moments_[i];
      largest = torch::maximum(largest, g.abs().max());
      // Earlier blocks learn more slowly, each by the same factor (layer-wise decay: Howard
      // & Ruder 2018; Clark et al. 2020).
      const double rate = s_.rate * std::pow(s_.stage_rate, p.depth) * factor, decay = p.decays ? s_.weight_decay : 0;
      if (s_.adamw) {
        constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
        torch::Tensor& v = second_moments_[i];
        p.value.mul_(1 - rate * decay);
        m.mul_(kBeta1).add_(g, 1 - kBeta1);
        v.mul_(kBeta2).addcmul_(g, g, 1 - kBeta2);
        const torch::Tensor deviation = (v / (1 - std::pow(kBeta2, t))).sqrt_().add_(kEpsilon);
        p.value.addcdiv_(m, deviation, -rate / (1 - std::pow(kBeta1, t)));
      } else {
        m.mul_(s_.momentum).add_(g).add_(p.value, decay);
        p.value.add_(m, -rate);
      }
      // Freed and not zeroed: its memory is used by the next forward pass.
      p.value.mutable_grad() = torch::Tensor();
    }
    return largest.item<double>();
  }

  // z of every image of a part, without augmentation; in double, as metrics take scores.
  std::vector<double> scores(const ImagePart& part) const {
    const torch::NoGradGuard no_grad;
    std::vector<double> out;
    std::vector<std::size_t> chosen;
    for (std::size_t begin = 0; begin < part.size; begin += static_cast<std::size_t>(s_.batch)) {
      job_.context->throw_if_stopped();
      chosen.resize(std::min(part.size - begin, static_cast<std::size_t>(s_.batch)));
      std::iota(chosen.begin(), chosen.end(), begin);
      const torch::Tensor z = logits(images(part, chosen, 0), false).to(torch::kCPU, torch::kDouble).contiguous();
      out.insert(out.end(), z.data_ptr<double>(), z.data_ptr<double>() + z.numel());
    }
    return out;
  }

  const FinetuneJob& job_;
  const probes::FinetuneSettings& s_;
  const torch::Device device_;
  TrainableNetwork network_;
  torch::Tensor weight_, bias_;
  std::vector<LearnedTensor> parameters_;  // the head's first
  std::vector<torch::Tensor> learned_, first_moments_, second_moments_;
  TrainingState state_;
};

}  // namespace
}  // namespace vise::experiments

extern "C" void vise_torch_finetune(const vise::experiments::FinetuneJob& job,
                                    vise::experiments::FinetuneResult& result) {
  at::set_num_threads(job.context->threads);
  at::globalContext().setDeterministicCuDNN(true);
  vise::networks::with_torch_errors(vise::ErrorKind::system,
                                    "LibTorch: ", [&] { vise::experiments::Training(job).run(result); });
}
