"""Operations: accepted once, journalled, run by the same three steps, resumed wherever they stood.

`states` has the states as data; `types` what a role contributes; `service` what the rooms above call; `runner` the
three steps; `journal` and `ledger` the rows; `execution`, `liveness` and `dispatching` how a worker comes by its work
and another takes over.
"""

from fairlead.operations.cancelling import Cancels
from fairlead.operations.decided import before_rows
from fairlead.operations.dispatching import Dispatcher
from fairlead.operations.execution import DbosExecution, Execution
from fairlead.operations.ledger import count_in_vim, read_records
from fairlead.operations.liveness import Liveness
from fairlead.operations.nesting import Children
from fairlead.operations.occurrence import Operation
from fairlead.operations.runner import Runner
from fairlead.operations.service import Operations, Preview
from fairlead.operations.states import ENDED, OPEN, RUNNING, OperationState
from fairlead.operations.sweeping import Sweeper
from fairlead.operations.types import Desired, OperationType, Repairs, Role, Sealer, Situation

__all__ = [
    "ENDED",
    "OPEN",
    "RUNNING",
    "Cancels",
    "Children",
    "DbosExecution",
    "Desired",
    "Dispatcher",
    "Execution",
    "Liveness",
    "Operation",
    "OperationState",
    "OperationType",
    "Operations",
    "Preview",
    "Repairs",
    "Role",
    "Runner",
    "Sealer",
    "Situation",
    "Sweeper",
    "before_rows",
    "count_in_vim",
    "read_records",
]
