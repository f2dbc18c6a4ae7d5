// make_sample_page FILE.html: the page of the tests, to look at.
#include <cstdio>

#include "tests/page/sample_report.h"
#include "tests/shared.h"

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: make_sample_page FILE.html\n", stderr), 2;
  const vise::test::ScratchDir run;
  vise::write_file_atomically(argv[1], vise::to_html(vise::test::sample_report(run.path())));
}
