"""The ICASSP 2025 indoor challenge: readers, views, scores."""

from radiodiff.data.icassp.fake import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.layout import SampleId, is_icassp, scan_icassp

__all__ = ["FakeIcasspSettings", "SampleId", "is_icassp", "scan_icassp", "write_fake_icassp"]
