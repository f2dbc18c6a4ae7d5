// A pickle machine that builds plain values and calls nothing.
//
// It runs the opcodes of pickle protocols 0 to 5 (Python's Lib/pickletools.py describes each) on a PickleHeap. What the
// format would have Python import, call or look up goes to a PickleWorld, which decides by name; a world that knows
// nothing refuses it all. Stack, memo, values and lengths are bounded: every length is checked against the bytes that
// remain before it is used, and nothing recurses.
//
//   PickleHeap heap;
//   PickleWorld world;                                    // plain values alone
//   const PickleRun run = run_pickle(bytes, heap, world);
//   heap.dict_of(run.value) ...                           // `bytes` must outlive the heap
//
// Refused by name: EXT1/2/4, PERSID, INST, OBJ, NEWOBJ_EX, NEXT_BUFFER, READONLY_BUFFER, unknown opcodes.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/file.h"
#include "base/pickle_value.h"

namespace vise {

// Answers for what is outside the pickle. Each function throws Error{input} to refuse, which is all this one does.
class PickleWorld {
 public:
  virtual ~PickleWorld() = default;
  // GLOBAL, STACK_GLOBAL: what `module.name` stands for; only names on a list may pass.
  virtual PickleValue global(PickleHeap& heap, std::string_view module, std::string_view name);
  // REDUCE: `args` is a tuple.
  virtual PickleValue call(PickleHeap& heap, PickleValue callable, PickleValue args);
  // NEWOBJ: `args` is a tuple.
  virtual PickleValue make(PickleHeap& heap, PickleValue type, PickleValue args);
  // BUILD on anything.
  virtual void build(PickleHeap& heap, PickleValue object, PickleValue state);
  // BINPERSID.
  virtual PickleValue persistent(PickleHeap& heap, PickleValue id);
  // Whether a foreign value takes items (APPENDS, SETITEMS) and forgets them.
  virtual bool absorbs(PickleValue) const { return false; }
};

struct PickleRun {
  PickleValue value;
  std::size_t consumed = 0;  // bytes up to and with STOP
};

// Runs one pickle at the front of `bytes`. Error{input} with opcode and position; the world's errors are passed on with
// both before them.
PickleRun run_pickle(ByteView bytes, PickleHeap& heap, PickleWorld& world);

// The value as JSON in Python's json.dumps form ("[1, 2.5, null]"; tuples and sets as lists, bytes as latin-1 text).
// Error{input} past 64 levels, 200,000 values or 16 MB, and for globals, objects and foreign values.
std::string pickle_to_json(const PickleHeap& heap, PickleValue value);

}  // namespace vise
