#include "extract/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "base/threads.h"
#include "extract/decode/decode.h"

namespace vise {
namespace {

// A file's bytes on their way from the reader to a worker.
struct FileBytes {
  Path path;
  ImageSource source;
  std::vector<std::byte> bytes;
};

class Pipeline {
 public:
  Pipeline(const std::vector<OpenFile>& files, const std::vector<Pass*>& passes, const ExtractOptions& options,
           const Context& context)
      : files_(files),
        passes_(passes),
        options_(options),
        context_(context),
        queue_(2 * static_cast<std::size_t>(context.threads)) {}

  PipelineResult run() {
    {
      std::vector<std::jthread> threads;
      threads.emplace_back([this] {
        guarded([this] { read_all(); });
        queue_.close();
      });
      for (int worker = 0; worker < context_.threads; ++worker)
        threads.emplace_back([this, worker] { guarded([&] { work(static_cast<std::size_t>(worker)); }); });
    }
    if (!error_) guarded([this] { finish_rest(); });
    if (error_) {
      for (Pass* pass : passes_) pass->flush();
      std::rethrow_exception(error_);
    }
    result_.seconds = {{"read", read_seconds_}, {"decode", decode_seconds_}, {"transform", transform_seconds_}};
    return std::move(result_);
  }

 private:
  // Keeps the first error and stops everybody.
  template <typename Body>
  void guarded(Body body) {
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
      failed_ = true;
      queue_.close();
    }
  }

  // The one place that knows which contents are under way, so that a picture that lies twice on disk is computed once.
  void read_all() {
    std::unordered_set<ContentHash> given;
    for (const OpenFile& file : files_) {
      if (failed_) return;
      context_.throw_if_stopped();
      const Stopwatch watch;
      FileBytes read{file.path, {}, read_file(file.path)};
      read.source = {content_hash(read.bytes), read.bytes.size()};
      read_seconds_ += watch.seconds();
      result_.read.push_back({file.item, read.source.content});
      const bool wanted = std::any_of(passes_.begin(), passes_.end(),
                                      [&](const Pass* pass) { return !pass->has(read.source.content); });
      if (wanted && given.insert(read.source.content).second) {
        if (!queue_.push(std::move(read))) return;
      } else {
        count_one();
      }
    }
  }

  void work(std::size_t worker) {
    while (auto file = queue_.pop()) {
      if (failed_) return;
      process(*file, worker);
      count_one();
    }
  }

  void process(const FileBytes& file, std::size_t worker) {
    Image image;
    const Stopwatch watch;
    const std::string path = file.path.string();
    try {
      image = decode_image(file.bytes, path, {.max_pixels = options_.max_pixels});
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::input || options_.on_bad_image == BadImagePolicy::fail)
        throw Error(e.kind(), e.message(),
                    fmt::format("{}{}or leave it out of every backbone's rows: --on-bad-image skip", e.hint(),
                                e.hint().empty() ? "repair or remove the image, " : "; "));
      // The row is kept by content, and the same bytes may lie elsewhere tomorrow.
      const std::string reason = e.message().substr(e.message().starts_with(path + ": ") ? path.size() + 2 : 0);
      for (Pass* pass : passes_)
        if (!pass->has(file.source.content)) pass->give_unreadable(file.source, reason);
      return;
    }
    decode_seconds_ += watch.seconds();
    std::map<std::string, std::shared_ptr<const Pixels>> by_geometry;
    for (Pass* pass : passes_) {
      if (pass->has(file.source.content)) continue;
      if (pass->transform())
        pass->give(file.source, transformed(image, *pass, by_geometry), worker);
      else
        pass->give(file.source, image);
    }
  }

  // Resized once per distinct geometry; normalisation belongs to the pass.
  std::shared_ptr<const Pixels> transformed(const Image& image, const Pass& pass,
                                            std::map<std::string, std::shared_ptr<const Pixels>>& done) {
    std::shared_ptr<const Pixels>& pixels = done[pass.geometry()];
    if (!pixels) {
      const Stopwatch watch;
      auto made = std::make_shared<Pixels>(pass.transform()->bytes());
      pass.transform()->pixels(image, *made);
      transform_seconds_ += watch.seconds();
      pixels = std::move(made);
    }
    return pixels;
  }

  void finish_rest() {
    for (Pass* pass : passes_) pass->run_rest();
  }

  void count_one() { context_.log.progress("images", ++done_, files_.size()); }

  const std::vector<OpenFile>& files_;
  const std::vector<Pass*>& passes_;
  const ExtractOptions& options_;
  const Context& context_;
  BoundedQueue<FileBytes> queue_;
  PipelineResult result_;
  std::atomic<double> read_seconds_{0}, decode_seconds_{0}, transform_seconds_{0};
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> failed_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

}  // namespace

PipelineResult run_pipeline(const std::vector<OpenFile>& files, const std::vector<Pass*>& passes,
                            const ExtractOptions& options, const Context& context) {
  return Pipeline(files, passes, options, context).run();
}

}  // namespace vise
