#include "experiments/result_parse.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <limits>
#include <map>
#include <unordered_map>

#include "base/error.h"

namespace vise::experiments {
namespace {

namespace ondemand = simdjson::ondemand;
// simdjson reads whole vectors, beyond the end of the text; Block (result_read.cc) leaves room for them.
static_assert(ResultParser::kPadding >= simdjson::SIMDJSON_PADDING);

// One error for all fields. The reader of the file adds its name and the line.
[[noreturn]] void fail(std::string_view what, simdjson::error_code code) {
  throw Error(ErrorKind::input, fmt::format("is not a result: {}: {}", what, simdjson::error_message(code)),
              "docs/formats/results.md lists the fields");
}

// The value, or an Error that names the field.
template <typename T>
T get(ondemand::value value, std::string_view name) {
  if constexpr (std::is_same_v<T, ondemand::value>) {
    return value;
  } else {
    T result{};
    if (const auto code = value.get(result)) fail(name, code);
    return result;
  }
}

// Fields are asked for in the order in which they are written, alphabetically: each is found where the last one ended.
// Another order costs time only.
template <typename T>
T field(ondemand::object& object, std::string_view name) {
  ondemand::value value;
  if (const auto code = object.find_field_unordered(name).get(value)) fail(name, code);
  return get<T>(value, name);
}

// Whether the field is there; files of earlier programs lack some. Text that is broken on the way to it is an error,
// and must be: simdjson's walk ends there, and another step would leave the text.
bool find(ondemand::object& object, std::string_view name, ondemand::value& value) {
  const auto code = object.find_field_unordered(name).get(value);
  if (code && code != simdjson::NO_SUCH_FIELD) fail(name, code);
  return code == simdjson::SUCCESS;
}

std::string text(ondemand::object& object, std::string_view name) {
  return std::string(field<std::string_view>(object, name));
}

// JSON has no NaN: null stands for it.
std::optional<double> number_or_null(ondemand::value value, std::string_view name) {
  bool is_null = false;
  if (const auto code = value.is_null().get(is_null)) fail(name, code);
  return is_null ? std::nullopt : std::optional(get<double>(value, name));
}

double number_or_nan(ondemand::value value, std::string_view name) {
  return number_or_null(value, name).value_or(std::numeric_limits<double>::quiet_NaN());
}

double number_field(ondemand::object& object, std::string_view name) {
  return number_or_nan(field<ondemand::value>(object, name), name);
}

// Calls put(key, value) for each field of the object, which is the one `name`.
template <typename Put>
void for_each(ondemand::object object, std::string_view name, const Put& put) {
  for (auto entry : object) {
    std::string_view key;
    ondemand::value value;
    if (const auto code = entry.unescaped_key().get(key)) fail(name, code);
    if (const auto code = entry.value().get(value)) fail(name, code);
    put(key, value);
  }
}

// Keys come sorted, so a hint at the end makes each insertion constant.
std::map<std::string, double> doubles(ondemand::object object, std::string_view name) {
  std::map<std::string, double> values;
  for_each(object, name, [&](std::string_view key, ondemand::value value) {
    values.emplace_hint(values.end(), key, number_or_nan(value, name));
  });
  return values;
}

std::map<std::string, std::optional<double>> metrics(ondemand::object& object, std::string_view name) {
  std::map<std::string, std::optional<double>> values;
  for_each(field<ondemand::object>(object, name), name, [&](std::string_view key, ondemand::value value) {
    values.emplace_hint(values.end(), key, number_or_null(value, name));
  });
  return values;
}

std::vector<std::string> texts(ondemand::object& object, std::string_view name) {
  std::vector<std::string> values;
  for (auto element : field<ondemand::array>(object, name)) {
    std::string_view one;
    if (const auto code = element.get_string().get(one)) fail(name, code);
    values.emplace_back(one);
  }
  return values;
}

// Values that many results share, by their text: each is parsed and held once.
template <typename Value>
class Known {
 public:
  // The value of that text, or parse().
  template <typename Parse>
  const Value& operator()(std::string_view text, const Parse& parse) {
    // Settings and parameters repeat from result to result.
    if (const auto found = values_.find(text); found != values_.end()) return found->second;
    if (values_.size() == kMost) values_.clear();
    return values_.emplace(text, parse()).first->second;
  }

