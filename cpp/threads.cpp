#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

namespace grapheme {
namespace {

constexpr double WORTH_A_THREAD = 3e5;  // multiply-adds, about what starting one takes

}  // namespace

void in_parallel(const std::vector<double>& costs, int threads,
                 const std::function<void(Index, Arena&)>& work) {
  std::vector<Index> order(costs.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index i, Index j) {
    return costs[i] > costs[j] || (costs[i] == costs[j] && i < j);
  });
  const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
  const auto wanted =
      static_cast<std::size_t>(std::min<double>(std::max(threads, 1), 1 + total / WORTH_A_THREAD));
  const std::size_t count = std::min(wanted, std::max<std::size_t>(costs.size(), 1));

  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  auto run = [&](Arena& arena) {
    try {
      for (std::size_t k; (k = next.fetch_add(1)) < order.size();) {
        arena.reset();
        work(order[k], arena);
      }
    } catch (...) {
      next = order.size();
      const std::lock_guard<std::mutex> lock(guard);
      if (!failure) failure = std::current_exception();
    }
    arena.reset();
  };

  // Threads live as long as the call: nothing survives to meet a fork, and starting one takes
  // less than a small batch.
  std::vector<std::thread> others;
  others.reserve(count - 1);
  for (std::size_t k = 1; k < count; ++k) {
    others.emplace_back([&run] {
      Arena own;
      run(own);
    });
  }
  static thread_local Arena mine;
  run(mine);
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace grapheme
