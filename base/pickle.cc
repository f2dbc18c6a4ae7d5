#include "base/pickle.h"

#include <fmt/format.h>

#include <bit>
#include <deque>
#include <unordered_map>

#include "base/error.h"
#include "base/pickle_code.h"
#include "base/pickle_text.h"
#include "base/utf8.h"

namespace vise {
namespace {

constexpr std::size_t kMaxStack = 50'000;  // the C pickler writes batches of 1000; TorchScript's longest are lists
constexpr std::uint8_t kHighestProtocol = 5;

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::input, what, std::move(hint));
}

class PickleMachine {
 public:
  PickleMachine(ByteView bytes, PickleHeap& heap, PickleWorld& world) : code_(bytes), heap_(heap), world_(world) {}

  PickleRun run() {
    // Counted, because a short pickle can make the machine work for long: each opcode may
    // copy what a MARK or the memo holds.
    for (std::size_t steps = 0; steps < heap_.limits().opcodes; ++steps) {
      const std::size_t place = code_.at();
      const std::uint8_t opcode = code_.next();
      try {
        if (opcode == '.') return {take(), code_.at()};
        if (!(scalar(opcode) || text(opcode) || container(opcode) || stack_and_memo(opcode) || foreign(opcode)))
          refuse("is not an opcode this reader runs");
        if (stack_.size() > kMaxStack) refuse(fmt::format("more than {} values on the stack", kMaxStack));
      } catch (const Error& e) {
        const std::string_view name = pickle_opcode_name(opcode);
        throw Error(e.kind(),
                    fmt::format("byte {}: {}: {}", place,
                                name.empty() ? fmt::format("opcode 0x{:02x}", opcode) : std::string(name), e.message()),
                    e.hint());
      }
    }
    refuse(fmt::format("the pickle has more than {} opcodes", heap_.limits().opcodes));
  }

 private:
  // The stack. Values below the last MARK are out of reach, as in Python.

  void push(PickleValue value) { stack_.push_back(value); }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleValue take() {
    if (stack_.size() <= floor()) refuse("the stack is empty");
    const PickleValue value = stack_.back();
    stack_.pop_back();
    return value;
  }

  PickleValue top() const {
    if (stack_.size() <= floor()) refuse("the stack is empty");
    return stack_.back();
  }