 private:
  static constexpr std::size_t kMost = 1024;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, Value, Hash, std::equal_to<>> values_;
};

struct KnownValues {
  Known<SharedJson> settings;
  Known<decltype(probes::Candidate::parameters)> parameters;
  std::size_t candidates = 0;  // of the last curve; the next one is likely as long
};

// A value of any shape as our own JSON; settings are alike in most results and parsed once.
SharedJson any_json(ondemand::value value, std::string_view name, KnownValues& known) {
  std::string_view raw;
  if (const auto code = simdjson::to_json_string(value).get(raw)) fail(name, code);
  return known.settings(raw, [&] { return parse_json(raw, fmt::format("{} of a result", name)); });
}

decltype(probes::Candidate::parameters) read_parameters(ondemand::object& candidate, KnownValues& known) {
  auto object = field<ondemand::object>(candidate, "parameters");
  std::string_view raw;
  if (const auto code = object.raw_json().get(raw)) fail("parameters", code);
  // raw_json() has walked over the object; reset() goes back to its beginning.
  return known.parameters(raw, [&] {
    if (const auto code = object.reset().error()) fail("parameters", code);
    return doubles(object, "parameters");
  });
}

// The fields as visit_fields() lists them, so a field more needs no line here.
Cell read_cell(ondemand::object object) {
  Cell cell;
  visit_fields(cell, [&]<typename T>(std::string_view name, T& value) {
    ondemand::value found;
    if (!find(object, name, found)) {
      if (name != "fraction" && name != "where")
        fail(name, simdjson::NO_SUCH_FIELD);  // programs up to 0.1 have neither
      return;
    }
    if constexpr (std::is_same_v<T, std::string>)
      value = get<std::string_view>(found, name);
    else if constexpr (std::is_same_v<T, double>)
      value = number_or_nan(found, name);
    else if constexpr (std::is_same_v<T, int>)
      value = static_cast<int>(get<std::int64_t>(found, name));
    else
      value = get<T>(found, name);
  });
  return cell;
}

// Not taken for a default: a status or kind of a later version would be misread.
[[noreturn]] void fail_unknown(std::string_view field, std::string_view value) {
  throw Error(ErrorKind::input, fmt::format("is not a result: {}: '{}' is unknown", field, value),
              "docs/formats/results.md lists the fields; a newer version of vise-eval may have written it");
}

CellStatus read_status(ondemand::object& object) {
  const auto status = field<std::string_view>(object, "status");
  for (const CellStatus known : {CellStatus::ok, CellStatus::failed})
    if (status_name(known) == status) return known;
  fail_unknown("status", status);
}

datasets::TargetKind read_target_kind(ondemand::object& object) {
  const auto name = field<std::string_view>(object, "target_kind");
  if (const auto kind = datasets::target_kind_named(name)) return *kind;
  fail_unknown("target_kind", name);
}

// Absent from files of earlier programs: then the defaults.
probes::Calibration read_calibration(ondemand::object& result) {
  probes::Calibration calibration;
  ondemand::value value;
  if (!find(result, "calibration", value)) return calibration;
  auto object = get<ondemand::object>(value, "calibration");
  calibration.fitted_on = text(object, "fitted_on");
  calibration.scores_are_logits = field<bool>(object, "scores_are_logits");
  calibration.temperature = number_field(object, "temperature");
  calibration.threshold = number_field(object, "threshold");
  return calibration;
}

probes::Convergence read_convergence(ondemand::object object) {
  probes::Convergence convergence;
  convergence.converged = field<bool>(object, "converged");
  convergence.gradient_norm = number_field(object, "gradient_norm");
  convergence.iterations = field<std::int64_t>(object, "iterations");
  convergence.objective = number_field(object, "objective");
  convergence.objective_text = text(object, "objective_text");
  return convergence;
}

std::vector<probes::Candidate> read_curve(ondemand::object& selection, ResultDetail detail, KnownValues& known) {
  std::vector<probes::Candidate> curve;
  curve.reserve(detail == ResultDetail::table ? 1 : known.candidates);
  for (auto element : field<ondemand::array>(selection, "curve")) {
    ondemand::object candidate;
    if (const auto code = element.get_object().get(candidate)) fail("curve", code);
    auto parameters = read_parameters(candidate, known);
    curve.push_back({std::move(parameters), number_field(candidate, "score")});
    // A table asks only whether there was a choice.
    if (detail == ResultDetail::table) break;
  }
  known.candidates = curve.size();
  return curve;
}

probes::Selection read_selection(ondemand::object object, ResultDetail detail, KnownValues& known) {
  probes::Selection selection;
  selection.chosen = doubles(field<ondemand::object>(object, "chosen"), "chosen");
  selection.curve = read_curve(object, detail, known);
  selection.metric = text(object, "metric");
  selection.on_edge = field<bool>(object, "on_edge");
  selection.refit_on_val = field<bool>(object, "refit_on_val");
  selection.selected_on = text(object, "selected_on");
  return selection;
}

// What came after 0.1 may be missing; the sizes were always there.
void read_split(ondemand::object object, Result& result) {
  ondemand::value draw, sample;
  if (find(object, "draw", draw)) result.draw = static_cast<int>(get<std::int64_t>(draw, "draw"));
  result.split_hash = text(object, "hash");
  result.split_origin = text(object, "origin");
  if (find(object, "sample_hash", sample)) result.sample_hash = get<std::string_view>(sample, "sample_hash");
  result.sizes.test = field<std::uint64_t>(object, "test");
  result.sizes.train = field<std::uint64_t>(object, "train");
  result.sizes.unused = field<std::uint64_t>(object, "unused");
  result.sizes.val = field<std::uint64_t>(object, "val");
}

void read_inputs(ondemand::object object, Result& result) {
  result.data_hash = text(object, "data");
  result.parameters = text(object, "parameters");
  result.targets_hash = text(object, "targets");
}

// Alphabetical, as nlohmann's maps are written. What came later than 0.1 is asked for
// by find() and may be absent.
void read_result(ondemand::object object, ResultDetail detail, KnownValues& known, Result& result) {
  const bool all = detail == ResultDetail::everything;
  result.calibration = read_calibration(object);
  result.cell = read_cell(field<ondemand::object>(object, "cell"));
  result.class_names = texts(object, "class_names");
  if (all) result.convergence = read_convergence(field<ondemand::object>(object, "convergence"));
  result.error = text(object, "error");
  if (all) result.features = any_json(field<ondemand::value>(object, "features"), "features", known);
  if (ondemand::value images; find(object, "images", images)) result.images = get<std::uint64_t>(images, "images");
  if (ondemand::value inputs; all && find(object, "inputs", inputs))
    read_inputs(get<ondemand::object>(inputs, "inputs"), result);
  result.key = text(object, "key");
  result.metrics = metrics(object, "metrics");
  result.notes = texts(object, "notes");
  result.primary_metric = text(object, "primary_metric");
  if (all) result.probe_settings = any_json(field<ondemand::value>(object, "probe_settings"), "probe_settings", known);
  result.scores_file = text(object, "scores_file");
  if (all) result.seconds = doubles(field<ondemand::object>(object, "seconds"), "seconds");
  result.selection = read_selection(field<ondemand::object>(object, "selection"), detail, known);
  read_split(field<ondemand::object>(object, "split"), result);
  result.started_at = text(object, "started_at");
  result.status = read_status(object);
  result.target_kind = read_target_kind(object);
  result.version = text(object, "version");
}

}  // namespace

struct ResultParser::State {
  explicit State(ResultDetail wanted) : detail(wanted) {}
  ResultDetail detail;
  ondemand::parser parser;
  KnownValues known;
};

ResultParser::ResultParser(ResultDetail detail) : state_(std::make_unique<State>(detail)) {}
ResultParser::~ResultParser() = default;

void ResultParser::parse(std::string_view text, Result& result) {
  ondemand::document document;
  ondemand::object object;
  // The parser keeps its buffers from line to line, and a document is read once, from its beginning to its end.
  if (const auto code = state_->parser.iterate(text.data(), text.size(), text.size() + kPadding).get(document))
    fail("text", code);
  if (const auto code = document.get_object().get(object)) fail("text", code);
  read_result(object, state_->detail, state_->known, result);
}

}  // namespace vise::experiments
