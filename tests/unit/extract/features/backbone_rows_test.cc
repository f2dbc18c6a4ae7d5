#include "extract/features/backbone_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "extract/images/transform/transform.h"
#include "tests/shared.h"

namespace vise::features {
namespace {

// What the registry said before its rows were data, field by field and in its order: printed by 0.1's code.
TEST(BackboneRows, SayOfEarlierModelsWhatTheySaidAsCode) {
  const std::string golden = read_text_file(Path(VISE_SOURCE_DIR) / "tests/unit/extract/features/rows_of_0.1.jsonl");
  std::vector<std::string> earlier;
  for (const std::string& line : split(trim(golden), '\n')) {
    const Json said = parse_json(line, "rows_of_0.1.jsonl");
    earlier.push_back(said.at("name"));
    const Json now = to_json(parse_backbone(earlier.back()));
    for (const auto& [field, value] : said.items()) EXPECT_EQ(now.at(field), value) << earlier.back() << " " << field;
  }
  EXPECT_EQ(earlier.size(), 33u);
  std::vector<std::string> names = registry_backbone_names();
  std::erase_if(names, [&](const std::string& name) { return std::ranges::find(earlier, name) == earlier.end(); });
  EXPECT_EQ(names, earlier);
}

TEST(BackboneRows, HaveTheModelsThatAStudyOfTodayComparesWith) {
  for (const char* name : {"clip-vit-b32",
                           "clip-vit-b16",
                           "clip-vit-l14",
                           "clip-vit-l14-336",
                           "laion2b-vit-b32",
                           "laion2b-vit-b16",
                           "laion2b-vit-l14",
                           "datacomp-vit-b32",
                           "datacomp-vit-b16",
                           "datacomp-vit-l14",
                           "dinov2-vit-s14",
                           "dinov2-vit-b14",
                           "dinov2-vit-l14",
                           "dinov2-vit-s14-reg",
                           "dinov2-vit-b14-reg",
                           "dinov2-vit-l14-reg",
                           "dinov3-vit-s16",
                           "dinov3-vit-b16",
                           "dinov3-vit-l16",
                           "dino-vit-s16",
                           "dino-vit-b16",
                           "mae-vit-b16",
                           "mae-vit-l16",
                           "siglip-vit-b16",
                           "siglip2-vit-b16",
                           "deit3-vit-b16",
                           "augreg-vit-b16",
                           "vit-b16",
                           "convnext-t",
                           "convnext-s",
                           "convnext-b",
                           "swin-t",
                           "swin-s",
                           "swin-b",
                           "efficientnet-b0"}) {
    const Backbone row = parse_backbone(name);
    EXPECT_NE(row.layer, "default") << name;
    EXPECT_FALSE(row.probed.empty()) << name << ": who probes that layer?";
    EXPECT_FALSE(row.files.empty()) << name;
    EXPECT_FALSE(row.citation.empty()) << name;
  }
}

TEST(BackboneRows, AreWholeAndTheirNamesAndTransformsAreKnown) {
  std::set<std::string> names, files;
  for (const Backbone& row : registry_backbones()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    for (const std::string& file : row.files) EXPECT_TRUE(files.insert(file).second) << file << " of two rows";
    if (row.kind == BackboneKind::weights) {
      EXPECT_NO_THROW(images::Transform::parse(row.transform)) << row.name;
    }
    for (std::size_t i = 0; i < row.urls.size(); ++i) EXPECT_FALSE(row.files.at(i).starts_with("models--")) << row.name;
    EXPECT_TRUE(row.sha256.empty() || row.sha256.size() == 64) << row.name;
    EXPECT_EQ(row.sha256.find_first_not_of("0123456789abcdef"), std::string::npos) << row.name;
  }
}

// OpenAI's addresses have the file's SHA-256 as a folder: a slip of a digit would show.
TEST(BackboneRows, ClipsHashesAreThoseOfTheirAddresses) {
  int count = 0;
  for (const Backbone& row : registry_backbones()) {
    if (row.urls.empty() || row.urls[0].find("openaipublic") == std::string::npos) continue;
    EXPECT_NE(row.urls[0].find("/" + row.sha256 + "/" + row.files[0]), std::string::npos) << row.name;
    ++count;
  }
  EXPECT_EQ(count, 5);
}

TEST(BackboneRows, DefaultsHoldForEveryRowAndARowMayChangeThem) {
  const std::vector<Backbone> rows = read_backbone_rows(
      "defaults: {licence: MIT, transform: dino, facts: {act: quick, eps: 1e-5}}\n"
      "backbones:\n"
      "  - {name: a, title: A}\n"
      "  - {name: b, title: B, transform: clip, facts: {eps: 1e-6}}\n",
      "x.yaml");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].transform, "dino");
  EXPECT_EQ(rows[0].facts, (std::vector<networks::Fact>{{"act", "quick", "the registry's row"},
                                                        {"eps", "1e-05", "the registry's row"}}));
  EXPECT_EQ(rows[1].transform, "clip");
  EXPECT_EQ(rows[1].facts, (std::vector<networks::Fact>{{"eps", "1e-06", "the registry's row"}}));
}

TEST(BackboneRows, ABadRowIsRefusedWithItsLine) {
  const auto why = [](const std::string& row) {
    try {
      read_backbone_rows("backbones:\n  - {name: a, title: A, licence: MIT}\n  - " + row + "\n", "x.yaml");
    } catch (const Error& e) {
      return e.kind() == ErrorKind::input ? e.message() : "another kind: " + e.message();
    }
    return std::string("accepted");
  };
  for (const char* row :
       {"{name: b, title: B}", "{title: B, licence: MIT}", "{name: b, title: B, licence: MIT, file: x}",
        "{name: b, title: B, licence: MIT, files: x}", "{name: b, title: B, licence: MIT, urls: [x]}",
        "{name: b, title: B, licence: MIT, facts: {act: gelu}}",
        "{name: b, title: B, licence: MIT, facts: {colour: red}}", "{name: 3, title: B, licence: MIT}"})
    EXPECT_TRUE(why(row).starts_with("x.yaml: line 3: ")) << row << ": " << why(row);
}

}  // namespace
}  // namespace vise::features
