// Checkpoints assembled byte by byte, so that tests can make every field lie.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "tests/packed_bytes.h"

namespace vise::test {

template <typename T>
std::string little(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Pickle pieces.
inline std::string text(std::string_view s) {
  return "X" + little(static_cast<std::uint32_t>(s.size())) + std::string(s);
}
inline std::string number(std::int32_t n) { return "J" + little(n); }
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(std::string_view items) { return "(" + std::string(items) + "t"; }

// torch._utils._rebuild_tensor_v2 of a float32 storage, whole and contiguous in one dimension.
inline std::string float_tensor(std::string_view key, std::int32_t numel, std::int32_t size) {
  const std::string id =
      tuple(text("storage") + global("torch", "FloatStorage") + text(key) + text("cpu") + number(numel)) + "Q";
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(id + number(0) + tuple(number(size)) + tuple(number(1)) + "\x89" + global("collections", "OrderedDict") +
               ")R") +
         "R";
}

struct Member {
  std::string name, data;
  std::uint16_t method = 0, flags = 0;
  std::string packed{};  // for method 8
};

inline std::string zip(const std::vector<Member>& members, std::string_view comment = "") {
  std::string out, directory;
  for (const Member& m : members) {
    const std::string body = m.method == 8 ? deflated(m.data) : m.data;
    const auto crc = static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(m.data.data()), static_cast<uInt>(m.data.size())));
    const std::string common = little(m.flags) + little(m.method) + little(std::uint32_t{0}) + little(crc) +
                               little(static_cast<std::uint32_t>(body.size())) +
                               little(static_cast<std::uint32_t>(m.data.size())) +
                               little(static_cast<std::uint16_t>(m.name.size())) + little(std::uint16_t{0});
    directory += "PK\1\2" + little(std::uint16_t{20}) + little(std::uint16_t{20}) + common + std::string(8, '\0') +
                 std::string(2, '\0') + little(static_cast<std::uint32_t>(out.size())) + m.name;
    out += "PK\3\4" + little(std::uint16_t{20}) + common + m.name + body;
  }
  const auto count = static_cast<std::uint16_t>(members.size());
  const auto start = static_cast<std::uint32_t>(out.size()), size = static_cast<std::uint32_t>(directory.size());
  return out + directory + "PK\5\6" + std::string(4, '\0') + little(count) + little(count) + little(size) +
         little(start) + little(static_cast<std::uint16_t>(comment.size())) + std::string(comment);
}

// A checkpoint of torch.save's with these storages, "0" and on.
inline std::string zip_checkpoint(const std::string& pickle, const std::vector<std::string>& storages = {}) {
  std::vector<Member> members{{"archive/data.pkl", pickle}, {"archive/version", "3\n"}};
  for (std::size_t i = 0; i < storages.size(); ++i)
    members.push_back({"archive/data/" + std::to_string(i), storages[i]});
  return zip(members);
}

inline std::string safetensors(std::string_view header, std::string_view data) {
  return little(static_cast<std::uint64_t>(header.size())) + std::string(header) + std::string(data);
}

// The message of the Error that `action` throws, and its hint after " | "; fails the test if there is none.
template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& e) {
    return e.message() + " | " + e.hint();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

inline bool contains(std::string_view whole, std::string_view part) {
  return whole.find(part) != std::string_view::npos;
}

}  // namespace vise::test
