// make_sample_page FILE.html [study|large]: the page of the tests, to look at; that of a study; one of 3000 rows.
#include <cstdio>
#include <string_view>

#include "tests/page/sample_report.h"
#include "tests/shared.h"

int main(int argc, char** argv) {
  const std::string_view kind = argc == 3 ? argv[2] : "";
  if (argc < 2 || argc > 3 || (argc == 3 && kind != "large" && kind != "study"))
    return std::fputs("usage: make_sample_page FILE.html [study|large]\n", stderr), 2;
  const vise::test::ScratchDir run;
  const vise::reports::Report report = kind == "large"   ? vise::test::large_report(run.path())
                                       : kind == "study" ? vise::test::study_report(run.path())
                                                         : vise::test::sample_report(run.path());
  vise::write_file_atomically(argv[1], vise::reports::to_html(report));
}
