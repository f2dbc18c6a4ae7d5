#include "base/base64.h"

#include <openssl/evp.h>

namespace vise {

std::string base64(ByteView bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // OpenSSL writes a NUL behind the text, as a string has it.
  ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()));
  return text;
}

}  // namespace vise
