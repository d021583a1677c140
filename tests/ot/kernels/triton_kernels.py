"""Compiles every Triton kernel for a GPU that need not be there, and says how long each is.

Run as a program, without TRITON_INTERPRET: `python triton_kernels.py [REAL [SIDE]]`.
"""

import inspect
import sys
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget

from grapheme_torch.ot.kernels import _triton, _triton_pair, _triton_tiles

TARGET = GPUTarget("cuda", 90, 32)
WHOLE = {"until_ptr", "going_ptr", "iterations_ptr"}


def main(real: str = "fp64", side: int = 16) -> None:
    """Compiles; a kernel that the compiler refuses raises."""
    like = torch.zeros(1, side, side, dtype={"fp64": torch.float64, "fp32": torch.float32}[real])
    pair, tiles = _triton._tile(like), _triton_tiles._TILE
    for kernel in (_triton_pair.solve_pair, _triton_pair.adjoint_pair):
        _compile(kernel, real, pair)
    for kernel in (_triton_tiles._potential, _triton_tiles._derivative, _triton_tiles._gather):
        _compile(kernel, real, tiles)
    _compile(_triton_tiles._accept, real, {"BLOCK": 1024, **_triton_pair.FUSED})


def _compile(kernel: Any, real: str, options: dict[str, Any]) -> None:
    names = inspect.signature(kernel.fn).parameters
    fixed = {name: options[name] for name in names if name.isupper()}
    source = triton.compiler.ASTSource(
        fn=kernel, signature={name: _type(name, real) for name in names}, constexprs=fixed
    )
    rest = {name: value for name, value in options.items() if not name.isupper()}
    done = triton.compile(source, target=TARGET, options=rest)
    assert done.asm["ptx"]
    sys.stdout.write(f"{kernel.fn.__name__} {len(done.asm['cubin'])} bytes\n")


def _type(name: str, real: str) -> str:
    if not name.endswith("_ptr"):
        return "constexpr" if name.isupper() else "i32"
    return "*i64" if name in WHOLE else "*i1" if name == "implicit_ptr" else f"*{real}"


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
