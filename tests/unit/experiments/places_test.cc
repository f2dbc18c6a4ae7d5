#include "experiments/places.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "experiments/runner.h"

namespace vise::experiments {
namespace {

Places places_in(std::map<std::string, std::string> variables) {
  Places places;
  places.environment = [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
  return places;
}

TEST(Places, FollowWhatWasSaidThenTheEnvironmentThenTheHome) {
  Places places = places_in({{"HOME", "/home/a"}});
  EXPECT_EQ(places.cache_dir(), "/home/a/.cache/vise-eval");
  EXPECT_EQ(places.weights_search().folders, std::vector<Path>{"/home/a/.cache/torch/hub/checkpoints"});
  EXPECT_EQ(places.weights_search().hubs, std::vector<Path>{"/home/a/.cache/huggingface/hub"});
  places = places_in({{"HOME", "/home/a"}, {"XDG_CACHE_HOME", "/x"}, {"VISE_DATA", "/d"}});
  EXPECT_EQ(places.cache_dir(), "/x/vise-eval");
  EXPECT_EQ(places.weights_search().into, "/x/torch/hub/checkpoints");
  EXPECT_EQ(places.data_roots(), (std::vector<Path>{"/d", "data"}));
  places.environment = places_in({{"HOME", "/home/a"},
                                  {"VISE_CACHE", "/c"},
                                  {"VISE_WEIGHTS", "/w"},
                                  {"TORCH_HOME", "/t"},
                                  {"HF_HOME", "/h"},
                                  {"VISE_OFFLINE", "0"}})
                           .environment;
  EXPECT_EQ(places.cache_dir(), "/c");
  EXPECT_EQ(places.weights_search().folders,
            (std::vector<Path>{"/w", "/t/hub/checkpoints", "/home/a/.cache/torch/hub/checkpoints"}));
  EXPECT_EQ(places.weights_search().hubs.front(), "/h/hub");
  EXPECT_FALSE(places.weights_search().offline);
  places.cache = "mine";
  places.weights = {"first"};
  places.offline = true;
  EXPECT_EQ(places.cache_dir(), "mine");
  EXPECT_EQ(places.weights_search().folders.front(), "first");
  EXPECT_TRUE(places.weights_search().offline);
}

TEST(Places, ReadNoEnvironmentOfTheirOwn) { EXPECT_EQ(Places{}.cache_dir(), "./.cache/vise-eval"); }

TEST(Places, RefuseATimeThatIsNone) {
  for (const char* text : {"0", "soon", "86401", "-1"}) {
    const Places places = places_in({{"VISE_FETCH_TIMEOUT", text}});
    EXPECT_THROW(places.weights_search(), Error) << text;
  }
  EXPECT_EQ(places_in({{"VISE_FETCH_TIMEOUT", "5"}}).weights_search().patience, 5);
}

TEST(Places, StandBeforeAStudysOwnAndLeaveItsLimits) {
  RunRequest request;
  request.data_roots = {"of-study"};
  request.extract.weights.folders = {"weights-of-study"};
  request.extract.on_bad_image = features::BadImagePolicy::skip;
  request.extract.max_pixels = 1000;
  Places places = places_in({{"HOME", "/home/a"}});
  places.weights = {"first"};
  places.add_to(request);
  EXPECT_EQ(request.data_roots, (std::vector<Path>{"data", "of-study"}));
  EXPECT_EQ(request.extract.weights.folders,
            (std::vector<Path>{"first", "weights-of-study", "/home/a/.cache/torch/hub/checkpoints"}));
  EXPECT_EQ(request.extract.on_bad_image, features::BadImagePolicy::skip);
  EXPECT_EQ(request.extract.max_pixels, 1000U);
  places.max_pixels = 5;
  places.add_to(request);
  EXPECT_EQ(request.extract.max_pixels, 5U);
}

}  // namespace
}  // namespace vise::experiments
