// What a network's tensors do not say: which GELU, a layer norm's epsilon, how positions are resized.
//
// A wrong guess changes features by a hundredth to a tenth and nobody notices. So each is known from somebody (the
// user, a config beside the file, the published file's hash, the registry's row, or the code whose key layout this is)
// or asked for; whoever said it is printed wherever features are described.
//
//   Facts facts;
//   facts.say("act", "quick", "the user");                     // the first to speak is believed
//   facts.say("act", "exact", "config.json");                  // noted beside it where it disagrees
//   const Activation act = facts.activation();                 // gelu_quick
//   facts.used();                                              // {{"act", "quick", "the user (config.json: exact)"}}
//
// Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/op.h"

namespace vise::networks {

struct Fact {
  std::string name;    // one of fact_names()
  std::string value;   // "quick", "1e-05", "antialias", "12"
  std::string source;  // "the user", "config.json", "the key layout (torchvision's code)"

  bool is_open() const { return value == "?"; }  // nobody said it; `source` is how to
  bool operator==(const Fact&) const = default;
};

// All names that Facts::say understands: the options of a backbone's text and of `inspect`.
const std::vector<std::string>& fact_names();

class Facts {
 public:
  // Error{usage} for a name or a value that nobody understands, with those there are.
  void say(std::string_view name, std::string_view value, std::string_view source);

  bool knows(std::string_view name) const;
  // Each of these is Error{input} where nobody said: with what is open, why it matters, and the option that says it.
  // `usual`: what networks of this layout usually are, for the hint ("exact in timm, quick in OpenAI's").
  Activation activation(std::string_view usual = "");
  double eps(std::string_view usual = "");
  // The last norm's, where it may be another than the blocks' (transformers' ConvNeXt).
  double final_eps(std::string_view usual = "");
  PositionRule positions(std::string_view usual = "");
  // The attention's heads: `otherwise` where nobody said (all published layouts but a few have width / 64), and then
  // noted as the layout's.
  int heads(int otherwise);
  // Rows and columns of the input a place of the last map stands for: 32, unless somebody says that the last stages are
  // dilated instead of strided (16 or 8; Chen et al. 2015, arXiv 1412.7062), and then noted.
  int output_stride();

  // The architecture that was asked for; empty: none. Where the tensors of one file fit several, it is believed.
  void ask_for(std::string architecture) { architecture_ = std::move(architecture); }
  const std::string& asked_architecture() const { return architecture_; }

  // From now on a fact that nobody said is no error: it is noted with the value "?" (Fact::is_open) and its option as
  // the source, and some value is taken for it. For describing a network, whose shapes and parameters don't depend on
  // it; never for running one.
  void leave_open() { leaves_open_ = true; }

  // What was asked of the facts so far, in order, with who said it.
  const std::vector<Fact>& used() const { return used_; }
  // Of messages: "clip.pt".
  void set_subject(std::string subject) { subject_ = std::move(subject); }

 private:
  struct Said {
    std::string value, source;
  };
  std::string need(std::string_view name, std::string_view usual);
  void note(std::string_view name, std::string value, std::string source);

  bool leaves_open_ = false;
  std::string subject_ = "this file", architecture_;
  std::map<std::string, Said, std::less<>> said_;
  std::vector<Fact> used_;
};

std::string_view activation_name(Activation function);   // "exact", "tanh", "quick", "relu", "silu", "sigmoid"
std::string_view position_rule_name(PositionRule rule);  // "scale", "size", "antialias"

}  // namespace vise::networks
