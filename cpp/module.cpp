// The Python module: every tensor and every setting that crosses the border has a name on both
// sides of it. The tensors are checked in C++, see `tensor.hpp` and `batch.cpp`.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>

#include "calls.hpp"
#include "network/operations.hpp"

namespace nb = nanobind;

namespace grapheme {
namespace {

constexpr const char* MODES[] = {"exact", "implicit", "unrolled", "detach"};

std::string gradient(const Settings& settings) { return MODES[static_cast<int>(settings.mode)]; }

void set_gradient(Settings& settings, const std::string& name) {
  for (int k = 0; k < 4; ++k) {
    if (name == MODES[k]) {
      settings.mode = static_cast<Mode>(k);
      return;
    }
  }
  throw std::invalid_argument("`gradient` must be exact, implicit, unrolled or detach, got " +
                              name + ".");
}

#define FIELD(Class, name) def_rw(#name, &Class::name)
// One that may be given as None.
#define TENSOR(Class, name) \
  def_rw(#name, &Class::name, nb::for_setter(nb::arg("tensor").none()))

void bind_records(nb::module_& module) {
  nb::class_<Inputs>(module, "Inputs", "The tensors of a batch, or of the derivatives in them.")
      .def(nb::init<>())
      .def(nb::init<const Inputs&>())
      .TENSOR(Inputs, num_predicted)
      .TENSOR(Inputs, num_target)
      .TENSOR(Inputs, graph)
      .TENSOR(Inputs, source)
      .TENSOR(Inputs, sink)
      .TENSOR(Inputs, target_graph)
      .TENSOR(Inputs, target_source)
      .TENSOR(Inputs, target_sink)
      .TENSOR(Inputs, target_relation)
      .TENSOR(Inputs, log_existence)
      .TENSOR(Inputs, log_absence)
      .TENSOR(Inputs, node_score)
      .TENSOR(Inputs, node_match)
      .TENSOR(Inputs, target_class)
      .TENSOR(Inputs, target_vector)
      .TENSOR(Inputs, vector_scale)
      .TENSOR(Inputs, log_relation)
      .TENSOR(Inputs, weight)
      .TENSOR(Inputs, target_weight)
      .TENSOR(Inputs, edge_gain)
      .TENSOR(Inputs, round_gain)
      .TENSOR(Inputs, target_value)
      .TENSOR(Inputs, edge_constant)
      .TENSOR(Inputs, deletion_cost)
      .TENSOR(Inputs, insertion_cost)
      .TENSOR(Inputs, position)
      .TENSOR(Inputs, target_position)
      .TENSOR(Inputs, temperature)
      .TENSOR(Inputs, first_cost);
  nb::class_<Outputs>(module, "Outputs", "What is computed of a batch.")
      .def(nb::init<>())
      .TENSOR(Outputs, terms)
      .TENSOR(Outputs, plans)
      .TENSOR(Outputs, residual)
      .TENSOR(Outputs, iterations)
      .TENSOR(Outputs, largest_residual)
      .TENSOR(Outputs, total_iterations)
      .TENSOR(Outputs, converged);
  nb::class_<Settings>(module, "Settings", "What a loss is made of, as far as the kernel reads it.")
      .def(nb::init<>())
      .FIELD(Settings, alpha)
      .FIELD(Settings, beta)
      .FIELD(Settings, gamma)
      .FIELD(Settings, position_weight)
      .FIELD(Settings, slack)
      .FIELD(Settings, node_insertion)
      .FIELD(Settings, node_deletion)
      .FIELD(Settings, edge_insertion)
      .FIELD(Settings, edge_deletion)
      .FIELD(Settings, tolerance)
      .FIELD(Settings, rounds)
      .FIELD(Settings, max_iterations)
      .FIELD(Settings, edit)
      .FIELD(Settings, proximal)
      .FIELD(Settings, directed)
      .def_prop_rw("gradient", &gradient, &set_gradient);
}

void bind_transport(nb::module_& module) {
  using namespace nb::literals;
  module.def(
      "solve",
      [](Tensor cost, Tensor temperature, Tensor row_mass, Tensor column_mass, double tolerance,
         Index max_iterations, bool newton, Tensor plan, Tensor row_potential,
         Tensor column_potential, Tensor residual, Tensor iterations, int num_threads,
         const std::string& level) {
        solve({cost, temperature, row_mass, column_mass, tolerance, max_iterations, newton, plan,
               row_potential, column_potential, residual, iterations},
              {num_threads, level});
      },
      nb::kw_only(), "cost"_a, "temperature"_a, "row_mass"_a, "column_mass"_a, "tolerance"_a,
      "max_iterations"_a, "newton"_a, "plan"_a, "row_potential"_a, "column_potential"_a,
      "residual"_a, "iterations"_a, "num_threads"_a, "level"_a);
  module.def(
      "adjoint",
      [](Tensor cost, Tensor temperature, Tensor row_mass, Tensor column_mass, Tensor plan,
         Tensor iterations, Tensor implicit, Tensor grad_plan, Tensor grad_cost,
         Tensor grad_row_mass, Tensor grad_column_mass, int num_threads, const std::string& level) {
        adjoint({cost, temperature, row_mass, column_mass, plan, iterations, implicit, grad_plan,
                 grad_cost, grad_row_mass, grad_column_mass},
                {num_threads, level});
      },
      nb::kw_only(), "cost"_a, "temperature"_a, "row_mass"_a, "column_mass"_a, "plan"_a,
      "iterations"_a, "implicit"_a, "grad_plan"_a, "grad_cost"_a, "grad_row_mass"_a,
      "grad_column_mass"_a, "num_threads"_a, "level"_a);
}

void bind_loss(nb::module_& module) {
  using namespace nb::literals;
  module.def(
      "align",
      [](const Inputs& inputs, const Settings& settings, const Outputs& outputs, int num_threads,
         const std::string& level) { align(inputs, settings, outputs, {num_threads, level}); },
      nb::kw_only(), "inputs"_a, "settings"_a, "outputs"_a, "num_threads"_a, "level"_a);
  module.def(
      "align_adjoint",
      [](const Inputs& inputs, const Settings& settings, const Outputs& outputs, Tensor grad_total,
         Tensor grad_node, Tensor grad_edge, Tensor grad_clique, Tensor grad_plan,
         const Inputs& gradients, int num_threads, const std::string& level) {
        align_adjoint(inputs, settings, outputs,
                      {grad_total, grad_node, grad_edge, grad_clique, grad_plan}, gradients,
                      {num_threads, level});
      },
      nb::kw_only(), "inputs"_a, "settings"_a, "outputs"_a, "grad_total"_a.none(),
      "grad_node"_a.none(), "grad_edge"_a.none(), "grad_clique"_a.none(), "grad_plan"_a.none(),
      "gradients"_a, "num_threads"_a, "level"_a);
  module.def("lay_out", &lay_out, nb::kw_only(), "batch"_a, "edge_index"_a, "directed"_a,
             "count"_a, "place"_a, "graph"_a, "source"_a, "sink"_a);
  module.def("within", [](Tensor values, std::int64_t low, std::int64_t end) {
    return within(values, low, end);
  }, nb::kw_only(), "values"_a, "low"_a, "end"_a);
  module.def("downward", &downward, nb::kw_only(), "edge_index"_a);
}

// The operations of the network: a record of named tensors each, as the loss has.
void bind_network(nb::module_& module) {
  using namespace nb::literals;
  nb::class_<AttendCall>(module, "Attend", "Attention within each graph.")
      .def(nb::init<>())
      .TENSOR(AttendCall, query_key_value)
      .TENSOR(AttendCall, cosine)
      .TENSOR(AttendCall, sine)
      .TENSOR(AttendCall, batch)
      .TENSOR(AttendCall, mixed)
      .TENSOR(AttendCall, grad_mixed)
      .TENSOR(AttendCall, grad_query_key_value);
  nb::class_<HearCall>(module, "Hear", "Messages along edges, both ways.")
      .def(nb::init<>())
      .TENSOR(HearCall, said)
      .TENSOR(HearCall, gate)
      .TENSOR(HearCall, edge_index)
      .TENSOR(HearCall, kind)
      .TENSOR(HearCall, heard)
      .TENSOR(HearCall, grad_heard)
      .TENSOR(HearCall, grad_said)
      .TENSOR(HearCall, grad_gate);
  nb::class_<PairScoresCall>(module, "ScorePairs", "Logits of the relations of candidate edges.")
      .def(nb::init<>())
      .TENSOR(PairScoresCall, node_vectors)
      .TENSOR(PairScoresCall, offset)
      .TENSOR(PairScoresCall, mix)
      .TENSOR(PairScoresCall, read)
      .TENSOR(PairScoresCall, edge_index)
      .TENSOR(PairScoresCall, step)
      .TENSOR(PairScoresCall, batch)
      .TENSOR(PairScoresCall, logits)
      .TENSOR(PairScoresCall, grad_logits)
      .TENSOR(PairScoresCall, grad_node_vectors)
      .TENSOR(PairScoresCall, grad_offset)
      .TENSOR(PairScoresCall, grad_mix)
      .TENSOR(PairScoresCall, grad_read);
  nb::class_<DropCall>(module, "Drop", "What a layer adds, some of it left out.")
      .def(nb::init<>())
      .TENSOR(DropCall, before)
      .TENSOR(DropCall, after)
      .FIELD(DropCall, seed)
      .FIELD(DropCall, threshold)
      .TENSOR(DropCall, result)
      .TENSOR(DropCall, grad_result)
      .TENSOR(DropCall, grad_before)
      .TENSOR(DropCall, grad_after);
#define OPERATION(Call, name)                                                            \
  module.def(#name, [](const Call& call, int num_threads, const std::string& level) {    \
    name(call, {num_threads, level});                                                    \
  }, nb::kw_only(), "call"_a, "num_threads"_a, "level"_a)
  OPERATION(AttendCall, attend);
  OPERATION(AttendCall, attend_adjoint);
  OPERATION(HearCall, hear);
  OPERATION(HearCall, hear_adjoint);
  OPERATION(PairScoresCall, score_pairs);
  OPERATION(PairScoresCall, score_pairs_adjoint);
  OPERATION(DropCall, drop);
  OPERATION(DropCall, drop_adjoint);
  module.attr("GROUPS") = GROUPS;
}

}  // namespace

NB_MODULE(_native, module) {
  module.doc() =
      "Transport plans, the whole loss and their derivatives, one pair at a time in cache; see "
      "docs/design/0004-native-kernel.md.";
  // A result that is alive when Python ends holds a record, and is no leak.
  nb::set_leak_warnings(false);
  module.def("levels", &levels, "The instruction sets this machine can run, the fastest last.");
  bind_records(module);
  bind_transport(module);
  bind_loss(module);
  bind_network(module);
}

}  // namespace grapheme
