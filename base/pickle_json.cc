#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/pickle.h"
#include "base/utf8.h"

namespace vise {
namespace {

// A few dozen bytes of pickle can describe tuples that share their halves and unfold to 2^n parts, or
// a list that holds itself. So what is written is bounded, besides what is held.
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxVisits = 200'000, kMaxText = 16'000'000;

class JsonWriter {
 public:
  explicit JsonWriter(const PickleHeap& heap) : heap_(heap) {}

  std::string write(PickleValue value) {
    visit(value, 0);
    return std::move(out_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& what) { throw Error(ErrorKind::input, what); }

  // Counted before anything is written, so that what unfolds is stopped early.
  void visit(PickleValue value, int depth) {
    if (depth > kMaxDepth) refuse(fmt::format("the value nests deeper than {} levels, or holds itself", kMaxDepth));
    if (++visits_ > kMaxVisits) refuse(fmt::format("the value has more than {} parts", kMaxVisits));
    if (out_.size() > kMaxText) refuse(fmt::format("the value has more than {} characters", kMaxText));
    using enum PickleKind;
    switch (value.kind) {
      case none:
        out_ += "null";
        break;
      case boolean:
        out_ += value.integer ? "true" : "false";
        break;
      case integer:
        out_ += std::to_string(value.integer);
        break;
      // JSON sets no limit to an integer's digits, and Python writes them all.
      case big_integer:
        out_ += heap_.text_of(value);
        break;
      // As JSON numbers; infinities and NaN, which JSON lacks, become null.
      case real:
        out_ += Json(value.real).dump();
        break;
      case text:
        string(std::string(heap_.text_of(value)));
        break;
      case bytes:
        string(latin1_to_utf8(heap_.text_of(value)));
        break;
      case tuple:
      case list:
      case set:
        items(heap_.items_of(value), depth);
        break;
      case dict:
        dict_items(heap_.dict_of(value).items(), depth);
        break;
      default:
        refuse(fmt::format("the value holds a {}", kind_name(value.kind)));
    }
  }

  // ASCII alone, with \u escapes, as json.dumps writes by default.
  void string(const std::string& text) { out_ += Json(text).dump(-1, ' ', true); }

  void items(const std::vector<PickleValue>& values, int depth) {
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i) out_ += ", ";
      visit(values[i], depth + 1);
    }
    out_ += ']';
  }

  void dict_items(const std::vector<PickleDict::Item>& values, int depth) {
    out_ += '{';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i) out_ += ", ";
      const PickleValue key = values[i].first;
      if (key.kind == PickleKind::text)
        visit(key, depth + 1);
      else
        // JSON's keys are texts. Python's json.dumps writes the key 1 as "1" and True as "true",
        // which is what the scalar's own JSON in quotes is.
        string(JsonWriter(heap_).write(key));
      out_ += ": ";
      visit(values[i].second, depth + 1);
    }
    out_ += '}';
  }

  const PickleHeap& heap_;
  std::size_t visits_ = 0;
  std::string out_;
};

}  // namespace

std::string pickle_to_json(const PickleHeap& heap, PickleValue value) { return JsonWriter(heap).write(value); }

}  // namespace vise
