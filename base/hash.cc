#include "base/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <xxhash.h>

#include <charconv>

#include "base/error.h"

namespace vise {
namespace {

std::string hex_digits(std::span<const unsigned char> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

}  // namespace

// Behind a pointer so that OpenSSL's headers stay out of hash.h.
struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw Error(ErrorKind::system, "OpenSSL offers no SHA-256");
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

// Its result is not asked for: of a context that was begun it fails for no input.
void Sha256::update(ByteView bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  return hex_digits({digest, size});
}

std::string sha256_hex(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::string sha256_hex(std::string_view text) { return sha256_hex(as_byte_view(text)); }

std::string md5_hex(ByteView bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_md5(), nullptr) != 1)
    throw Error(ErrorKind::system, "OpenSSL offers no MD5");
  return hex_digits({digest, size});
}

std::string ContentHash::str() const { return fmt::format("{:016x}{:016x}", high, low); }

ContentHash ContentHash::parse(std::string_view text) {
  ContentHash hash;
  // from_chars() stops at the first letter that is no digit, so the end is checked as well as the length.
  const auto half = [&](std::string_view digits, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  // The digits are written high half first, as `xxhsum -H2` prints them.
  if (text.size() != 32 || !half(text.substr(0, 16), hash.high) || !half(text.substr(16), hash.low))
    throw Error(ErrorKind::input, fmt::format("'{}' is not a content hash (32 hex digits)", text));
  return hash;
}

ContentHash content_hash(ByteView bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

// XXH3 runs at memory speed and finds damage; it resists no forger, so whatever is published
// or downloaded is named by SHA-256 instead.
std::uint64_t checksum64(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace vise
