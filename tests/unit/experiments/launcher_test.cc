// What is said to Slurm and understood of it. Whether Slurm agrees is tested on Slurm itself (tests/slurm).
#include "base/error.h"
#include "base/process.h"
#include "experiments/launcher/job_scripts.h"
#include "experiments/launcher/run_status.h"
#include "experiments/launcher/slurm.h"
#include "tests/shared.h"

namespace vise::experiments {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(SlurmOptions, ACommaWithoutAnEqualsSignBelongsToTheValueBefore) {
  const SlurmOptions options = parse_slurm_options({"partition=long,exclude=n1,n2,time=1-00:00:00", "exclusive="});
  const SlurmOptions expected{{"partition", "long"}, {"exclude", "n1,n2"}, {"time", "1-00:00:00"}, {"exclusive", ""}};
  EXPECT_EQ(options, expected);
  EXPECT_EQ(sbatch_line("exclude", "n1,n2"), "#SBATCH --exclude=n1,n2\n");
  EXPECT_EQ(sbatch_line("exclusive", ""), "#SBATCH --exclusive\n");
  EXPECT_EQ(sbatch_line("comment", "two words"), "#SBATCH --comment=\"two words\"\n");
}

TEST(SlurmOptions, WhatIsNoOptionOrOursIsRefused) {
  for (const char* text : {"partition", "--partition=x", "=x", "Partition=x", "array=1-9", "output=x", "dependency=1",
                           "job-name=x", "comment=a\nb", "comment=a\"b"})
    EXPECT_THROW(parse_slurm_options({text}), Error) << text;
}

// Lines of squeue 22.05, with the format that we ask for.
TEST(Slurm, ReadsWhatSqueuePrints) {
  const std::vector<SlurmJob> jobs = parse_squeue(
      "1|3|4|vise-extract-ab|PENDING|Resources|N/A\n"
      "1|1|2|vise-extract-ab|RUNNING|None|2026-11-25T22:57:39\n"
      "5|N/A|5|vise-finish-ab|PENDING|DependencyNeverSatisfied|N/A\n"
      "1|2|3|vise-extract-ab|CANCELLED|None|2026-11-25T22:57:39\n"
      "slurm_load_jobs error: Unable to contact slurm controller\n");
  ASSERT_EQ(jobs.size(), 4u);
  EXPECT_EQ(jobs[0].id, "1_3");
  EXPECT_EQ(jobs[0].task, 3u);
  EXPECT_TRUE(jobs[0].is_live());
  EXPECT_FALSE(jobs[0].is_running());
  EXPECT_TRUE(jobs[1].is_running());
  EXPECT_GT(jobs[1].start, 0);
  EXPECT_EQ(jobs[2].id, "5");
  EXPECT_EQ(jobs[2].task, 0u);
  EXPECT_TRUE(jobs[2].can_never_start());
  EXPECT_FALSE(jobs[3].is_live());
}

// As sacct --parsable2 prints them (Slurm's manual).
TEST(Slurm, ReadsWhatSacctPrints) {
  const std::vector<SlurmJob> jobs = parse_sacct(
      "12_3|vise-extract-ab|CANCELLED by 1000|0:0|2026-11-25T22:57:39\n"
      "13|vise-finish-ab|COMPLETED|0:0|2026-11-25T22:58:39\n");
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].task, 3u);
  EXPECT_EQ(jobs[0].state, "CANCELLED");
  EXPECT_FALSE(jobs[0].is_live());
  EXPECT_EQ(jobs[1].task, 0u);
}

