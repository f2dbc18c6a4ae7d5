#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {

void register_builtin_datasets(DatasetRegistry& registry) {
  add_abstract(registry);
  add_artphoto(registry);
  add_ava(registry);
  add_bass(registry);
  add_cub(registry);
  add_demo(registry);
  add_emoset(registry);
  add_emotic(registry);
  add_emotion(registry);
  add_emotion6(registry);
  add_emotion_6_panda(registry);
  add_fer2013(registry);
  add_fi(registry);
  add_hateful_memes(registry);
  add_intent(registry);
  add_koniq(registry);
  add_lamem(registry);
  add_memotion(registry);
  add_oasis(registry);
  add_omi(registry);
  add_politics(registry);
  add_twitter(registry);
  add_webemo(registry);
}

}  // namespace vise::datasets
