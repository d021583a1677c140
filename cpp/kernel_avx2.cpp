#define GRAPHEME_ISA avx2
#include "kernel.inc"

namespace grapheme {
const Kernel avx2_kernel{"avx2", avx2::solve, avx2::adjoint, avx2::align,
                                avx2::align_adjoint};
}
