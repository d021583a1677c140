"""Training, and everything that needs network, loss and data together."""

from .. import _extras as _extras

with _extras.needed("grapheme_torch.train", "train"):
    from ._alignment_images import AlignmentImages as AlignmentImages
    from ._averaging import Averaging as Averaging
    from ._check_model import check_saved_model as check_saved_model
    from ._checkpoints import Checkpointing as Checkpointing
    from ._compare import Comparison as Comparison
    from ._compare import compare as compare
    from ._datamodule import HeldOut as HeldOut
    from ._datamodule import PairsDataModule as PairsDataModule
    from ._evaluate import evaluate as evaluate
    from ._evaluation_report import EvaluationReport as EvaluationReport
    from ._evaluation_report import Example as Example
    from ._explain import explain as explain
    from ._folder import load_members as load_members
    from ._folder import load_network as load_network
    from ._folder import saved_loss as saved_loss
    from ._large_pairs import check_nodes as check_nodes
    from ._loss_options import LOSS_GROUPS as LOSS_GROUPS
    from ._loss_options import LOSS_OPTIONS as LOSS_OPTIONS
    from ._loss_options import make_loss as make_loss
    from ._measure import Measured as Measured
    from ._measure import measure as measure
    from ._module import TrainingModule as TrainingModule
    from ._monitoring import Monitoring as Monitoring
    from ._numerics import Numerics as Numerics
    from ._optimization import Optimization as Optimization
    from ._predict import predict as predict
    from ._predict import predict_nbest as predict_nbest
    from ._processes import is_main as is_main
    from ._recombination import Recombination as Recombination
    from ._run import train as train
    from ._run_groups import RUN_GROUPS as RUN_GROUPS
    from ._run_report import run_record as run_record
    from ._stopping import BestNetwork as BestNetwork
    from ._stopping import Stopping as Stopping
    from ._summary import Summary as Summary
    from ._together import predict_together as predict_together
    from ._untrained import untrained_network as untrained_network
