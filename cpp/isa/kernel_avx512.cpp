#define GRAPHEME_ISA avx512
#include "isa/kernel.inc"

namespace grapheme {
const Kernel<double> avx512_kernel = avx512::table("avx512");
}
