# cmake -DFOLDER=reports/html -DOUT=page_parts.cc -P embed.cmake: the page's parts as constants of vise::page.
file(READ ${FOLDER}/page.css style)
file(READ ${FOLDER}/page.js script)
file(WRITE ${OUT} "// Made from the files of reports/html by embed.cmake.
#include \"reports/html/parts.h\"

namespace vise::page {

const std::string_view kStyle = R\"VISE(${style})VISE\";
const std::string_view kScript = R\"VISE(${script})VISE\";

}  // namespace vise::page
")
