#include "probes/builtin.h"

namespace vise::probes {

// In alphabetical order, in which permuted-labels comes after logreg, whose options it asks the registry for.
void register_builtin_probes(ProbeRegistry& registry) {
  register_attentive(registry);
  register_finetune(registry);
  register_floors(registry);
  register_head(registry);
  register_knn(registry);
  register_liblinear(registry);
  register_logreg(registry);
  register_permuted_labels(registry);
  register_ridge(registry);
}

}  // namespace vise::probes
