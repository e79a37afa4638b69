"""All behaviours that are compared, each a small program; by topic."""

from tests.engine.programs.destroys import DESTROYS
from tests.engine.programs.failures import FAILURES
from tests.engine.programs.found import FOUND
from tests.engine.programs.names import NAMES
from tests.engine.programs.options import OPTIONS
from tests.engine.programs.providers import PROVIDERS
from tests.engine.programs.refusals import REFUSALS
from tests.engine.programs.stacks import STACKS
from tests.engine.programs.targets import TARGETS
from tests.engine.programs.values import VALUES
from tests.engine.scenarios import SCENARIOS

PROGRAMS = [
    *SCENARIOS,
    *OPTIONS,
    *PROVIDERS,
    *VALUES,
    *NAMES,
    *TARGETS,
    *FAILURES,
    *DESTROYS,
    *STACKS,
    *FOUND,
    *REFUSALS,
]
