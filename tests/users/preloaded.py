"""What the fork server of the fault injection loads once, so that its children start quickly."""

import django

django.setup()

from apps.core.aws import clients  # noqa: E402 (Django is set up by now)
from tests.support import waiting  # noqa: E402
from tests.users import test_fault_injection  # noqa: E402

waiting.lift_product_limits()
clients.prepare()
__all__ = ["test_fault_injection"]
