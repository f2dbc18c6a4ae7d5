#include "experiments/result_parse.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <limits>

#include "base/error.h"

namespace vise {
namespace {

namespace dom = simdjson::dom;
static_assert(ResultParser::kPadding >= simdjson::SIMDJSON_PADDING);

[[noreturn]] void fail(std::string_view what, simdjson::error_code code) {
  throw Error(ErrorKind::input, fmt::format("is not a result: {}: {}", what, simdjson::error_message(code)),
              "docs/formats/results.md lists the fields");
}

// The value, or an Error that names the field.
template <typename T>
T get(const dom::element& element, std::string_view name) {
  T value{};
  if (const auto code = element.get(value)) fail(name, code);
  return value;
}

template <typename T>
T field(const dom::object& object, std::string_view name) {
  dom::element element;
  if (const auto code = object.at_key(name).get(element)) fail(name, code);
  return get<T>(element, name);
}

std::string text(const dom::object& object, std::string_view name) {
  return std::string(field<std::string_view>(object, name));
}

// JSON has no NaN: null stands for it.
double number_or_nan(const dom::element& element, std::string_view name) {
  return element.is_null() ? std::numeric_limits<double>::quiet_NaN() : get<double>(element, name);
}

std::map<std::string, double> doubles(const dom::object& object, std::string_view name) {
  std::map<std::string, double> values;
  for (const auto& [key, element] : field<dom::object>(object, name))
    values.emplace_hint(values.end(), key, number_or_nan(element, name));
  return values;
}

std::map<std::string, std::optional<double>> metrics(const dom::object& object, std::string_view name) {
  std::map<std::string, std::optional<double>> values;
  for (const auto& [key, element] : field<dom::object>(object, name))
    values.emplace_hint(values.end(), key,
                        element.is_null() ? std::nullopt : std::optional(get<double>(element, name)));
  return values;
}

std::vector<std::string> texts(const dom::object& object, std::string_view name) {
  std::vector<std::string> values;
  for (const dom::element element : field<dom::array>(object, name))
    values.emplace_back(get<std::string_view>(element, name));
  return values;
}

Json any_json(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::OBJECT: {
      Json json = Json::object();
      for (const auto& [key, value] : dom::object(element)) json[std::string(key)] = any_json(value);
      return json;
    }
    case dom::element_type::ARRAY: {
      Json json = Json::array();
      for (const dom::element value : dom::array(element)) json.push_back(any_json(value));
      return json;
    }
    case dom::element_type::STRING:
      return std::string_view(element);
    case dom::element_type::INT64:
      return std::int64_t(element);
    case dom::element_type::UINT64:
      return std::uint64_t(element);
    case dom::element_type::DOUBLE:
      return double(element);
    case dom::element_type::BOOL:
      return bool(element);
    case dom::element_type::NULL_VALUE:
      break;
  }
  return {};
}

Cell read_cell(const dom::object& object) {
  Cell cell;
  cell.backbone = text(object, "backbone");
  cell.layer = text(object, "layer");
  cell.pool = text(object, "pool");
  cell.probe = text(object, "probe");
  cell.seed = field<std::uint64_t>(object, "seed");
  cell.shots = static_cast<int>(field<std::int64_t>(object, "shots"));
  dom::element later;  // fields that files of earlier programs lack
  if (!object.at_key("fraction").get(later)) cell.fraction = number_or_nan(later, "fraction");
  if (!object.at_key("where").get(later)) cell.where = get<std::string_view>(later, "where");
  cell.target = text(object, "target");
  cell.task = text(object, "task");
  return cell;
}

// Absent from files of earlier programs: then the defaults.
Calibration read_calibration(const dom::object& result) {
  Calibration calibration;
  dom::element element;
  if (result.at_key("calibration").get(element)) return calibration;
  const auto object = get<dom::object>(element, "calibration");
  calibration.scores_are_logits = field<bool>(object, "scores_are_logits");
  calibration.temperature = number_or_nan(field<dom::element>(object, "temperature"), "temperature");
  calibration.threshold = number_or_nan(field<dom::element>(object, "threshold"), "threshold");
  calibration.fitted_on = text(object, "fitted_on");
  return calibration;
}

Convergence read_convergence(const dom::object& object) {
  Convergence convergence;
  convergence.converged = field<bool>(object, "converged");
  convergence.gradient_norm = number_or_nan(field<dom::element>(object, "gradient_norm"), "gradient_norm");
  convergence.iterations = field<std::int64_t>(object, "iterations");
  convergence.objective = number_or_nan(field<dom::element>(object, "objective"), "objective");
  convergence.objective_text = text(object, "objective_text");
  return convergence;
}

Selection read_selection(const dom::object& object) {
  Selection selection;
  selection.chosen = doubles(object, "chosen");
  const auto curve = field<dom::array>(object, "curve");
  selection.curve.reserve(curve.size());
  for (const dom::element element : curve) {
    const auto candidate = get<dom::object>(element, "curve");
    selection.curve.push_back(
        {doubles(candidate, "parameters"), number_or_nan(field<dom::element>(candidate, "score"), "score")});
  }
  selection.metric = text(object, "metric");
  selection.on_edge = field<bool>(object, "on_edge");
  selection.refit_on_val = field<bool>(object, "refit_on_val");
  selection.selected_on = text(object, "selected_on");
  return selection;
}

void read_split(const dom::object& object, Result& result) {
  result.split_hash = text(object, "hash");
  result.split_origin = text(object, "origin");
  dom::element sample;
  if (!object.at_key("sample_hash").get(sample)) result.sample_hash = get<std::string_view>(sample, "sample_hash");
  result.sizes.test = field<std::uint64_t>(object, "test");
  result.sizes.train = field<std::uint64_t>(object, "train");
  result.sizes.unused = field<std::uint64_t>(object, "unused");
  result.sizes.val = field<std::uint64_t>(object, "val");
}

Result read_result(const dom::object& object) {
  Result result;
  result.calibration = read_calibration(object);
  result.cell = read_cell(field<dom::object>(object, "cell"));
  result.class_names = texts(object, "class_names");
  result.convergence = read_convergence(field<dom::object>(object, "convergence"));
  result.error = text(object, "error");
  result.features = any_json(field<dom::element>(object, "features"));
  result.key = text(object, "key");
  result.metrics = metrics(object, "metrics");
  result.notes = texts(object, "notes");
  result.primary_metric = text(object, "primary_metric");
  result.probe_settings = any_json(field<dom::element>(object, "probe_settings"));
  result.scores_file = text(object, "scores_file");
  result.seconds = doubles(object, "seconds");
  result.selection = read_selection(field<dom::object>(object, "selection"));
  read_split(field<dom::object>(object, "split"), result);
  result.started_at = text(object, "started_at");
  result.status = text(object, "status");
  result.target_kind = text(object, "target_kind");
  result.version = text(object, "version");
  return result;
}

}  // namespace

struct ResultParser::State {
  dom::parser parser;
};

ResultParser::ResultParser() : state_(std::make_unique<State>()) {}
ResultParser::~ResultParser() = default;

Result ResultParser::parse(std::string_view text) {
  dom::object object;
  constexpr bool kCopyForPadding = false;
  if (const auto code = state_->parser.parse(text.data(), text.size(), kCopyForPadding).get(object)) fail("text", code);
  return read_result(object);
}

}  // namespace vise
