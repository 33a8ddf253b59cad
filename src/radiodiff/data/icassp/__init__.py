"""The ICASSP 2025 indoor challenge: readers, views, scores."""

from radiodiff.data.icassp.arrange import ArrangeSettings, arrange_icassp
from radiodiff.data.icassp.azimuth import AZIMUTH_CONVENTIONS, DEFAULT_CONVENTION, AzimuthConvention
from radiodiff.data.icassp.building_split import building_split
from radiodiff.data.icassp.channels import ICASSP_CHANNELS, View, decode_view, view_encoding
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.icassp.dataset import CONDITION1, CONDITION2, IcasspDataSet, crop_to_content
from radiodiff.data.icassp.decide_azimuth import AzimuthDecision, decide_azimuth_convention, decide_azimuth_in
from radiodiff.data.icassp.fake import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.free_space_loss import free_space_loss_db
from radiodiff.data.icassp.layout import BANDS_HZ, PIXEL_M, TASKS, SampleId, is_icassp, scan_icassp
from radiodiff.data.icassp.pattern_analysis import PatternReport, analyse_pattern
from radiodiff.data.icassp.pattern_table import write_pattern_table
from radiodiff.data.icassp.reader import IcasspReader, IcasspSample
from radiodiff.data.icassp.score import challenge_score_db, task_rmse_db

__all__ = [
    "AZIMUTH_CONVENTIONS",
    "BANDS_HZ",
    "CONDITION1",
    "CONDITION2",
    "DEFAULT_CONVENTION",
    "ICASSP_CHANNELS",
    "PIXEL_M",
    "TASKS",
    "ArrangeSettings",
    "AzimuthConvention",
    "AzimuthDecision",
    "FakeIcasspSettings",
    "IcasspConfig",
    "IcasspDataSet",
    "IcasspReader",
    "IcasspSample",
    "PatternReport",
    "SampleId",
    "View",
    "analyse_pattern",
    "arrange_icassp",
    "building_split",
    "challenge_score_db",
    "crop_to_content",
    "decide_azimuth_convention",
    "decide_azimuth_in",
    "decode_view",
    "free_space_loss_db",
    "is_icassp",
    "scan_icassp",
    "task_rmse_db",
    "view_encoding",
    "write_fake_icassp",
    "write_pattern_table",
]
