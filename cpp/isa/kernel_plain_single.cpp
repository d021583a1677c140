#define GRAPHEME_ISA plain_single
#define GRAPHEME_SINGLE
#include "isa/kernel.inc"

namespace grapheme {
const Kernel<float> plain_single_kernel = plain_single::table("plain");
}
