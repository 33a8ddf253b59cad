"""What tells the networks of a model from others."""

import hashlib
from collections.abc import Mapping
from typing import Any

from torch import nn

__all__ = ["weights_digest"]


def weights_digest(networks: Mapping[str, nn.Module]) -> str:
    """16 hexadecimal digits of the settings and weights of networks by name."""
    content = hashlib.sha256()
    for name, network in sorted(networks.items()):
        settings: Any = network.config
        known = {key: value for key, value in settings.items() if not key.startswith("_")}
        content.update(f"{name} {sorted(known.items())}".encode())
        for key, tensor in sorted(network.state_dict().items()):
            content.update(key.encode())
            content.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return content.hexdigest()[:16]
