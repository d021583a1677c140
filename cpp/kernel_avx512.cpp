#define GRAPHEME_ISA avx512
#include "kernel.inc"

namespace grapheme {
const Kernel<double> avx512_kernel = avx512::table("avx512");
}
