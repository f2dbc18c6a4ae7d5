#include "base/error.h"
#include "extract/checkpoint/readers.h"
namespace vise {
ContainerContents read_safetensors(ByteView, const Owner&) { throw Error(ErrorKind::input, "safetensors"); }
}  // namespace vise
