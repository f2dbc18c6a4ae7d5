// Compiled twice by ctest: as it is, which must work, and with VISE_TEST_LABELS, which must not. A probe is given the
// rows to predict as FeatureRows, which hold no labels; neither a view with labels nor a Dataset's part fits there, and
// fit() takes no third set of rows.
#include "probes/probe.h"

namespace vise::probes {

Scores honest(const Probe& probe, const TrainView& train, const ValView& val, const FeatureRows& test,
              const Context& context) {
  return probe.fit(train, &val, context).model->predict(test);
}

#if VISE_TEST_LABELS == 1
Scores cheat(const Probe& probe, const TrainView& train, const ValView& val, const ValView& test,
             const Context& context) {
  return probe.fit(train, &val, context).model->predict(test);
}
#elif VISE_TEST_LABELS == 2
Fitted cheat(const Probe& probe, const TrainView& train, const ValView& val, const ValView& test,
             const Context& context) {
  return probe.fit(train, &val, &test, context);
}
#endif

}  // namespace vise::probes
