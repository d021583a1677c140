#define GRAPHEME_ISA avx2
#include "isa/kernel.inc"

namespace grapheme {
const Kernel<double> avx2_kernel = avx2::table("avx2");
}
