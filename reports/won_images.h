// Who wins which image: the test images that only one of two rows of a section gets right.
//
//   for (const WonImage& image : won_images(evidence, row, section.rows[row].compared_with)) ...
//
// They are McNemar's b and c (statistics/mcnemar.h) by name. Of rows with several seeds the first model's, as there.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "reports/evidence.h"
#include "reports/writers.h"

namespace vise::reports {

// What one of the rows says of an image: the predicted class and its softmax probability.
struct Answer {
  int predicted = 0;
  double confidence = 0;
};

struct WonImage {
  std::size_t item = 0;  // in evidence.ids()
  bool by_row = false;   // else by the other
  Answer row, other;

  const Answer& winner() const { return by_row ? row : other; }
};

// The surest winner first. Empty for targets other than classes, and where one of them has no scores.
std::vector<WonImage> won_images(const SectionEvidence& evidence, std::size_t row, std::size_t other);

// table.json of a report, with the test images of each section and who wins which (docs/formats/table-json.md).
std::string to_json_text(const ComparisonTable& table, std::span<const SectionEvidence> evidence);

// What the page needs to compare any two rows: of each section the images' ids, their classes and every row's
// answers; null for other targets than classes, and, the full samples of train first, once `most_bytes` are spent.
std::vector<Json> answers_json(const ComparisonTable& table, std::span<const SectionEvidence> evidence,
                               std::size_t most_bytes);

}  // namespace vise::reports
