"""A network made again from its folder."""

from pathlib import Path
from typing import Any

import torch

from .._check import InputError
from ._network_options import grouped
from ._pretrained import WEIGHTS, load_config, read_header, read_weights, unlike
from ._saved_config import check_tensors


def restored(kind: Any, folder: Path) -> Any:
    """The network of a class that `save_model` wrote, in the precision of the file.

    Raises:
        InputError: If description and weights are not of one network, or a file is none.
    """
    config, path = load_config(folder), folder / WEIGHTS
    try:
        with torch.device("meta"):  # its shapes, without memory
            shapes = kind(**grouped(config)).state_dict()
        header = read_header(path, shapes)
        check_tensors(shapes, header)
        weights = read_weights(path)
        model = kind(**grouped(config))
        # Copied, for the file's own memory is not aligned and sums over it would round in
        # another order.
        aligned = {name: tensor.clone() for name, tensor in weights.items()}
        model.load_state_dict(aligned, assign=True)
    except InputError as error:
        if str(error).startswith(str(path)):  # of the file itself, which it names
            raise
        raise unlike(folder, error) from None
    except (TypeError, ValueError, RuntimeError, KeyError) as error:
        raise unlike(folder, error) from None
    return model
