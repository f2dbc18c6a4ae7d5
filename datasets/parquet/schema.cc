#include "datasets/parquet/schema.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"

namespace vise::datasets::parquet {
namespace {

// Deeper or wider schemas are damage, and a walk down them would exhaust the stack.
constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxLeaves = 10000;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "schema: " + what); }

// What is known on the way from the root to a leaf.
struct Way {
  std::string name;  // names joined by ':'
  int definition = 0, repetition = 0;
  int element_level = 0, empty_level = 0;
  bool in_map = false;

  Way into(std::string_view child) const {
    Way way = *this;
    if (!way.name.empty()) way.name += ':';
    way.name += printable(child);
    return way;
  }
};

// Kind and, where it is none that is read, the reason.
// First what the values mean, which may rule a column out, then how they are stored.
void set_kind(Column& column) {
  const auto unread = [&](std::string reason) { column.kind = Kind::unread, column.reason = std::move(reason); };
  switch (column.annotation) {
    case Annotation::date:
      return unread("a date");
    case Annotation::time:
      return unread("a time");
    case Annotation::timestamp:
      return unread("a timestamp");
    case Annotation::other:
      return unread("of a logical type that is not read");
    case Annotation::decimal:
      if (column.scale < 0 || column.scale > 38) return unread("a decimal of an odd scale");
      // 18 digits fit into 64 bits.
      if (column.physical != Physical::int32 && column.physical != Physical::int64 &&
          (column.physical != Physical::fixed || column.length > 8))
        return unread("a decimal of more than 18 digits");
      column.kind = Kind::real;
      return;
    case Annotation::half:
      if (column.physical != Physical::fixed || column.length != 2) return unread("a float16 of odd length");
      column.kind = Kind::real;
      return;
    default:
      break;
  }
  switch (column.physical) {
    case Physical::boolean:
      column.kind = Kind::boolean;
      return;
    case Physical::int32:
    case Physical::int64:
      column.kind = Kind::integer;
      return;
    case Physical::real32:
    case Physical::real64:
      column.kind = Kind::real;
      return;
    case Physical::bytes:
      column.kind = column.annotation == Annotation::text ? Kind::text : Kind::bytes;
      return;
    case Physical::fixed:
      column.kind = Kind::bytes;
      return;
    case Physical::int96:
      return unread("an INT96 timestamp");
  }
}

// Goes through the list of elements once, and makes a column of each leaf.
class TreeReader {
 public:
  explicit TreeReader(std::span<const SchemaElement> elements) : elements_(elements) {}

  std::vector<Column> read() {
    const SchemaElement& root = next();
    if (root.physical || root.children <= 0) refuse("the root has no columns");
    for (std::int32_t i = 0; i < root.children; ++i) node(Way(), 1);
    // The schema is a tree in depth-first order, each node with the number of its children:
    // a flat list can only be read in full.
    if (at_ != elements_.size())
      refuse(fmt::format("{} of {} elements are in no column", elements_.size() - at_, elements_.size()));
    return std::move(columns_);
  }

 private:
  const SchemaElement& next() {
    if (at_ == elements_.size()) refuse("a structure claims more columns than there are");
    return elements_[at_++];
  }

  static void count_levels(const SchemaElement& element, Way& way) {
    // Every node that may be absent adds a definition level, every repeated one a repetition level too.
    if (element.repetition == Repetition::required) return;
    ++way.definition;
    if (element.repetition != Repetition::repeated) return;
    ++way.repetition;
    // The levels at which a list has an element, and at which it is there but empty (see Cursor::Rows).
    way.element_level = way.definition;
    way.empty_level = way.definition - 1;
  }

  // `named`: the node's name says something.
  void node(const Way& above, int depth, bool named = true) {
    if (depth > kMaxDepth) refuse(fmt::format("it nests deeper than {}", kMaxDepth));
    const SchemaElement& element = next();
    Way way = named ? above.into(element.name) : above;
    count_levels(element, way);
    if (element.annotation == Annotation::map) way.in_map = true;
    if (element.physical) return leaf(element, above, way);
    if (element.annotation == Annotation::list && element.children == 1) return list(way, depth + 1);
    children(element, way, depth + 1);
  }

  // The one child of a list: the repeated element itself, or a repeated structure around it whose name says nothing
  // (LogicalTypes.md, Lists, with its rules for older writers).
  void list(const Way& outer, int depth) {
    const SchemaElement& repeated = next();
    Way way = outer;
    count_levels(repeated, way);
    if (repeated.physical) return leaf(repeated, outer, way);
    if (repeated.children == 1 && repeated.name != "array" && !repeated.name.ends_with("_tuple"))
      return node(way, depth + 1, false);
    children(repeated, way, depth + 1);
  }

  void children(const SchemaElement& element, const Way& way, int depth) {
    if (element.children <= 0) refuse(fmt::format("'{}' has neither a type nor columns", way.name));
    for (std::int32_t i = 0; i < element.children; ++i) node(way, depth);
  }

  // `above`: the way as far as the leaf's parent.
  void leaf(const SchemaElement& element, const Way& above, const Way& way) {
    if (element.children > 0) refuse(fmt::format("'{}' has a type and columns", way.name));
    if (element.physical == Physical::fixed && element.length <= 0)
      refuse(fmt::format("'{}' has values of {} bytes", way.name, element.length));
    if (columns_.size() == kMaxLeaves) refuse(fmt::format("it has more than {} columns", kMaxLeaves));
    Column column;
    column.name = way.name;
    column.parent = above.name;
    column.field = printable(element.name);
    column.physical = *element.physical;
    column.annotation = element.annotation;
    column.length = element.length;
    column.scale = element.scale;
    column.max_definition = way.definition;
    column.max_repetition = way.repetition;
    column.element_level = way.element_level;
    column.empty_level = way.empty_level;
    column.is_list = way.repetition > 0;
    set_kind(column);
    // Levels tell list from list, but a table's cell has room for one.
    if (way.repetition > 1 || way.in_map) {
      column.kind = Kind::unread;
      column.reason = way.in_map ? "in a map" : "a list of lists";
    }
    columns_.push_back(std::move(column));
  }

  std::span<const SchemaElement> elements_;
  std::size_t at_ = 0;
  std::vector<Column> columns_;
};

}  // namespace

std::vector<Column> read_columns(std::span<const SchemaElement> elements) { return TreeReader(elements).read(); }

}  // namespace vise::datasets::parquet
