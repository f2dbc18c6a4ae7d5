// The reference encoders: ../shared/data/encoders/manifest.csv as cases, and their checkpoints.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/csv.h"
#include "base/process.h"
#include "base/text.h"
#include "extract/networks/facts.h"
#include "tests/shared.h"

namespace vise::test {

inline Path encoders_dir() { return shared_dir() / "data/encoders"; }

struct GoldenTap {
  std::string tap;          // the manifest's: "cls+mean"
  std::string layer, pool;  // ours
  Path golden;              // float32, 7 x D
  double tolerance = 0;     // of the largest relative error of a row
};

// Rows of one checkpoint at one input size.
struct GoldenCase {
  std::string name;  // "dinov2_s14@336"
  std::string path;  // of the checkpoint, file or folder
  std::string architecture, transform;
  std::vector<networks::Fact> facts;  // what the tensors don't say
  int side = 224;
  std::vector<GoldenTap> taps;

  std::string checkpoint() const { return name.substr(0, name.find('@')); }
};

// "ViT-S/14": layers and pools of the manifest's taps.
inline GoldenTap tap_of(const std::string& tap) {
  for (const auto& [name, layer, pool] :
       {std::tuple{"pre", "pre", "avg"}, std::tuple{"post", "post", "avg"}, std::tuple{"cls", "final", "cls"},
        std::tuple{"mean", "final", "avg"}, std::tuple{"cls+mean", "final", "cls+avg"},
        std::tuple{"last4", "final", "last4"}, std::tuple{"last4+mean", "final", "last4+avg"},
        std::tuple{"cls+dist/2", "final", "cls+dist"}, std::tuple{"map", "map", "avg"},
        std::tuple{"pooled", "final", "avg"}})
    if (tap == name) return {tap, layer, pool, {}, 0};
  ADD_FAILURE() << "manifest.csv has a tap '" << tap << "'";
  return {};
}

inline std::string transform_of(const std::string& mode, const std::string& resize, const std::string& filter,
                                const std::string& crop, const std::string& mean_std) {
  const char* const numbers = mean_std == "clip"
                                  ? "mean=0.48145466/0.4578275/0.40821073,std=0.26862954/0.26130258/0.27577711"
                              : mean_std == "half" ? "mean=0.5/0.5/0.5,std=0.5/0.5/0.5"
                                                   : "mean=0.485/0.456/0.406,std=0.229/0.224/0.225";
  return fmt::format("{}={},filter={},crop={},{}", mode == "squash" ? "squash" : "resize", resize, filter,
                     crop.empty() ? "none" : crop, numbers);
}

// As the manifest's columns say: "exact", "1e-6, last norm 1e-12", "A + RoPE", "none".
inline std::vector<networks::Fact> facts_of(const std::string& act, const std::string& eps, const std::string& rule) {
  const std::string source = "manifest.csv";
  std::vector<networks::Fact> facts;
  if (act == "exact" || act == "tanh" || act == "quick") facts.push_back({"act", act, source});
  facts.push_back({"eps", eps.substr(0, eps.find(',')), source});
  if (const std::size_t last = eps.find("last norm "); last != std::string::npos)
    facts.push_back({"final-eps", eps.substr(last + 10), source});
  if (rule.size() == 1 || (rule.size() > 1 && rule[1] == ' '))
    facts.push_back({"positions", rule[0] == 'S' ? "scale" : rule[0] == 'N' ? "size" : "antialias", source});
  return facts;
}

inline std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  const Path path = encoders_dir() / "manifest.csv";
  if (!std::filesystem::exists(path)) return cases;
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto cell = [&](std::string_view column) { return table.cell(row, table.column(column)); };
    if (cases.empty() || cases.back().name != cell("name")) {
      GoldenCase made{cell("name"),
                      cell("path"),
                      cell("architecture"),
                      transform_of(cell("resize_mode"), cell("resize"), cell("filter"), cell("crop"), cell("mean_std")),
                      facts_of(cell("act"), cell("eps"), cell("position_rule")),
                      std::stoi(cell("input")),
                      {}};
      cases.push_back(std::move(made));
    }
    GoldenTap tap = tap_of(cell("tap"));
    tap.golden = encoders_dir() / cell("golden");
    tap.tolerance = std::stod(cell("tolerance"));
    cases.back().taps.push_back(std::move(tap));
  }
  return cases;
}

// The images in the golden rows' order.
inline std::vector<Path> golden_images() {
  std::vector<Path> images;
  const Path path = encoders_dir() / "images.csv";
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string());
  for (std::size_t row = 0; row < table.rows(); ++row)
    images.push_back(encoders_dir() / table.cell(row, table.column("path")));
  return images;
}

// Whether golden_checkpoint() has what it needs.
inline bool have_encoders() {
  if (!std::filesystem::exists(encoders_dir() / "manifest.csv")) return false;
  if (std::getenv("VISE_ENCODERS")) return true;
  const char* const looks = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)";
  return std::filesystem::exists("/usr/bin/python3") && run_process({"/usr/bin/python3", "-c", looks}).code == 0;
}

// Where the case's checkpoint is: below VISE_ENCODERS if that is set (make_encoders.py writes all of them, 4 GB, in
// half a minute), else made now, below `scratch`.
inline Path golden_checkpoint(const GoldenCase& golden, const Path& scratch) {
  if (const char* const made = std::getenv("VISE_ENCODERS")) return Path(made) / golden.path;
  const Ended ended = run_process(
      {"/usr/bin/python3", (encoders_dir() / "make_encoders.py").string(), scratch.string(), golden.checkpoint()});
  EXPECT_EQ(ended.code, 0) << ended.err;
  return scratch / golden.path;
}

}  // namespace vise::test

// First line of a test that needs the checkpoints, or what makes them.
#define VISE_NEEDS_ENCODERS() \
  if (!vise::test::have_encoders()) GTEST_SKIP() << "skipped: ../shared, or Debian's python3-torch, not found"
