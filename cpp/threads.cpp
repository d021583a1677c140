#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>

namespace grapheme {
namespace {

constexpr double WORTH_A_THREAD = 3e5;  // multiply-adds, about what starting one takes

using Work = std::function<void(Index, Arena&)>;

// One call. Shared with its threads, because one may start when all is done and the caller gone.
struct Job {
  const Work* work;  // lives while an item is unfinished
  std::vector<Index> order;
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  std::condition_variable done;
  std::size_t finished = 0;
  std::exception_ptr failure;

  // Takes items until none is left.
  void run(Arena& arena) {
    for (std::size_t k; (k = next.fetch_add(1)) < order.size();) {
      std::exception_ptr mine;
      try {
        arena.reset();
        (*work)(order[k], arena);
      } catch (...) {
        mine = std::current_exception();
      }
      const std::lock_guard<std::mutex> lock(guard);
      if (mine && !failure) failure = mine;
      if (++finished == order.size()) done.notify_all();
    }
  }

  // Waits for items that were taken, not for threads that came too late to take one.
  void wait() {
    std::unique_lock<std::mutex> lock(guard);
    done.wait(lock, [this] { return finished == order.size(); });
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace

void in_parallel(const std::vector<double>& costs, int threads, const Work& work) {
  const auto job = std::make_shared<Job>();
  job->work = &work;
  job->order.resize(costs.size());
  std::iota(job->order.begin(), job->order.end(), Index{0});
  std::stable_sort(job->order.begin(), job->order.end(),
                   [&](Index i, Index j) { return costs[i] > costs[j]; });
  const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
  const auto wanted =
      static_cast<std::size_t>(std::min<double>(std::max(threads, 1), 1 + total / WORTH_A_THREAD));
  const std::size_t count = std::min(wanted, std::max<std::size_t>(costs.size(), 1));

  // Threads live no longer than the call's work: nothing survives to meet a fork, and starting
  // one takes less than a small batch.
  for (std::size_t k = 1; k < count; ++k) {
    try {
      std::thread([job] {
        Arena own;
        job->run(own);
      }).detach();
    } catch (const std::system_error&) {
      break;  // no more threads to be had; those there are will do
    }
  }
  static thread_local Arena mine;
  job->run(mine);
  mine.reset();
  job->wait();
}

}  // namespace grapheme
