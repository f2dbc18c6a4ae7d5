// make_sample_page FILE.html [large]: the page of the tests, to look at; or one of 3000 rows.
#include <cstdio>
#include <cstring>

#include "tests/page/sample_report.h"
#include "tests/shared.h"

int main(int argc, char** argv) {
  const bool large = argc == 3 && std::strcmp(argv[2], "large") == 0;
  if (argc != 2 && !large) return std::fputs("usage: make_sample_page FILE.html [large]\n", stderr), 2;
  const vise::test::ScratchDir run;
  vise::write_file_atomically(
      argv[1], vise::to_html(large ? vise::test::large_report(run.path()) : vise::test::sample_report(run.path())));
}
