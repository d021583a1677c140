// What Python may call, on tensors that have a name each; results are written in place. Every one
// checks its tensors while it holds Python's lock and computes without.
#pragma once

#include <string>

#include "batch.hpp"
#include "isa/kernel.hpp"

namespace grapheme {

// B pairs of N x M places; potentials are one number a place.
struct SolveCall {
  Tensor cost, temperature, row_mass, column_mass;  // [B, N, M], [B], [B, N], [B, M]
  double tolerance;
  Index max_iterations;
  bool newton;
  Tensor plan, row_potential, column_potential, residual, iterations;
};
void solve(const SolveCall& call, const Machine& machine);

struct AdjointCall {
  Tensor cost, temperature, row_mass, column_mass, plan, iterations, implicit, grad_plan;
  Tensor grad_cost, grad_row_mass, grad_column_mass;
};
void adjoint(const AdjointCall& call, const Machine& machine);

// The whole loss of a batch, in the precision of its temperature.
void align(const Inputs& inputs, const Settings& settings, const Outputs& outputs,
           const Machine& machine);

// Its derivative, added to `gradients`.
void align_adjoint(const Inputs& inputs, const Settings& settings, const Outputs& outputs,
                   const Cotangents& from, const Inputs& gradients, const Machine& machine);

// Writes the nodes of each graph `count` [B], the place of each node in it, and of each edge the
// graph and, as places, the ends. `batch` [n], `edge_index` [2, e]. Gives the nodes of the largest
// graph, or -1 if something is wrong with the batch, see `Fault`.
Index lay_out(const Tensor& batch, const Tensor& edge_index, bool directed, const Tensor& count,
              const Tensor& place, const Tensor& graph, const Tensor& source, const Tensor& sink);

// Whether all numbers of a tensor with one axis are in [low, end).
bool within(const Tensor& values, std::int64_t low, std::int64_t end);

// Whether an edge leads to a node of lower number.
bool downward(const Tensor& edge_index);

}  // namespace grapheme
