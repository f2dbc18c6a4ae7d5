#include "extract/features/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "extract/features/bad_images.h"
#include "extract/features/work_queue.h"
#include "extract/images/decode/decode.h"

namespace vise::features {
namespace {

// A file's bytes on their way from the reader to a worker.
struct FileBytes {
  Path path;
  ImageSource source;
  std::vector<std::byte> bytes;
};

// Images that fill a batch of one pass.
struct Batch {
  Pass* pass;
  Pass::Batch images;
};

// "resnet50, clip", or how many there are.
std::string names_of(const std::vector<Pass*>& passes) {
  constexpr std::size_t kMost = 3;
  if (passes.empty()) return "contents";
  std::vector<std::string> names;
  for (const Pass* pass : passes) names.push_back(pass->recipe().request.backbone.name);
  return names.size() <= kMost ? join(names, ", ") : fmt::format("{} backbones", names.size());
}

// One reader, some workers, one queue between them (work_queue.h). Errors of any thread end all of them; bad images
// don't, as all of them are to be named.
class Pipeline {
 public:
  Pipeline(const datasets::Dataset& dataset, const std::vector<std::uint32_t>& items, const std::vector<Pass*>& passes,
           const std::function<void(const ReadFile&)>& learn, const ExtractOptions& options, const Context& context)
      : dataset_(dataset),
        items_(items),
        passes_(passes),
        learn_(learn),
        options_(options),
        context_(context),
        // The reader is at most two files a worker ahead, so that memory stays flat however fast the disk is.
        queue_(2 * static_cast<std::size_t>(context.threads), [this] { return rests(); }) {}

  PipelineWork run() {
    {
      std::vector<std::jthread> threads;
      // One reader: it reads in the order that suits an archive or a disk, and is the
      // only one to see every content.
      threads.emplace_back([this] {
        guarded([this] { read_all(); });
        queue_.close();
      });
      for (int worker = 0; worker < worker_count(); ++worker)
        threads.emplace_back([this, worker] { guarded([&] { work(static_cast<std::size_t>(worker)); }); });
    }
    if (error_) {
      for (Pass* pass : passes_) guarded([&] { pass->flush(); });  // a full disk fails again; the first error counts
      std::rethrow_exception(error_);
    }
    // What was computed before the bad image is kept: the next run continues from there.
    if (has_bad_) {
      for (Pass* pass : passes_) pass->flush();
      throw_bad();
    }
    return {
        {{"read", read_seconds_}, {"decode", decode_seconds_}, {"transform", transform_seconds_}}, decoded_, resized_};
  }

 private:
  // On a GPU some workers wait for their batch; as many more decode meanwhile.
  int worker_count() const {
    int count = context_.threads;
    for (const Pass* pass : passes_) count += pass->waiting_workers();
    return count;
  }

  // Keeps the first error and stops everybody.
  template <typename Body>
  void guarded(Body body) {
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
      failed_ = true;
      queue_.stop();
    }
  }

  // The one place that knows which contents are under way, so that a picture that is on disk twice is computed once.
  void read_all() {
    std::unordered_set<ContentHash> given;
    for (const std::uint32_t item : items_) {
      if (failed_) return;
      context_.throw_if_stopped();
      const Stopwatch watch;
      FileBytes read{dataset_.path(item), {}, {}};
      read.bytes = dataset_.read(item);
      read.source = {content_hash(read.bytes), read.bytes.size()};
      read_seconds_ += watch.seconds();
      learn_({item, read.source.content});
      const bool wanted = dataset_.wants_features(item) &&
                          std::any_of(passes_.begin(), passes_.end(),
                                      [&](const Pass* pass) { return !pass->has(read.source.content); });
      if (wanted && given.insert(read.source.content).second) {
        if (!queue_.push(std::move(read))) return;
      } else {
        // A bad picture's copies are listed with it: repairing one of them would only
        // lead to the next message.
        if (wanted && options_.on_bad_image == BadImagePolicy::fail) copies_.emplace_back(read.source.content, item);
        count_one();
      }
    }
  }

  void work(std::size_t worker) {
    while (const auto job = queue_.take()) {
      if (const auto* const batch = std::get_if<Batch>(&*job)) {
        batch->pass->run(batch->images, worker);
        continue;
      }
      std::vector<Batch> filled;
      process(std::get<FileBytes>(*job), filled);
      // A file's batches enter the queue in the same step in which it counts as finished; otherwise the
      // queue could look empty, and the rests be handed out, while a batch is still on its way.
      queue_.finished(std::move(filled));
      count_one();
    }
  }

