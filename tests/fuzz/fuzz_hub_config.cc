// Any bytes as each of the configs beside a model: facts and a transform as text, or Error{input}.
#include <cstdlib>

#include "base/error.h"
#include "extract/networks/checkpoint/hub_config.h"
#include "extract/networks/checkpoint/read_hub_config.h"

namespace vise {

static void read(const networks::ConfigTexts& texts) {
  try {
    const networks::HubConfig config = networks::read_configs(texts);
    for (const networks::Fact& fact : config.facts)
      if (fact.name.empty() || fact.value.empty() || fact.source.empty()) std::abort();
    if (config.transform.empty() != config.transform_source.empty()) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) std::abort();
  }
}

}  // namespace vise

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  vise::read({.config = text});
  vise::read({.preprocessor = text});
  vise::read({.open_clip = text, .open_clip_first = true});
  return 0;
}
