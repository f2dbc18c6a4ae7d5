#include "extract/networks/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace vise::networks {
namespace {

constexpr std::array<std::pair<std::string_view, Activation>, 6> kActivations{{{"exact", Activation::gelu_exact},
                                                                               {"tanh", Activation::gelu_tanh},
                                                                               {"quick", Activation::gelu_quick},
                                                                               {"relu", Activation::relu},
                                                                               {"silu", Activation::silu},
                                                                               {"sigmoid", Activation::sigmoid}}};
constexpr std::array<std::pair<std::string_view, PositionRule>, 3> kRules{
    {{"scale", PositionRule::scale}, {"size", PositionRule::size}, {"antialias", PositionRule::antialias}}};

// The names of a table; below, a value by its name, and a name by its value. Callers have checked that it is there.
template <typename Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& [name, value] : table) names.emplace_back(name);
  return names;
}

template <typename Table>
auto value_of(const Table& table, std::string_view name) {
  return std::ranges::find(table, name, [](const auto& row) { return row.first; })->second;
}

template <typename Table, typename Value>
std::string_view name_of(const Table& table, Value value) {
  return std::ranges::find(table, value, [](const auto& row) { return row.second; })->first;
}

bool is_one_of(const std::vector<std::string>& names, std::string_view value) {
  return std::ranges::find(names, value) != names.end();
}

// What a fact's value must be: a word of a list, or a number.
void check_value(std::string_view name, std::string_view value) {
  const auto refuse = [&](const std::string& hint) {
    throw Error(ErrorKind::usage, fmt::format("'{}={}' says nothing about a network", name, value), hint);
  };
  if (name == "act") {
    if (!is_one_of(names_of(kActivations), value)) refuse("act=exact|tanh|quick (or relu, silu)");
  } else if (name == "positions") {
    if (!is_one_of(names_of(kRules), value)) refuse("positions=scale|size|antialias");
  } else if (name == "eps" || name == "final-eps") {
    double number = 0;
    // The bound catches a sign or a decimal that slipped; published epsilons are 1e-12 to 1e-3.
    if (!parse_double(value, number) || number <= 0 || number > 0.1) refuse(fmt::format("{}=1e-6, for example", name));
  } else if (name == "heads") {
    std::int64_t number = 0;
    if (!parse_int(value, number) || number < 1 || number > 1024) refuse("heads=12, for example");
  } else if (name == "dilated") {
    if (value != "8" && value != "16")
      refuse("dilated=8|16, the output stride of a network whose last stages are dilated");
  } else {
    refuse(fmt::format("known: {}", join(fact_names(), ", ")));
  }
}

// Why it matters, for the message that asks.
std::string_view what_is_open(std::string_view name) {
  if (name == "act")
    return "which GELU its MLPs have (exact, its tanh form, or QuickGELU); the wrong one changes features by up to a "
           "tenth";
  if (name == "positions")
    return "how its positions are resized to another grid; three published rules differ by up to a hundredth";
  if (name == "final-eps")
    return "its last layer norm's epsilon, which may be another than the blocks'; the wrong one changes features by a "
           "thousandth";
  return "its norms' epsilon; the wrong one changes features by up to a hundredth";
}

// How a user would write it, with the values that are usual.
std::string_view option_of(std::string_view name) {
  if (name == "act") return "act=exact|tanh|quick";
  if (name == "positions") return "positions=scale|size|antialias";
  if (name == "final-eps") return "final-eps=1e-12 or final-eps=1e-6";
  return "eps=1e-5 or eps=1e-6";
}

// A number is spelt in one way, whoever says it: 1e-6, 1e-06 and 0.000001 are one fact and one key.
std::string in_one_spelling(std::string_view value) {
  double parsed = 0;
  if (!parse_double(value, parsed)) return std::string(value);
  std::string text = number(parsed);
  // to_chars writes 1e-06 and people write 1e-6.
  if (const std::size_t exponent = text.find("e-0"); exponent != std::string::npos) text.erase(exponent + 2, 1);
  return text;
}

}  // namespace

const std::vector<std::string>& fact_names() {
  static const std::vector<std::string> names{"act", "eps", "final-eps", "positions", "heads", "dilated"};
  return names;
}

std::string_view activation_name(Activation function) { return name_of(kActivations, function); }
std::string_view position_rule_name(PositionRule rule) { return name_of(kRules, rule); }

// The value is checked even where another source was first: a wrong word is a mistake in any case.
void Facts::say(std::string_view name, std::string_view value, std::string_view source) {
  check_value(name, value);
  const std::string text = in_one_spelling(value);
  const auto [place, first] = said_.try_emplace(std::string(name), Said{text, std::string(source)});
  if (first) return;
  // Two that agree are one voice; of two that don't, the first is believed and the other is named.
  double before = 0, now = 0;
  const bool same = place->second.value == value ||
                    (parse_double(place->second.value, before) && parse_double(value, now) && before == now);
  if (!same) place->second.source += fmt::format(", against {}: {}", source, value);
}

bool Facts::knows(std::string_view name) const { return said_.contains(name); }

// Facts are noted when they are used: what a network doesn't need isn't printed.
void Facts::note(std::string_view name, std::string value, std::string source) {
  Fact fact{std::string(name), std::move(value), std::move(source)};
  if (std::ranges::find(used_, fact) == used_.end()) used_.push_back(std::move(fact));
}

// `usual` is what most such networks have: it is in the message, and never taken by itself.
std::string Facts::need(std::string_view name, std::string_view usual) {
  const auto found = said_.find(name);
  // `backbone inspect` wants to show everything that is open at once, so it continues with a value
  // of the right kind; features are never made this way.
  if (found == said_.end() && leaves_open_ && name != "heads") {
    note(name, "?", fmt::format("{}{}", option_of(name), usual.empty() ? "" : fmt::format(" ({})", usual)));
    return name == "act" ? "exact" : name == "positions" ? "antialias" : "1e-6";
  }
  if (found == said_.end())
    throw Error(
        ErrorKind::input, fmt::format("{}: its tensors do not say {}", subject_, what_is_open(name)),
        fmt::format("say it: --backbone NAME=FILE,{}{}; the registry's row that it is (NAME=FILE) or the config.json "
                    "beside the file says it too",
                    option_of(name), usual.empty() ? "" : fmt::format(" ({})", usual)));
  note(name, found->second.value, found->second.source);
  return found->second.value;
}

Activation Facts::activation(std::string_view usual) { return value_of(kActivations, need("act", usual)); }

double Facts::eps(std::string_view usual) {
  double number = 0;
  parse_double(need("eps", usual), number);
  return number;
}

double Facts::final_eps(std::string_view usual) {
  double number = 0;
  parse_double(need("final-eps", usual), number);
  return number;
}

PositionRule Facts::positions(std::string_view usual) { return value_of(kRules, need("positions", usual)); }

// Without the fact a ResNet is what most are: stride 32, not dilated.
int Facts::output_stride() {
  if (!knows("dilated")) return 32;
  return need("dilated", "") == "8" ? 8 : 16;
}

int Facts::heads(int otherwise) {
  // Unlike the other facts this one has a usual value: nearly every published ViT has
  // heads of 64 channels (sizes.cc).
  if (!knows("heads")) {
    note("heads", std::to_string(otherwise), "the key layout");
    return otherwise;
  }
  std::int64_t number = 0;
  parse_int(need("heads", ""), number);
  return static_cast<int>(number);
}

}  // namespace vise::networks
