// `vise-eval explain`: why two results differ.
#include "experiments/explain.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/pick.h"
#include "cli/session.h"
#include "reports/metric_names.h"

namespace vise::cli {
namespace {

// Two results that answer the same question.
struct Pair {
  const experiments::Result *a, *b;
};

bool same_question(const experiments::Cell& a, const experiments::Cell& b, bool same_backbone, bool same_probe) {
  return a.task == b.task && a.target == b.target && a.seed == b.seed && a.shots == b.shots &&
         a.fraction == b.fraction && (!same_backbone || a.backbone == b.backbone) &&
         (!same_probe || a.probe == b.probe);
}

// Every result of A with its counterpart in B: the same backbone and probe where B has them, else what B has for the
// same task. Two that have nothing in common but are one each are a pair all the same.
std::vector<Pair> pairs_of(const Picked& a, const Picked& b) {
  std::vector<Pair> pairs;
  for (const experiments::Result& left : a.results) {
    const experiments::Result* found = nullptr;
    for (const auto& [same_backbone, same_probe] :
         // From the closest counterpart to the farthest; the first that exists is taken.
         {std::pair{true, true}, {false, true}, {true, false}, {false, false}})
      for (const experiments::Result& right : b.results)
        if (!found && same_question(left.cell, right.cell, same_backbone, same_probe)) found = &right;
    if (found) pairs.push_back({&left, found});
  }
  if (pairs.empty() && a.results.size() == 1 && b.results.size() == 1)
    pairs.push_back({&a.results.front(), &b.results.front()});
  return pairs;
}

// The result's primary metric, as the tables print it.
std::string primary_text(const experiments::Result& r) {
  const auto found = r.metrics.find(r.primary_metric);
  const reports::MetricName metric = reports::metric_name(r.primary_metric);
  if (!r.ok() || found == r.metrics.end()) return "failed";
  return fmt::format("{} {}", metric.short_title, reports::metric_text(metric, found->second, r.sizes.test));
}

// Whether two pairs differ for the same reasons.
bool same_causes(const std::vector<experiments::Cause>& left, const std::vector<experiments::Cause>& right) {
  const auto same = [](const experiments::Cause& x, const experiments::Cause& y) {
    return x.what == y.what && x.a == y.a && x.b == y.b;
  };
  return std::ranges::equal(left, right, same);
}

// `before`: what was said of the pair before this one; seeds usually repeat it.
void print(const Pair& pair, const std::vector<experiments::Cause>& causes,
           const std::vector<experiments::Cause>& before) {
  fmt::print("A: {}: {}\nB: {}: {}\n", experiments::cell_words(pair.a->cell), primary_text(*pair.a),
             experiments::cell_words(pair.b->cell), primary_text(*pair.b));
  if (!causes.empty() && same_causes(causes, before)) return fmt::print("  as above\n");
  for (const experiments::Cause& cause : causes)
    fmt::print("  {}\n    A {}\n    B {}\n    {}\n", cause.what, cause.a.empty() ? "-" : cause.a,
               cause.b.empty() ? "-" : cause.b, cause.effect);
  if (!causes.empty()) return;
  // With equal settings other numbers mean that one of the results was edited, or wasn't computed alike.
  const bool same = pair.a->metrics == pair.b->metrics;
  fmt::print("  {}\n", same ? "nothing differs: the same settings and the same numbers"
                            : "every recorded setting is the same, yet the numbers differ: vise-eval verify both");
}

Json to_json(const Pair& pair, const std::vector<experiments::Cause>& causes) {
  Json list = Json::array();
  for (const experiments::Cause& cause : causes)
    list.push_back({{"what", cause.what}, {"a", cause.a}, {"b", cause.b}, {"effect", cause.effect}});
  return {
      {"a", pair.a->key}, {"b", pair.b->key}, {"causes", list}, {"same_metrics", pair.a->metrics == pair.b->metrics}};
}

void explain_verb(const std::string& first, const std::string& second, const Session& session) {
  const Picked a = pick(first), b = pick(second);
  const std::vector<Pair> pairs = pairs_of(a, b);
  if (pairs.empty())
    throw Error(ErrorKind::usage, fmt::format("{} and {} have no task in common", first, second),
                "name one result of each: RUN:KEY, a key's first digits are enough");
  Json list = Json::array();
  std::vector<experiments::Cause> before;
  // For JSON every pair's causes are written out, also where they repeat.
  for (const Pair& pair : pairs) {
    const std::vector<experiments::Cause> causes = experiments::explain(*pair.a, *pair.b);
    if (session.json)
      list.push_back(to_json(pair, causes));
    else
      print(pair, causes, before);
    before = causes;
  }
  if (session.json) fmt::print("{}\n", list.dump());
}

}  // namespace

void add_explain(Verbs& verbs) {
  auto words = std::make_shared<std::pair<std::string, std::string>>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("explain", "why two results differ: weights, transform, split, probe, version",
                             "  vise-eval explain runs/monday runs/tuesday\n"
                             "  vise-eval explain runs/a:vise-250m runs/a:imagenet-v1/logreg",
                             [=, &session] { explain_verb(words->first, words->second, session); });
  verb->add_option("a", words->first, "a run's folder, or RUN:ROW (a backbone, BACKBONE/PROBE or a key)")
      ->type_name("RUN[:ROW]")
      ->required();
  verb->add_option("b", words->second, "the other one")->type_name("RUN[:ROW]")->required();
  verbs.add_json_option(verb);
}

}  // namespace vise::cli