  std::vector<PickleValue> take_to_mark() {
    if (marks_.empty()) refuse("there is no MARK");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleValue> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  void push_tuple(std::size_t size) {
    std::vector<PickleValue> items(size);
    for (std::size_t i = size; i-- > 0;) items[i] = take();
    push(heap_.sequence(PickleKind::tuple, std::move(items)));
  }

  // Opcodes by family; each function returns whether the opcode was its.

  bool scalar(std::uint8_t opcode) {
    switch (opcode) {
      case 'N':
        push({});
        return true;
      case 0x88:
        push(PickleValue::boolean(true));
        return true;
      case 0x89:
        push(PickleValue::boolean(false));
        return true;
      case 'J':
        push(PickleValue::of(std::int64_t{code_.number<std::int32_t>()}));
        return true;
      case 'K':
        push(PickleValue::of(std::int64_t{code_.number<std::uint8_t>()}));
        return true;
      case 'M':
        push(PickleValue::of(std::int64_t{code_.number<std::uint16_t>()}));
        return true;
      case 'I':
        push(pickle_int(heap_, code_.line()));
        return true;
      case 'L':
        push(pickle_long(heap_, code_.line()));
        return true;
      case 0x8A:
        push(pickle_long_bytes(heap_, code_.counted<std::uint8_t>()));
        return true;
      case 0x8B:
        push(pickle_long_bytes(heap_, code_.counted<std::int32_t>()));
        return true;
      case 'F':
        push(PickleValue::of(pickle_float(code_.line())));
        return true;
      case 'G':
        // BINFLOAT is the one argument of the format that is big-endian.
        push(PickleValue::of(std::bit_cast<double>(__builtin_bswap64(code_.number<std::uint64_t>()))));
        return true;
      default:
        return false;
    }
  }

  void push_text(std::string_view view) {
    if (!is_utf8(view)) refuse("its text is not UTF-8");
    push(heap_.text(view));
  }

  // Python 2's str: text where it is UTF-8, as torch.load reads it, else bytes.
  void push_old_string(std::string_view view) {
    push(heap_.text(view, is_utf8(view) ? PickleKind::text : PickleKind::bytes));
  }

  bool text(std::uint8_t opcode) {
    switch (opcode) {
      case 'X':
        push_text(code_.counted<std::uint32_t>());
        return true;
      case 0x8C:
        push_text(code_.counted<std::uint8_t>());
        return true;
      case 0x8D:
        push_text(code_.counted<std::uint64_t>());
        return true;
      case 'V':
        push(heap_.own_text(pickle_raw_unicode(code_.line())));
        return true;
      case 'T':
        push_old_string(code_.counted<std::int32_t>());
        return true;
      case 'U':
        push_old_string(code_.counted<std::uint8_t>());
        return true;
      case 'S': {
        std::string decoded = pickle_string_literal(code_.line());
        const PickleKind kind = is_utf8(decoded) ? PickleKind::text : PickleKind::bytes;
        push(heap_.own_text(std::move(decoded), kind));
        return true;
      }
      case 'B':
        push(heap_.text(code_.counted<std::uint32_t>(), PickleKind::bytes));
        return true;
      case 'C':
        push(heap_.text(code_.counted<std::uint8_t>(), PickleKind::bytes));
        return true;
      case 0x8E:
      case 0x96:
        push(heap_.text(code_.counted<std::uint64_t>(), PickleKind::bytes));
        return true;
      default:
        return false;
    }
  }

  void append(const std::vector<PickleValue>& items) {
    const PickleValue list = top();
    // A placeholder for a class that the reader passes over takes what is put into it,
    // and is listed afterwards.
    if (list.kind == PickleKind::foreign && world_.absorbs(list)) return;
    if (list.kind != PickleKind::list) refuse(fmt::format("appends to a {}", kind_name(list.kind)));
    heap_.extend(list, items);
  }

  void set_items(const std::vector<PickleValue>& items) {
    const PickleValue dict = top();
    if (items.size() % 2 != 0) refuse("keys and values are not even in number");
    if (dict.kind == PickleKind::foreign && world_.absorbs(dict)) return;
    if (dict.kind != PickleKind::dict) refuse(fmt::format("sets an item of a {}", kind_name(dict.kind)));
    for (std::size_t i = 0; i < items.size(); i += 2) heap_.set_item(dict, items[i], items[i + 1]);
  }

  void check_members(const std::vector<PickleValue>& items) const {
    for (const PickleValue& item : items)
      // Kinds are ordered scalars first; a set of anything else would need hashing that
      // can take exponential time.
      if (item.kind > PickleKind::bytes) refuse(fmt::format("a {} stands in a set", kind_name(item.kind)));
  }

  void push_set() {
    std::vector<PickleValue> items = take_to_mark();
    check_members(items);
    push(heap_.sequence(PickleKind::set, std::move(items)));
  }

  void add_items() {
    const std::vector<PickleValue> items = take_to_mark();
    const PickleValue set = top();
    if (set.kind != PickleKind::set) refuse(fmt::format("adds to a {}", kind_name(set.kind)));
    check_members(items);
    heap_.extend(set, items);
  }

  bool container(std::uint8_t opcode) {
    switch (opcode) {
      case ')':
        push_tuple(0);
        return true;
      case 0x85:
        push_tuple(1);
        return true;
      case 0x86:
        push_tuple(2);
        return true;
      case 0x87:
        push_tuple(3);
        return true;
      case 't':
        push(heap_.sequence(PickleKind::tuple, take_to_mark()));
        return true;
      case ']':
        push(heap_.sequence(PickleKind::list, {}));
        return true;
      case 'l':
        push(heap_.sequence(PickleKind::list, take_to_mark()));
        return true;
      case '}':
        push(heap_.dict());
        return true;
      case 'd': {
        const std::vector<PickleValue> items = take_to_mark();
        push(heap_.dict());
        set_items(items);
        return true;
      }
      case 'a':
        append({take()});
        return true;
      case 'e':
        append(take_to_mark());
        return true;
      case 's': {
        const PickleValue value = take(), key = take();
        set_items({key, value});
        return true;
      }
      case 'u':
        set_items(take_to_mark());
        return true;
      case 0x8F:
        push(heap_.sequence(PickleKind::set, {}));
        return true;
      case 0x90:
        add_items();
        return true;
      case 0x91:
        push_set();
        return true;
      default:
        return false;
    }
  }

  void remember(std::uint64_t place) {
    const PickleValue value = top();
    // Picklers number their values in order, so a deque serves nearly all; a hostile place
    // of 2^32 costs one entry of the map.
    if (place < memo_.size()) {
      memo_[place] = value;
    } else if (memo_.size() + sparse_memo_.size() >= heap_.limits().memo) {
      refuse(fmt::format("more than {} values in the memo", heap_.limits().memo));
    } else if (place == memo_.size()) {
      memo_.push_back(value);
      sparse_memo_.erase(place);
    } else {
      sparse_memo_[place] = value;
    }
  }

  void recall(std::uint64_t place) {
    if (place < memo_.size()) return push(memo_[place]);
    const auto found = sparse_memo_.find(place);
    if (found == sparse_memo_.end()) refuse(fmt::format("the memo has nothing at {}", place));
    push(found->second);
  }

  std::uint64_t memo_line() {
    const PickleValue place = pickle_long(heap_, code_.line());
    if (place.kind != PickleKind::integer || place.integer < 0 || place.integer > UINT32_MAX)
      refuse("its place in the memo is not in 0 ... 2^32 - 1");
    return static_cast<std::uint64_t>(place.integer);
  }

  bool stack_and_memo(std::uint8_t opcode) {
    switch (opcode) {
      case '(':
        if (marks_.size() >= kMaxStack) refuse(fmt::format("more than {} MARKs", kMaxStack));
        marks_.push_back(stack_.size());
        return true;
      case '0':  // on a MARK, Python's POP takes that
        if (!marks_.empty() && marks_.back() == stack_.size())
          marks_.pop_back();
        else
          take();
        return true;
      case '1':
        take_to_mark();
        return true;
      case '2':
        push(top());
        return true;
      case 'p':
        remember(memo_line());
        return true;
      case 'q':
        remember(code_.number<std::uint8_t>());
        return true;
      case 'r':
        remember(code_.number<std::uint32_t>());
        return true;
      case 0x94:
        remember(memo_.size() + sparse_memo_.size());
        return true;
      case 'g':
        recall(memo_line());
        return true;
      case 'h':
        recall(code_.number<std::uint8_t>());
        return true;
      case 'j':
        recall(code_.number<std::uint32_t>());
        return true;
      case 0x80:
        if (const auto protocol = code_.number<std::uint8_t>(); protocol > kHighestProtocol)
          refuse(fmt::format("there is no protocol {}", protocol));
        return true;
      case 0x95:
        code_.begin_frame();
        return true;
      default:
        return false;
    }
  }

  void push_stack_global() {
    const PickleValue name = take(), module = take();
    if (name.kind != PickleKind::text || module.kind != PickleKind::text) refuse("its names are not text");
    push(world_.global(heap_, heap_.text_of(module), heap_.text_of(name)));
  }

  PickleValue take_arguments() {
    const PickleValue args = take();
    if (args.kind != PickleKind::tuple)
      refuse(fmt::format("its arguments are a {}, not a tuple", kind_name(args.kind)));
    return args;
  }

  bool foreign(std::uint8_t opcode) {
    switch (opcode) {
      case 'c': {
        const std::string_view module = code_.line(), name = code_.line();
        push(world_.global(heap_, module, name));
        return true;
      }
      case 0x93:
        push_stack_global();
        return true;
      case 'R': {
        const PickleValue args = take_arguments();
        push(world_.call(heap_, take(), args));
        return true;
      }
      case 0x81: {
        const PickleValue args = take_arguments();
        push(world_.make(heap_, take(), args));
        return true;
      }
      case 'b': {
        // BUILD leaves the object on the stack.
        const PickleValue state = take();
        world_.build(heap_, top(), state);
        return true;
      }
      case 'Q':
        push(world_.persistent(heap_, take()));
        return true;
      case 'i': {  // old-style classes are never built, but the error names what it asks for
        const std::string_view module = code_.line(), name = code_.line();
        world_.global(heap_, module, name);
        return false;
      }
      default:
        return false;
    }
  }

  PickleCode code_;
  PickleHeap& heap_;
  PickleWorld& world_;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::deque<PickleValue> memo_;                                // places 0, 1, 2 ..., as every pickler writes them
  std::unordered_map<std::uint64_t, PickleValue> sparse_memo_;  // places that are out of that order
};

}  // namespace

PickleValue PickleWorld::global(PickleHeap&, std::string_view module, std::string_view name) {
  refuse(fmt::format("it wants the global {}.{}", module.substr(0, 200), name.substr(0, 200)));
}

PickleValue PickleWorld::call(PickleHeap&, PickleValue callable, PickleValue) {
  refuse(fmt::format("it calls a {}", kind_name(callable.kind)));
}

PickleValue PickleWorld::make(PickleHeap&, PickleValue type, PickleValue) {
  refuse(fmt::format("it makes an object of a {}", kind_name(type.kind)));
}

void PickleWorld::build(PickleHeap&, PickleValue object, PickleValue) {
  refuse(fmt::format("it sets the state of a {}", kind_name(object.kind)));
}

PickleValue PickleWorld::persistent(PickleHeap&, PickleValue) { refuse("there are no storages to refer to"); }

PickleRun run_pickle(ByteView bytes, PickleHeap& heap, PickleWorld& world) {
  return PickleMachine(bytes, heap, world).run();
}

}  // namespace vise
