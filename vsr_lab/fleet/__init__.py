"""Many independent tasks over processes or a cluster, and the record of what is done."""

from vsr_lab.fleet.executors import Executor, Local, Outcome, Ray
from vsr_lab.fleet.ledger import Ledger
