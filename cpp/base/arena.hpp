// Scratch memory of one thread, reused from pair to pair.
#pragma once

#include <cstddef>
#include <vector>

namespace grapheme {

using Index = std::ptrdiff_t;

inline constexpr Index LINE = 8;  // numbers that rows are padded to: a vector or more

// Not inline, here and below: this header is also read by the files compiled for newer
// processors, and the linker keeps any one copy of an inline function.
class Arena {
 public:
  ~Arena();
  void* take(std::size_t bytes);  // uninitialised, aligned to a cache line; lives until `reset`
  void reset();               // forgets everything taken, keeps the memory

  struct Mark {
    std::size_t blocks;
    char* next;
  };
  Mark mark() const;
  void rewind(Mark);   // forgets what was taken since, unless a new block had to be made

 private:
  void grow(std::size_t bytes);
  std::vector<void*> blocks_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  std::size_t total_ = 0;
};

}  // namespace grapheme
