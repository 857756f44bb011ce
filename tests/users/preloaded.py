"""What the fork server of the fault injection loads once, so that its children start quickly."""

import django

django.setup()

from apps.core.aws import clients  # noqa: E402 (Django is set up by now)
from tests.support import waiting  # noqa: E402
from tests.users import test_fault_injection  # noqa: E402

# As in the tests: a busy machine must not look like an outage.
for module, name in waiting.PRODUCT_LIMITS:
    setattr(module, name, waiting.LIMIT_SECONDS)
clients.prepare()
__all__ = ["test_fault_injection"]
