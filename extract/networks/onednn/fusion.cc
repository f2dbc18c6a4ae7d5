#include "extract/networks/onednn/fusion.h"

#include <algorithm>

namespace vise::networks {
namespace {

// Who reads each value, and which operations are needed at all.
struct Uses {
  std::vector<bool> needed;                     // by operation
  std::vector<std::vector<std::size_t>> users;  // by value: the needed operations that read it
  std::vector<bool> wanted;                     // by value
};

// Wanted values are those that features are taken from.
Uses uses_of(const Network& network, const std::vector<int>& wanted) {
  const std::size_t values = network.ops.size() + 1;
  Uses uses{std::vector<bool>(network.ops.size()), std::vector<std::vector<std::size_t>>(values),
            std::vector<bool>(values)};
  for (const int value : wanted) uses.wanted[static_cast<std::size_t>(value)] = true;
  for (std::size_t op = network.ops.size(); op-- > 0;) {
    const auto made = static_cast<std::size_t>(Network::value_of(op));
    // Backwards, so that users are known before what they use; what nothing needs is never computed.
    if (!uses.wanted[made] && uses.users[made].empty()) continue;
    uses.needed[op] = true;
    for (const int input : network.ops[op].inputs) uses.users[static_cast<std::size_t>(input)].push_back(op);
  }
  return uses;
}

class Fuser {
 public:
  Fuser(const Network& network, const Uses& uses) : network_(network), uses_(uses) {}

  // Grows the group from its first operation as far as it goes, past none that another group has taken; gives the last
  // operation it took in.
  std::size_t grow(FusedGroup& group, const std::vector<bool>& taken) const {
    std::size_t last = group.op;
    const Op& first = network_.ops[group.op];
    const bool is_conv = first.as<Convolution>() != nullptr;
    if (is_conv || first.as<Linear>())
      // Only a value with a single reader may disappear into a fused primitive; one that
      // is tapped must exist by itself.
      while (const auto next = only_reader(last)) {
        if (taken[*next] || !take(group, *next, last, is_conv)) break;
        last = *next;
        // Nothing can follow an activation: post-ops are applied in order, and a norm or sum
        // behind it would be another function.
        if (group.activation) break;
      }
    group.out = Network::value_of(last);
    return last;
  }

 private:
  std::optional<std::size_t> only_reader(std::size_t op) const {
    const auto value = static_cast<std::size_t>(Network::value_of(op));
    if (uses_.wanted[value] || uses_.users[value].size() != 1) return std::nullopt;
    return uses_.users[value][0];
  }

  // Takes `next` into the group where it can be fused into what is there: a norm or a scale first, then a sum, then an
  // activation, which is the order in which they are applied.
  bool take(FusedGroup& group, std::size_t next, std::size_t last, bool is_conv) const {
    const Op& op = network_.ops[next];
    const bool plain = !group.norm && !group.scale && !group.sum;
    if (op.as<BatchNorm>() && is_conv && plain) {
      group.norm = next;
    } else if (op.as<Scale>() && !is_conv && plain) {
      group.scale = next;
    } else if (op.as<Add>() && !group.sum) {
      const int mine = Network::value_of(last);
      // x + x: one input would be both the residual and what is overwritten.
      if (op.inputs[0] == op.inputs[1]) return false;
      group.sum = op.inputs[0] == mine ? op.inputs[1] : op.inputs[0];
    } else if (const auto* activate = op.as<Activate>()) {
      group.activation = activate->function;
    } else {
      return false;
    }
    return true;
  }

  const Network& network_;
  const Uses& uses_;
};

}  // namespace

FusionPlan fuse(const Network& network, const std::vector<int>& wanted) {
  const Uses uses = uses_of(network, wanted);
  const Fuser fuser(network, uses);
  // A group runs at the place of its last operation: only there is every input made.
  std::vector<std::optional<FusedGroup>> ending_at(network.ops.size());
  std::vector<bool> taken(network.ops.size());
  for (std::size_t op = 0; op < network.ops.size(); ++op) {
    if (!uses.needed[op] || taken[op]) continue;
    FusedGroup group{.op = op};
    const std::size_t last = fuser.grow(group, taken);
    // Marks all operations of the group, which are a chain of single readers.
    for (std::size_t inside = op;;) {
      taken[inside] = true;
      if (inside == last) break;
      inside = uses.users[static_cast<std::size_t>(Network::value_of(inside))][0];
    }
    ending_at[last] = group;
  }
  FusionPlan plan;
  // The group after which a value's place may be given away.
  plan.last_reader.assign(network.ops.size() + 1, -1);
  for (const auto& group : ending_at) {
    if (!group) continue;
    const int index = static_cast<int>(plan.groups.size());
    for (const int input : network.ops[group->op].inputs) plan.last_reader[static_cast<std::size_t>(input)] = index;
    if (group->sum) plan.last_reader[static_cast<std::size_t>(*group->sum)] = index;
    plan.groups.push_back(*group);
  }
  return plan;
}

}  // namespace vise::networks
