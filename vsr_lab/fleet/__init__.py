"""Running of many independent tasks in processes or on a cluster, and a record of the finished tasks."""

from vsr_lab.fleet.executors import Executor, Local, Outcome, Ray
from vsr_lab.fleet.ledger import Ledger, stamp
