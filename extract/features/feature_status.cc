#include "extract/features/feature_status.h"

#include <algorithm>

#include "base/error.h"
#include "extract/features/pass.h"

namespace vise::features {
namespace {

// By item; nothing for a file that the path cache doesn't know, unless it is read now.
// The path cache is asked first: a dry run over a million known files reads none of them.
std::vector<std::optional<ContentHash>> known_contents(const datasets::Dataset& dataset, const Path& cache,
                                                       bool read_unknown) {
  PathCache paths(cache / "paths" / "images");
  std::vector<std::optional<ContentHash>> contents;
  contents.reserve(dataset.size());
  for (std::size_t item = 0; item < dataset.size(); ++item) {
    const std::string* const known = paths.find(dataset.identity(item));
    contents.push_back(known          ? std::optional(ContentHash::parse(*known))
                       : read_unknown ? std::optional(content_hash(dataset.read(item)))
                                      : std::nullopt);
  }
  return contents;
}

// The features.json of every store in the cache; one that can't be read tells nothing.
std::vector<Json> recorded_extractions(const Path& cache) {
  std::vector<Json> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(cache / "features", error)) {
    const Path file = entry.path() / "features.json";
    if (!std::filesystem::exists(file, error)) continue;
    Json facts = Json::parse(read_text_file(file, 16 << 20), nullptr, false);
    if (facts.is_object() && facts.contains("key") && facts.contains("seconds") && facts.value("images", 0.0) > 0)
      all.push_back(std::move(facts));
  }
  return all;
}

// Of keys that may differ in precision.
bool same_work(const Json& a, const Json& b) {
  constexpr const char* kParts[] = {"architecture", "engine", "device", "floor", "views"};
  return std::ranges::all_of(kParts, [&](const char* part) { return a.value(part, "") == b.value(part, ""); });
}

// The last folder that fits counts; rates of one machine and one kind of work hardly differ between folders.
void add_rates(const std::vector<Json>& recorded, FeatureStatus& status) {
  for (const Json& facts : recorded) {
    if (!same_work(facts["key"], status.key.parts)) continue;
    const Json& seconds = facts["seconds"];
    const double images = facts["images"].get<double>();
    const std::string precision = facts["key"].value("precision", "");
    if (status.could_be_bf16 && precision == networks::precision_name(networks::Precision::bf16))
      status.bf16_forward_seconds = seconds.value("forward", 0.0) / images;
    if (precision != status.key.parts.value("precision", "")) continue;
    status.forward_seconds = seconds.value("forward", 0.0) / images;
    status.image_seconds =
        (seconds.value("read", 0.0) + seconds.value("decode", 0.0) + seconds.value("transform", 0.0)) / images;
  }
}

// Counts items of one store: with a row, without one, and those whose content nobody knows yet.
void count_rows(const datasets::Dataset& dataset, const FeatureStore& store,
                const std::vector<std::optional<ContentHash>>& contents, FeatureStatus& status) {
  for (std::size_t item = 0; item < contents.size(); ++item) {
    if (!dataset.wants_features(item)) continue;
    if (!contents[item])
      ++status.unread;
    else
      ++(store.has(*contents[item]) ? status.known : status.missing);
  }
  // The contents are given whole or not at all: the hash of a task's data needs every item's.
  if (!std::ranges::all_of(contents, [](const auto& content) { return content.has_value(); })) return;
  for (const auto& content : contents) status.contents.push_back(*content);
}

}  // namespace

std::vector<FeatureStatus> feature_status(const datasets::Dataset& dataset, const std::vector<FeatureRequest>& requests,
                                          const ExtractOptions& options, const Context& context, bool read_unknown) {
  const auto contents = known_contents(dataset, options.cache, read_unknown);
  const std::vector<Json> recorded = recorded_extractions(options.cache);
  ExtractOptions no_fetch = options;
  // A plan is a question: it must not start a download of gigabytes.
  no_fetch.weights.offline = true;
  std::vector<FeatureStatus> all;
  for (const FeatureRequest& request : requests) {
    try {
      Pass pass(request, no_fetch, context);
      for (std::size_t tap = 0; tap < pass.stores().size(); ++tap) {
        const FeatureStore& store = pass.stores()[tap];
        FeatureStatus status{request.backbone.name, pass.recipe().request.taps[tap], {}, {}, store.key()};
        status.could_be_bf16 = pass.recipe().could_be_bf16();
        count_rows(dataset, store, contents, status);
        add_rates(recorded, status);
        all.push_back(std::move(status));
      }
    } catch (const Error& e) {
      // Missing or unreadable weights are an answer to the question of what is missing,
      // for this backbone alone.
      if (e.kind() != ErrorKind::missing && e.kind() != ErrorKind::input) throw;
      const bool can_fetch =
          e.kind() == ErrorKind::missing && !options.weights.offline && !request.backbone.urls.empty();
      for (const FeatureTap& tap : request.taps) {
        all.push_back(
            {request.backbone.name, tap, can_fetch ? "" : e.message(), can_fetch ? request.backbone.urls.front() : ""});
        if (can_fetch)
          for (std::size_t item = 0; item < dataset.size(); ++item)
            all.back().missing += dataset.wants_features(item) ? 1 : 0;
      }
    }
  }
  return all;
}

}  // namespace vise::features
