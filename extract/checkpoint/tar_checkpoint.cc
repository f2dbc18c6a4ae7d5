#include "base/error.h"
#include "extract/checkpoint/readers.h"
namespace vise {
ContainerContents read_tar_checkpoint(ByteView, const Owner&, const ReadOptions&) {
  throw Error(ErrorKind::input, "old tar");
}
}  // namespace vise
