// What accompanies a network in the checkpoints that trainers write, by the names they use: wrappers that say
// nothing, the branches of which one is meant, and what may be left out under a rule. docs/formats/checkpoints.md has
// the lists.
//
// A key is never left out because nobody knows it: what falls under no rule here, in the family's list
// (Family::beside) or in the user's drop= is an error.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vise::networks {

// Of two networks whose places differ in this component alone, the one that is evaluated and published.
struct BranchRule {
  std::string_view preferred, other;
};
std::span<const BranchRule> branch_rules();

// A component that wraps a network and says nothing of what it is: "state_dict", "module", "backbone".
bool is_wrapper(std::string_view component);

// The rule by which a key may be left out ("classifier", "training state"); empty: none. `components` of its name,
// below the network's place or, elsewhere, from the start. Copies of a part go as the part does:
// "momentum_projector" and "projector_ema" as "projector".
std::string_view rule_beside(std::span<const std::string> components, bool below_the_network);

// Whether the dotted `part` occurs in a dotted name as whole components: "b.c" in "a.b.c.d", not in "a.b.cd".
bool has_components(std::string_view name, std::string_view part);

}  // namespace vise::networks
