#define GRAPHEME_ISA avx512
#include "kernel.inc"

namespace grapheme {
const Kernel avx512_kernel{"avx512", avx512::solve, avx512::adjoint, avx512::align,
                                  avx512::align_adjoint};
}
