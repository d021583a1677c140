// Pairs over threads.
#pragma once

#include <functional>
#include <vector>

#include "base/arena.hpp"

namespace grapheme {

// Calls `work(k, arena)` for every k below costs.size(), the dearest first, each taken by
// whichever thread is free. `costs` are estimates in multiply-adds. Which thread does what has
// no influence on the result. The first exception is thrown again here.
void in_parallel(const std::vector<double>& costs, int threads,
                 const std::function<void(Index, Arena&)>& work);

}  // namespace grapheme
