// Put before libjpeg by LD_PRELOAD, this makes its pixels wrong by one in one sample of every row: what a codec library
// of another make might do, and what doctor's self-test must notice.
#include <dlfcn.h>

extern "C" unsigned jpeg_read_scanlines(void* decompress, unsigned char** rows, unsigned limit) {
  using Read = unsigned(void*, unsigned char**, unsigned);
  static auto* const real = reinterpret_cast<Read*>(::dlsym(RTLD_NEXT, "jpeg_read_scanlines"));
  const unsigned count = real(decompress, rows, limit);
  for (unsigned row = 0; row < count; ++row) rows[row][0] ^= 1;
  return count;
}
