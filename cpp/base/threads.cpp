#include "base/threads.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#include <pthread.h>
#endif

namespace grapheme {
namespace {

constexpr double WORTH_A_THREAD = 3e5;  // multiply-adds, about what starting one takes

using Work = std::function<void(Index, Arena&)>;
// Calls a function with its data on so many threads, and returns when all have.
using Team = void (*)(void (*function)(void*), void* data, unsigned threads, unsigned flags);

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

  // With memory that this thread keeps.
  void take_part() {
    static thread_local Arena mine;
    run(mine);
    mine.reset();
  }

  // Waits for items that were taken, not for threads that came too late to take one.
  void wait() {
    std::unique_lock<std::mutex> lock(guard);
    done.wait(lock, [this] { return finished == order.size(); });
    if (failure) std::rethrow_exception(failure);
  }
};

// Starts threads that live no longer than the call's work: nothing survives to meet a fork.
void start(const std::shared_ptr<Job>& job, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k) {
    try {
      std::thread([job] {
        Arena own;
        job->run(own);
      }).detach();
    } catch (const std::system_error&) {
      return;  // no more threads to be had; those there are will do
    }
  }
}

#if defined(__unix__) || defined(__APPLE__)
// In a forked process the team is gone, and its runtime would wait for it for ever.
std::atomic<bool> forked{false};
[[maybe_unused]] const int watched = pthread_atfork(nullptr, nullptr, [] { forked = true; });

// PyTorch's own threads, where its OpenMP has GNU's entry, else null. They wait busily after every
// operation of PyTorch: a thread started beside them stands in line behind them for a millisecond.
Team team() {
  static const auto found = reinterpret_cast<Team>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return forked ? nullptr : found;
}
#else
Team team() { return nullptr; }
#endif

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

  const Team together = count > 1 ? team() : nullptr;
  if (together) {
    together([](void* data) { static_cast<Job*>(data)->take_part(); }, job.get(),
             static_cast<unsigned>(threads), 0);  // as PyTorch asks for, or it makes a team anew
  } else {
    start(job, count - 1);
    job->take_part();
  }
  job->wait();
}

}  // namespace grapheme
