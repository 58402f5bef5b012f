"""Gates: tests that a candidate must pass before it may be deployed.

`sanity` has gates without learned weights, `scores` those on metrics, `network` and `cost` those that run the network.
"""

from vsr_lab.evaluation.gates.base import Gate, measure_hint, verdict
from vsr_lab.evaluation.gates.scores import Above, Floor, NotWorse
