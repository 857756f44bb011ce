"""Compare the three stores for all users."""

import json
import logging
import sys
import time
from collections import Counter
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser

from apps.claims.identity import normalize
from apps.core.errors import MopedError
from apps.users import reconciliation
from apps.users.adapters import cognito
from apps.users.reconciliation import Finding

logger = logging.getLogger(__name__)

# A function on Lambda may run for 900 seconds.
MAX_SECONDS = 840
# Part of the ARN of this API's functions. The Flask API's trigger can decrypt with one key only.
OWN_FUNCTIONS = ":function:moped-api-"
REPORTED = ("code", "address", "text", "remedy", "is_notice", "safe_to_repair", "repaired")


class Command(BaseCommand):
    help = "Compare the user pool, the database and the claims table; exit with 1 if they disagree."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="repair what is safe to repair")
        parser.add_argument("--json", action="store_true", help="say it in JSON")
        parser.add_argument("--only", nargs="+", default=(), metavar="ADDRESS", help="look at these people")
        parser.add_argument("--grace", type=float, default=60, help="seconds a change may be under way")
        parser.add_argument(
            "--max-seconds", type=float, default=MAX_SECONDS, help="stop then, and say that it is unfinished"
        )
        parser.add_argument(
            "--rotate-key", action="store_true", help="encrypt all claims with the newest key"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        ends_at = time.monotonic() + options["max_seconds"]
        try:
            if options["rotate_key"]:
                self._rotate_key(ends_at)
            else:
                self._reconcile(options, ends_at)
        except MopedError as error:
            raise CommandError(f"{error} ({error.__cause__!r})") from error

    def _reconcile(self, options: dict[str, Any], ends_at: float) -> None:
        only = set(map(normalize, options["only"]))
        findings = reconciliation.interrupted_changes(options["grace"])
        is_complete = True
        try:
            findings += reconciliation.disagreements(ends_at)
        except reconciliation.TimeUpError:
            is_complete = False
        if only:
            findings = [finding for finding in findings if finding.is_about(only)]
        if options["fix"]:
            _repair(findings, ends_at)
        self.stdout.write((_json if options["json"] else _text)(findings, is_complete=is_complete))
        codes = Counter(each.code for each in findings if not each.repaired and not each.is_notice)
        # CloudWatch alarms read this line. It contains no personal data.
        logger.info(
            "reconciliation_finished",
            extra={
                "findings": codes.total(),
                "codes": codes,
                "repaired": sum(finding.repaired for finding in findings),
                "everyone": is_complete and not only,
            },
        )
        if codes or not is_complete:
            sys.exit(1)

    def _rotate_key(self, ends_at: float) -> None:
        if OWN_FUNCTIONS not in cognito.pre_token_function_arn():
            raise CommandError(
                "The pool still calls another function for its tokens, which knows one key only: "
                "no user could sign in any more. Attach ours first."
            )
        try:
            rotated = reconciliation.rotate_key(ends_at)
        except reconciliation.TimeUpError as error:
            raise CommandError("The time is over. Run this again: it continues with the rest.") from error
        self.stdout.write(f"{rotated} items encrypted with the newest key.")


def _repair(findings: list[Finding], ends_at: float) -> None:
    """Repair until the time is over. The next run repairs the rest."""
    for finding in findings:
        if finding.safe_to_repair and time.monotonic() < ends_at:
            finding.repair()


def _text(findings: list[Finding], *, is_complete: bool) -> str:
    repaired = sum(finding.repaired for finding in findings)
    lines = [f"{each.text} [{each.code}; {each.outcome}: {each.remedy}]" for each in findings]
    lines.append(f"{len(findings)} disagreements, {repaired} repaired.")
    if not is_complete:
        lines.append("The time was over before everything was compared; see --max-seconds.")
    return "\n".join(lines)


def _json(findings: list[Finding], *, is_complete: bool) -> str:
    entries = [{name: getattr(finding, name) for name in REPORTED} for finding in findings]
    return json.dumps({"complete": is_complete, "disagreements": entries}, indent=2)