  // From a file's bytes to every pass that lacks it.
  void process(const FileBytes& file, std::vector<Batch>& filled) {
    images::Image image;
    const Stopwatch watch;
    try {
      image = images::decode_image(file.bytes, file.path.string(), {.max_pixels = options_.max_pixels});
    } catch (const Error& e) {
      return refuse(file, e, passes_);
    }
    decode_seconds_ += watch.seconds();
    ++decoded_;
    // After a bad image files are decoded only to find the other bad ones.
    if (has_bad_) return;
    // By how pixels are resized and cropped: backbones that differ in normalisation alone
    // share the resized picture.
    std::map<std::string, std::shared_ptr<const Pixels>> by_geometry;
    for (Pass* pass : passes_) {
      if (pass->has(file.source.content)) continue;
      if (pass->recipe().is_floor())
        pass->give(file.source, DecodedFile{file.bytes, image});
      else if (const auto pixels = transformed(file, image, *pass, by_geometry))
        add_batch(*pass, pass->give(file.source, pixels), filled);
    }
  }

  // An image that can't be read or resized ends the run, or has no row under these passes. Before it ends the rest is
  // decoded, not computed: whoever repairs a set wants to hear of every bad file at once.
  void refuse(const FileBytes& file, const Error& e, const std::vector<Pass*>& passes) {
    const std::string name = file.path.string() + ": ";
    // The row is kept by content, and the same bytes may have another path tomorrow.
    const std::string reason = e.message().substr(e.message().starts_with(name) ? name.size() : 0);
    if (e.kind() != ErrorKind::input) throw Error(e.kind(), name + reason, e.hint());
    if (options_.on_bad_image == BadImagePolicy::fail) {
      const std::lock_guard lock(error_mutex_);
      bad_.emplace(file.source.content, BadImage{file.path.string(), reason, e.hint()});
      has_bad_ = true;
      return;
    }
    for (Pass* pass : passes)
      if (!pass->has(file.source.content)) pass->give_unreadable(file.source, reason);
  }

  // Resized once per distinct geometry; normalisation belongs to the pass. Null for a picture that can't be resized so.
  std::shared_ptr<const Pixels> transformed(const FileBytes& file, const images::Image& image, Pass& pass,
                                            std::map<std::string, std::shared_ptr<const Pixels>>& done) {
    const Recipe& recipe = pass.recipe();
    std::shared_ptr<const Pixels>& pixels = done[recipe.geometry];
    if (!pixels) {
      const Stopwatch watch;
      const images::Views views = recipe.request.views;
      auto made = std::make_shared<Pixels>(images::view_count(views) * recipe.transform->bytes());
      try {
        images::view_pixels(*recipe.transform, image, views, *made);
      } catch (const Error& e) {
        refuse(file, e, {&pass});
        return nullptr;
      }
      transform_seconds_ += watch.seconds();
      ++resized_;
      pixels = std::move(made);
    }
    return pixels;
  }

  // Bad images and their copies, each by its own path.
  [[noreturn]] void throw_bad() const {
    std::vector<BadImage> all;
    for (const auto& [content, image] : bad_) all.push_back(image);
    for (const auto& [content, item] : copies_)
      if (const auto image = bad_.find(content); image != bad_.end()) {
        all.push_back(image->second);
        all.back().file = dataset_.path(item).string();
      }
    throw_bad_images(std::move(all));
  }

  static void add_batch(Pass& pass, Pass::Batch images, std::vector<Batch>& to) {
    if (!images.empty()) to.push_back({&pass, std::move(images)});
  }

  // Called once, when the last file is done: the batches that are not full.
  std::vector<Batch> rests() const {
    std::vector<Batch> batches;
    for (Pass* pass : passes_) add_batch(*pass, pass->rest(), batches);
    return batches;
  }

  // Files count when they are done, not when they are read.
  void count_one() { context_.log.progress(what_, ++done_, items_.size()); }

  const datasets::Dataset& dataset_;
  const std::vector<std::uint32_t>& items_;
  const std::vector<Pass*>& passes_;
  const std::function<void(const ReadFile&)>& learn_;
  const ExtractOptions& options_;
  const Context& context_;
  WorkQueue<FileBytes, Batch> queue_;
  std::atomic<double> read_seconds_{0}, decode_seconds_{0}, transform_seconds_{0};
  std::atomic<std::size_t> done_{0}, decoded_{0}, resized_{0};
  std::atomic<bool> failed_{false};
  const std::string what_ = names_of(passes_) + ": images";
  std::mutex error_mutex_;
  std::exception_ptr error_;
  std::map<ContentHash, BadImage> bad_;                        // of the policy `fail`, each by its first file
  std::vector<std::pair<ContentHash, std::uint32_t>> copies_;  // items whose content came before; the reader's
  std::atomic<bool> has_bad_{false};
};

}  // namespace

PipelineWork run_pipeline(const datasets::Dataset& dataset, const std::vector<std::uint32_t>& items,
                          const std::vector<Pass*>& passes, const std::function<void(const ReadFile&)>& learn,
                          const ExtractOptions& options, const Context& context) {
  return Pipeline(dataset, items, passes, learn, options, context).run();
}

}  // namespace vise::features
