// The probes that ship with the program: one registration a source file, called at start (static objects in a static
// library would be dropped by the linker).
#pragma once

#include "probes/probe.h"

namespace vise::probes {

void register_builtin_probes(ProbeRegistry& registry);

void register_attentive(ProbeRegistry& registry);  // attentive
void register_finetune(ProbeRegistry& registry);   // finetune
void register_floors(ProbeRegistry& registry);     // majority, prior
void register_head(ProbeRegistry& registry);       // head
void register_knn(ProbeRegistry& registry);        // knn
void register_liblinear(ProbeRegistry& registry);  // liblinear
void register_logreg(ProbeRegistry& registry);     // logreg
// permuted-labels; after logreg, which it wraps.
void register_permuted_labels(ProbeRegistry& registry);
void register_ridge(ProbeRegistry& registry);  // ridge

}  // namespace vise::probes
