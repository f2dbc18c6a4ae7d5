// Every adapter's tree in miniature, as texts by path; two images of each part, which are made of noise.
//
//   for (const MiniData& data : mini_data_sets()) data.write(root);      // root/<folder>/...
//
// Tests and the fuzz target change these texts and see that nothing worse than an Error comes of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/file.h"

namespace vise::test {

struct MiniData {
  std::string name;                          // in the registry
  std::map<std::string, std::string> texts;  // annotations, which are changed
  std::vector<std::string> images;

  // Images first, then texts; plain writes, since nobody needs them after a crash.
  void write(const Path& root) const;
};

const std::vector<MiniData>& mini_data_sets();

// A binary PPM of noise that its name decides.
std::string mini_picture(const std::string& name);

}  // namespace vise::test
