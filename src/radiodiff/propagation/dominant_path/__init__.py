"""The dominant path model and the constants that make it draw like WinProp."""

from radiodiff.propagation.dominant_path.law import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.propagation.dominant_path.model import DominantPath

__all__ = ["RADIOMAPSEER_LAW", "DominantPath", "DominantPathLaw"]
