#define GRAPHEME_ISA plain
#include "isa/kernel.inc"

namespace grapheme {
const Kernel<double> plain_kernel = plain::table("plain");
}
