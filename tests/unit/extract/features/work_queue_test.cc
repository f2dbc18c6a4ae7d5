#include "extract/features/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace vise::features {
namespace {

using Queue = WorkQueue<int, std::string>;

TEST(WorkQueue, GivesBatchesOutBeforeFiles) {
  Queue queue(4, nullptr);
  queue.push(1);
  queue.push(2);
  EXPECT_EQ(std::get<int>(*queue.take()), 1);
  queue.finished({"a", "b"});
  EXPECT_EQ(std::get<std::string>(*queue.take()), "a");
  EXPECT_EQ(std::get<std::string>(*queue.take()), "b");
  EXPECT_EQ(std::get<int>(*queue.take()), 2);
}

TEST(WorkQueue, AsksForTheRestOnceWhenTheLastFileIsFinished) {
  int asked = 0;
  Queue queue(4, [&asked] {
    ++asked;
    return std::vector<std::string>{"rest of one", "rest of another"};
  });
  queue.push(1);
  queue.close();
  ASSERT_TRUE(queue.take());
  std::thread waiting([&queue] { EXPECT_EQ(std::get<std::string>(*queue.take()).substr(0, 4), "rest"); });
  EXPECT_EQ(asked, 0);  // the file may still fill a batch
  queue.finished({});
  EXPECT_EQ(std::get<std::string>(*queue.take()).substr(0, 4), "rest");
  waiting.join();
  EXPECT_FALSE(queue.take());
  EXPECT_EQ(asked, 1);
}

TEST(WorkQueue, LetsEveryoneGoWhenStopped) {
  Queue queue(1, nullptr);
  queue.push(1);
  std::atomic<bool> refused = false;
  std::thread reader([&] { refused = !queue.push(2); });
  queue.stop();
  reader.join();
  EXPECT_TRUE(refused);
  EXPECT_FALSE(queue.take());
}

// Three workers, a thousand files of which every third fills a batch: each job is done once.
TEST(WorkQueue, LosesNothingBetweenThreads) {
  std::atomic<int> files = 0, batches = 0;
  Queue queue(3, [] { return std::vector<std::string>{"rest"}; });
  std::vector<std::thread> workers;
  for (int w = 0; w < 3; ++w) {
    workers.emplace_back([&] {
      while (const auto job = queue.take()) {
        if (std::holds_alternative<std::string>(*job)) {
          ++batches;
        } else {
          ++files;
          queue.finished(std::get<int>(*job) % 3 == 0 ? std::vector<std::string>{"full"} : std::vector<std::string>{});
        }
      }
    });
  }
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(queue.push(i));
  queue.close();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(files, 1000);
  EXPECT_EQ(batches, 334 + 1);
}

}  // namespace
}  // namespace vise::features
