#include "base/arena.hpp"

#include <algorithm>
#include <new>

namespace grapheme {
namespace {

constexpr std::size_t ALIGNMENT = 64;
constexpr std::size_t FIRST = 1 << 18;
constexpr std::size_t KEPT = 16u << 20;  // by each thread; more is given back after a pair

void release(std::vector<void*>& blocks) {
  for (void* block : blocks) ::operator delete(block, std::align_val_t{ALIGNMENT});
  blocks.clear();
}

}  // namespace

Arena::~Arena() { release(blocks_); }

void* Arena::take(std::size_t wanted) {
  const std::size_t bytes = (wanted + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  if (static_cast<std::size_t>(end_ - next_) < bytes) grow(bytes);
  char* here = next_;
  next_ += bytes;
  return here;
}

void Arena::grow(std::size_t bytes) {
  const std::size_t size = std::max({bytes, total_, FIRST});
  blocks_.reserve(blocks_.size() + 1);
  next_ = static_cast<char*>(::operator new(size, std::align_val_t{ALIGNMENT}));
  blocks_.push_back(next_);
  end_ = next_ + size;
  total_ += size;
}

void Arena::reset() {
  if (blocks_.empty()) return;
  const std::size_t size = total_;
  if (blocks_.size() > 1 || size > KEPT) {  // the next pair finds all it needs in one block
    release(blocks_);
    next_ = end_ = nullptr;
    total_ = 0;
    if (size <= KEPT) grow(size);
  }
  if (!blocks_.empty()) next_ = static_cast<char*>(blocks_.front());
}

Arena::Mark Arena::mark() const { return {blocks_.size(), next_}; }

void Arena::rewind(Mark mark) {
  if (mark.blocks == blocks_.size()) next_ = mark.next;
}

}  // namespace grapheme
