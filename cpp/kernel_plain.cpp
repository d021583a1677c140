#define GRAPHEME_ISA plain
#include "kernel.inc"

namespace grapheme {
const Kernel plain_kernel{"plain", plain::solve, plain::adjoint, plain::align,
                                 plain::align_adjoint};
}
