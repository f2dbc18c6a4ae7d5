// A probe: frozen features and targets in, a model with its proof out.
//
//   const auto probe = ProbeRegistry::instance().make("logreg", options);
//   const Fitted fitted = probe->fit(train, &val, context);   // hyper-parameters chosen on val, refit on train + val
//   const Scores scores = fitted.model->predict(test_features);
//
// The rule of selection is the same for all probes: every candidate is fitted on train and scored on val (or by
// cross-validation over train's folds when there is no val); the best score wins, ties go to the stronger
// regularisation; the winner is refitted on train + val. What was tried and what was chosen travels with the model.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/shared_value.h"
#include "probes/views.h"

namespace vise::probes {

// One candidate of a sweep and how it did on the selection split.
struct Candidate {
  Shared<std::map<std::string, double>> parameters;  // {"C": 0.1}
  double score = 0;                                  // the selection metric, higher is better
};

struct Selection {
  std::string selected_on;       // "val (60 images)", "5-fold cross-validation on train", "nothing to choose"
  std::string metric;            // "accuracy", "balanced_accuracy", "map", "neg_kl", "r2", ...
  std::vector<Candidate> curve;  // in grid order
  // Of the curve's candidates, one after the other: the score in each fold, of which Candidate::score is the mean. Not
  // kept in results.
  std::vector<double> fold_scores;
  std::map<std::string, double> chosen;
  bool on_edge = false;       // the chosen value is the first or last of its grid
  bool refit_on_val = false;  // the final fit saw train + val
};

// How well the final fit solved its stated objective.
struct Convergence {
  std::string objective_text;  // "sum of log losses + ||W||^2 / (2 C), intercepts free"
  double objective = 0;
  double gradient_norm = 0;  // max-norm of the plain gradient; NaN where the solver doesn't say
  std::int64_t iterations = 0;
  bool converged = false;
};

class ProbeModel {
 public:
  virtual ~ProbeModel() = default;
  virtual Scores predict(const FeatureRows& rows) const = 0;
  // A linear model's weights, K x dim row-major, and intercepts; empty for others. Scores are W x + b, but for probes
  // that treat features (the treatment is folded into W and b where it is affine).
  virtual std::vector<double> weights() const { return {}; }
  virtual std::vector<double> intercepts() const { return {}; }
};

// What test scores are judged with beside the model; fitted on val, never on test (evaluate.h).
struct Calibration {
  bool scores_are_logits = true;  // false (margins, votes): no log loss, Brier or calibration error
  double temperature = 1;         // classes: logits are divided by it for ece_calibrated
  double threshold = 0;           // multi-label: a label is predicted where its score is above, strictly
  std::string fitted_on;          // "val (60 images)", or empty: the defaults
};

struct Fitted {
  std::unique_ptr<ProbeModel> model;
  Selection selection;
  Convergence convergence;
  Calibration calibration;
  // The chosen candidate's scores on val, fitted on train alone, where there is a val.
  std::optional<Scores> val_scores;
  std::vector<std::string> notes;  // footnotes: "the bias is a regularised column (LIBLINEAR -B 1)"
};

class Probe {
 public:
  virtual ~Probe() = default;
  // `val` may be null: then train.folds choose, or, without folds, nothing is chosen. Error{input} for targets this
  // probe can't fit or fewer than two classes; Error{interrupted} when asked to stop.
  virtual Fitted fit(const TrainView& train, const ValView* val, const Context& context) const = 0;
  // Everything that decides the result, in words, for results.jsonl.
  virtual Json describe() const = 0;
  // The same for the cell's key: other words only where an earlier version used them.
  virtual Json identity() const { return describe(); }
};

// --probe NAME and its options, as text: {"C": "0.1", "grid": "1e-6:1e6:25", "solver": "1", "preset": "vissl-svm"}.
struct ProbeOptions {
  std::map<std::string, std::string> values;
  std::uint64_t seed = 0;
};

struct ProbeInfo {
  std::string name, title;
  std::vector<datasets::TargetKind> fits;
  std::vector<std::string> options;  // the keys it knows
  bool uses_features = true;         // false: floors
  bool needs_tokens = false;         // its rows are tokens (pool `tokens`)
  bool needs_images = false;         // experiments/ hands it images; fit() on features is Error{usage}
};

// The one list of probes. Registered at start, read afterwards.
class ProbeRegistry {
 public:
  using Factory = std::function<std::unique_ptr<Probe>(const ProbeOptions& options)>;

  static ProbeRegistry& instance();
  void add(ProbeInfo info, Factory factory);
  std::vector<std::string> names() const;
  const ProbeInfo& info(const std::string& name) const;  // Error{usage} with the nearest name
  // Error{usage} for an unknown probe or option, with the nearest.
  std::unique_ptr<Probe> make(const std::string& name, const ProbeOptions& options) const;

 private:
  struct Entry {
    ProbeInfo info;
    Factory factory;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace vise::probes
