// Hashes: SHA-256 (OpenSSL) names things for people and other machines; XXH3-128 (xxHash) tells whether bytes changed.
//
//   sha256_hex(bytes);                                   // 64 lower-case hex digits
//   Sha256 hash; hash.update(a); hash.update(b); hash.hex();
//   ContentHash of_file = content_hash(bytes);           // XXH3-128; `str()` is its 32 hex digits
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"

namespace vise {

// SHA-256 of what was fed to update(), in any number of pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView bytes);
  void update(std::string_view text) { update(as_byte_view(text)); }
  // 64 lower-case hex digits; ends the hash, so it may be called once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(ByteView bytes);
std::string sha256_hex(std::string_view text);
// 32 lower-case hex digits: for comparison with what publishers state, not for naming anything.
std::string md5_hex(ByteView bytes);

// XXH3-128 of a file's bytes: the identity of an image in the feature store.
struct ContentHash {
  std::uint64_t high = 0, low = 0;

  auto operator<=>(const ContentHash&) const = default;
  std::string str() const;  // 32 lower-case hex digits, high first, as `xxh128sum` prints it
  // Error{input} unless `text` is 32 hex digits.
  static ContentHash parse(std::string_view text);
};

ContentHash content_hash(ByteView bytes);

// XXH3-64, for the checksums of blocks and journal lines.
std::uint64_t checksum64(ByteView bytes);

}  // namespace vise

template <>
struct std::hash<vise::ContentHash> {
  std::size_t operator()(const vise::ContentHash& h) const noexcept { return h.low; }
};
