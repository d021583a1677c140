#define GRAPHEME_ISA avx512_single
#define GRAPHEME_SINGLE
#include "isa/kernel.inc"

namespace grapheme {
const Kernel<float> avx512_single_kernel = avx512_single::table("avx512");
}
