"""What the ray tracer is asked to do."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from radiodiff.errors import PropagationError
from radiodiff.propagation.constants import check_constant
from radiodiff.propagation.dominant_path import RADIOMAPSEER_LAW, DominantPathLaw
from radiodiff.propagation.materials import material

__all__ = ["Completion", "Device", "RayTracingSettings"]

Completion = Literal["none", "where-no-path", "strongest", "power-sum"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class RayTracingSettings:
    """Effects, materials, rays and noise.

    Rays are traced in rounds of `num_batches` batches. Each batch gives an estimate of the whole map; from their spread
    follows the standard error of the mean, and rounds with more rays are added until the median standard error of the
    cells above the floor is at most `noise_target_db`, or the budget is spent.

    Attributes:
        max_depth: Most interactions of a path; 0 is the line of sight alone.
        line_of_sight: Trace the straight path.
        specular_reflection: Trace reflections.
        diffraction: Add paths that bend once around an edge (without reflections before or after).
        diffraction_in_sight: Add them also where the edge does not hide the transmitter. Beside the straight path they
            are weak, and cost half of the rays.
        diffuse_reflection: Trace scattering by rough walls.
        refraction: Trace paths through walls.
        num_rays: Rays of one batch of the first round.
        num_batches: Batches of a round, at least 2.
        max_rays: Budget of one transmitter [rays].
        max_seconds: Budget of one transmitter in wall time [s], or None. What fits depends on the machine, so maps do
            too.
        noise_target_db: Largest median standard error of a cell above the floor [dB].
        floor_db: Path loss of the floor [dB]; the default is RadioMapSeer's (-127.2 dB of gain).
        has_horizon_sampling: Send most rays to where the street is, weighted so that the map does not change.
        tx_per_solve: Transmitters traced together. What is drawn for one (diffraction, scattering) then depends on its
            company; with 1, a map does not.
        rx_height_m: Height of the receivers [m].
        min_height_gap_m: A transmitter nearer than this to the receivers' height is raised to this far above them
            [m]: in their own plane it would have no line of sight at all.
        default_height_m: Height of buildings whose height is not known [m], or None to refuse them.
        car_height_m: Height of cars, boxes of metal [m]. Just below receivers at 1.5 m: a roof in their own plane would
            hide them or not by rounding.
        building_material: Name of a material of `radiodiff.propagation.materials`.
        ground_material: The same, or None for a world without ground.
        wall_thickness_m: Thickness of walls, for what passes them [m].
        scattering_coefficient: Share of the reflected amplitude that is scattered, in (0, 1]; for diffuse reflection.
        distance_exponent: Path loss exponent; 2 is what is traced, more adds `10 (n - 2) log10` of the straight
            distance in metres, as planning tools do.
        completion: What the dominant path model adds: nothing, its value where no path was found, whichever is
            stronger, or its power.
        completion_law: Constants of that model.
        device: The GPU where there is one (auto), or as said.
        num_threads: Threads. With 1 the same arguments give the same bits on one machine; more add up in any order.

    Raises:
        PropagationError: A number is outside its range, or a name is not known.
    """

    max_depth: int = 5
    line_of_sight: bool = True
    specular_reflection: bool = True
    diffraction: bool = True
    diffraction_in_sight: bool = False
    diffuse_reflection: bool = False
    refraction: bool = False
    num_rays: int = 125_000
    num_batches: int = 4
    max_rays: int = 20_000_000
    max_seconds: float | None = None
    noise_target_db: float = 1.0
    floor_db: float = 127.2
    has_horizon_sampling: bool = True
    tx_per_solve: int = 1
    rx_height_m: float = 1.5
    min_height_gap_m: float = 1.0
    default_height_m: float | None = 25.0
    car_height_m: float = 1.4
    building_material: str = "concrete"
    ground_material: str | None = "medium_dry_ground"
    wall_thickness_m: float = 0.3
    scattering_coefficient: float = 0.3
    distance_exponent: float = 2.0
    completion: Completion = "none"
    completion_law: DominantPathLaw = field(default_factory=lambda: RADIOMAPSEER_LAW)
    device: Device = "auto"
    num_threads: int = 1

    def __post_init__(self) -> None:
        for name, lowest in (
            ("max_depth", 0),
            ("num_rays", 1000),
            ("num_batches", 2),
            ("max_rays", self.num_rays * self.num_batches),
            ("tx_per_solve", 1),
            ("num_threads", 1),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not (isinstance(value, int) and value >= lowest):
                raise PropagationError(
                    f"RayTracingSettings.{name} must be a whole number of at least {lowest}",
                    value=repr(value),
                    remedy="max_rays holds at least num_batches batches of num_rays; start from the defaults.",
                )
        for name in (
            "noise_target_db",
            "floor_db",
            "rx_height_m",
            "min_height_gap_m",
            "wall_thickness_m",
            "distance_exponent",
            "default_height_m",
            "car_height_m",
            "max_seconds",
        ):
            if not (name in ("default_height_m", "max_seconds") and getattr(self, name) is None):
                check_constant(self, name, "Start from the defaults.")
        if not 0.0 < self.scattering_coefficient <= 1.0:
            raise PropagationError(
                "RayTracingSettings.scattering_coefficient must lie in (0, 1]",
                value=self.scattering_coefficient,
                remedy="Use diffuse_reflection=False for walls that do not scatter.",
            )
        for name, known in (("completion", get_args(Completion)), ("device", get_args(Device))):
            if getattr(self, name) not in known:
                raise PropagationError(
                    f"RayTracingSettings.{name} must be one of {', '.join(known)}",
                    value=repr(getattr(self, name)),
                    remedy="Choose one of these.",
                )
        material(self.building_material)
        if self.ground_material is not None:
            material(self.ground_material)

    @property
    def materials(self) -> tuple[str, ...]:
        """Names of the materials that count."""
        return tuple(name for name in (self.building_material, self.ground_material) if name is not None)
