#define GRAPHEME_ISA avx2_single
#define GRAPHEME_SINGLE
#include "isa/kernel.inc"

namespace grapheme {
const Kernel<float> avx2_single_kernel = avx2_single::table("avx2");
}
