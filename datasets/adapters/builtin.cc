#include "datasets/adapters/adapters.h"

namespace vise {

void register_builtin_datasets(DatasetRegistry& registry) {
  add_demo(registry);
  add_emotion(registry);
  add_politics(registry);
}

}  // namespace vise
