"""Detection of faults in pairs of LR and HR clips, and identification of the degradation that made LR."""

from vsr_lab.pair_check.check import check_pair
from vsr_lab.pair_check.findings import Fault, Findings, ShotPair, find_pairs
from vsr_lab.pair_check.identification import Declared
from vsr_lab.pair_check.report import write_findings
