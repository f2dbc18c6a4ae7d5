#include "reports/won_images.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "reports/writers.h"

namespace vise::reports {
namespace {

// The digits of base 62, as html/ decodes them: ASCII letters and digits need no escapes in JSON.
constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Of the first model; null where the row has no scores or its target isn't classes.
const SeedEvidence* first_model(const SectionEvidence& evidence, std::size_t row) {
  const std::vector<SeedEvidence>& seeds = evidence.rows()[row].seeds;
  return seeds.empty() || !seeds.front().predictions ? nullptr : &seeds.front();
}

Answer answer_of(const SeedEvidence& model, std::size_t item) {
  return {model.predictions->predicted[item], model.confidence[item]};
}

// Numbers below 62^width as so many digits each, one after the other: a list of them takes few bytes, and lists that
// are alike are shared.
void put(std::string& text, std::size_t number, std::size_t width) {
  std::string digits(width, kDigits[0]);
  for (std::size_t place = width; place-- > 0; number /= kDigits.size())
    digits[place] = kDigits[number % kDigits.size()];
  text += digits;
}

// Two digits serve 3844 classes.
std::size_t digits_for(std::size_t classes) { return classes <= kDigits.size() ? 1 : 2; }

// Confidences in steps of 1/3843.
constexpr std::size_t kSureDigits = 2, kSureSteps = 62 * 62 - 1;

// All rows' answers as strings of digits, a fixed number an image; truth once for all of them.
Json answers_of(const TableSection& section, const SectionEvidence& evidence) {
  const std::size_t width = digits_for(section.class_names.size());
  std::string truth;
  for (const int y : evidence.strata()) put(truth, static_cast<std::size_t>(y), width);
  Json rows = Json::array();
  for (std::size_t r = 0; r < evidence.rows().size(); ++r) {
    const SeedEvidence* const model = first_model(evidence, r);
    if (!model) {
      rows.push_back(nullptr);
      continue;
    }
    std::string predicted, sure;
    for (std::size_t i = 0; i < evidence.ids().size(); ++i) {
      const Answer answer = answer_of(*model, i);
      put(predicted, static_cast<std::size_t>(answer.predicted), width);
      put(sure, static_cast<std::size_t>(std::lround(answer.confidence * static_cast<double>(kSureSteps))),
          kSureDigits);
    }
    rows.push_back({{"predicted", std::move(predicted)}, {"sure", std::move(sure)}});
  }
  return {{"ids", evidence.ids()}, {"digits", width}, {"truth", std::move(truth)}, {"rows", std::move(rows)}};
}

// About what answers_of() will take, without making it. Three bytes an id are its quotes and comma.
std::size_t bytes_of(const TableSection& section, const SectionEvidence& evidence) {
  std::size_t ids = 0;
  for (const std::string& id : evidence.ids()) ids += id.size() + 3;
  const std::size_t width = digits_for(section.class_names.size());
  return ids + evidence.ids().size() * (width + evidence.rows().size() * (width + kSureDigits));
}

}  // namespace

std::vector<WonImage> won_images(const SectionEvidence& evidence, std::size_t row, std::size_t other) {
  std::vector<WonImage> won;
  const SeedEvidence *const mine = first_model(evidence, row), *const theirs = first_model(evidence, other);
  if (!mine || !theirs) return won;
  for (std::size_t i = 0; i < evidence.ids().size(); ++i) {
    const WonImage image{i, mine->predictions->predicted[i] == evidence.strata()[i], answer_of(*mine, i),
                         answer_of(*theirs, i)};
    if (image.by_row != (image.other.predicted == evidence.strata()[i])) won.push_back(image);
  }
  std::ranges::stable_sort(won, std::greater{}, [](const WonImage& image) { return image.winner().confidence; });
  return won;
}

std::string to_json_text(const ComparisonTable& table, std::span<const SectionEvidence> evidence) {
  Json json = table_json(table);
  for (std::size_t s = 0; s < evidence.size(); ++s) {
    const SectionEvidence& of_section = evidence[s];
    if (of_section.empty() || table.sections[s].target_kind != datasets::TargetKind::classes) continue;
    json["sections"][s]["images"] = of_section.ids();
    for (std::size_t r = 0; r < table.sections[s].rows.size(); ++r) {
      const TableRow& row = table.sections[s].rows[r];
      if (!row.difference) continue;
      Json by_row = Json::array(), by_baseline = Json::array();
      for (const WonImage& image : won_images(of_section, r, row.compared_with))
        (image.by_row ? by_row : by_baseline).push_back(image.item);
      Json& difference = json["sections"][s]["rows"][r]["difference"];
      difference["only_row_images"] = std::move(by_row);
      difference["only_baseline_images"] = std::move(by_baseline);
    }
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<Json> answers_json(const ComparisonTable& table, std::span<const SectionEvidence> evidence,
                               std::size_t most_bytes) {
  std::vector<Json> answers(evidence.size());
  std::vector<std::size_t> order(evidence.size());
  std::iota(order.begin(), order.end(), 0u);
  // All of train first: where room is short these are the sections that readers open.
  std::ranges::stable_sort(order, {}, [&](std::size_t s) {
    const TableSection& section = table.sections[s];
    return section.shots > 0 || section.fraction < 1;
  });
  std::size_t spent = 0;
  for (const std::size_t s : order) {
    const TableSection& section = table.sections[s];
    const SectionEvidence& of_section = evidence[s];
    if (of_section.empty() || section.target_kind != datasets::TargetKind::classes) continue;
    const std::size_t bytes = bytes_of(section, of_section);
    if (spent + bytes > most_bytes) continue;
    spent += bytes;
    answers[s] = answers_of(section, of_section);
  }
  return answers;
}

}  // namespace vise::reports