TEST(Process, GivesBothStreamsAndTheExitCode) {
  const Ended ended = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.out, "out\n");
  EXPECT_EQ(ended.err, "err\n");
  EXPECT_EQ(run_process({"sh", "-c", "kill -9 $$"}).code, 128 + 9);
  const Ended long_one = run_process({"sh", "-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"});
  EXPECT_EQ(long_one.out.size(), 300'000u);
  EXPECT_EQ(long_one.err.size(), 300'000u);
  try {
    run_process({"no-such-program-here"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
  }
}

LaunchRequest request_in(const Path& folder) {
  LaunchRequest request;
  request.run.out = folder / "it's 100%";
  request.run.extract.cache = folder / "cache";
  request.shards = 3;
  request.program = "/usr/bin/vise-eval";
  request.slurm = {{"signal", "USR1@60"}, {"partition", "long"}};
  return request;
}

TEST(JobScripts, AreShellThatBashReads) {
  const test::ScratchDir scratch;
  const LaunchRequest request = request_in(scratch.path());
  const JobFolder folder(request.run.out);
  for (const std::string& script :
       {extract_script(request, folder), finish_script(request, folder, true), finish_script(request, folder, false)}) {
    write_file_atomically(scratch / "script.sh", script);
    const Ended ended = run_process({"bash", "-n", (scratch / "script.sh").string()});
    EXPECT_EQ(ended.code, 0) << ended.err << script;
    EXPECT_TRUE(has(script, "#SBATCH --signal=B:USR1@60\n")) << "the script hands signals on";
    EXPECT_TRUE(has(script, "#SBATCH --partition=long\n"));
    EXPECT_TRUE(has(script, "100%%/jobs/logs/")) << "% begins a pattern of sbatch's";
  }
  EXPECT_TRUE(has(extract_script(request, folder), "#SBATCH --array=1-3\n"));
  EXPECT_FALSE(has(finish_script(request, folder, false), "cache merge"));
}

// What the scripts do with a signal, without Slurm: the program stops, its exit code is the script's.
TEST(JobScripts, HandSignalsOnAndKeepTheExitCode) {
  const test::ScratchDir scratch;
  LaunchRequest request = request_in(scratch.path());
  request.run.out = scratch / "out";
  request.program = (scratch / "program").string();
  write_file_atomically(request.program, std::string_view("#!/bin/bash\ntrap 'exit 130' TERM\n: > \"$0.started\"\n"
                                                          "while :; do sleep 0.05; done\n"));
  std::filesystem::permissions(request.program, std::filesystem::perms::owner_all);
  const JobFolder folder(request.run.out);
  write_file_atomically(scratch / "extract.sh", extract_script(request, folder));
  const Ended ended =
      run_process({"sh", "-c",
                   "SLURM_ARRAY_TASK_ID=2 bash \"$1\" & job=$!; until [ -e \"$2.started\" ]; do sleep 0.05; done; "
                   "kill -TERM $job; wait $job",
                   "sh", (scratch / "extract.sh").string(), request.program});
  EXPECT_EQ(ended.code, 130) << ended.out << ended.err;
}

TEST(LaunchRecord, ComesBackAsItWasWritten) {
  const test::ScratchDir scratch;
  const JobFolder folder(scratch.path());
  EXPECT_FALSE(read_launch_record(folder).has_value());
  write_launch_record(folder, {4, "plan", {{"12", {1, 2, 3, 4}, 1764111459}, {"13", {}, 1764111460}}});
  const LaunchRecord record = *read_launch_record(folder);
  EXPECT_EQ(record.shards, 4u);
  EXPECT_EQ(record.plan, "plan");
  ASSERT_EQ(record.submissions.size(), 2u);
  EXPECT_EQ(record.submissions[0].shards.size(), 4u);
  EXPECT_EQ(record.submissions[1].at, 1764111460);
  write_file_atomically(folder.launch_record(), std::string_view("{\"schema\": \"vise-eval/launch\"}"));
  EXPECT_THROW(read_launch_record(folder), Error);
}

TEST(RunStatus, OfAFolderWithoutJobsIsAnErrorThatSaysSo) {
  const test::ScratchDir scratch;
  try {
    run_status(scratch.path());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
  }
}

}  // namespace
}  // namespace vise::experiments
