#define GRAPHEME_ISA plain
#include "kernel.inc"

namespace grapheme {
const Kernel<double> plain_kernel = plain::table("plain");
}
