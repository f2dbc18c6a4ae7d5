# cmake -DSTYLE=page.css -DLIBRARY=a.js;b.js -DSCRIPTS=c.js;d.js -DOUT=page_parts.cc -P embed.cmake: the page's parts as
# constants of vise::reports::page. The page's own scripts share one scope.
function(read_all out)
  set(all "")
  foreach(name IN LISTS ARGN)
    file(READ ${name} text)
    string(APPEND all "${text}\n")
  endforeach()
  set(${out} "${all}" PARENT_SCOPE)
endfunction()

read_all(style ${STYLE})
read_all(library ${LIBRARY})
read_all(script ${SCRIPTS})
file(WRITE ${OUT} "// Made from the files of reports/html by embed.cmake.
#include \"reports/html/parts.h\"

namespace vise::reports::page {

const std::string_view kStyle = R\"VISE(${style})VISE\";
const std::string_view kLibrary = R\"VISE(${library})VISE\";
const std::string_view kScript = R\"VISE((() => {\n'use strict';\n${script}})();\n)VISE\";

}  // namespace vise::reports::page
")
