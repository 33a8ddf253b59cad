"""The components of all models under one name, which `model_index.json` of a saved model gives for them.

diffusers looks for a component's class, and for the class that it derives from, in the module that the file names.
"""

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_utils import SchedulerMixin

from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.models.radio_unet import RadioUnet
from radiodiff.models.unet import ConditionalUnet

__all__ = ["AutoencoderKL", "ConditionalUnet", "DecoupledScheduler", "ModelMixin", "RadioUnet", "SchedulerMixin"]
