"""Compare the three stores for all users."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.core.management import BaseCommand, CommandError

from apps.claims.identity import normalize
from apps.core.errors import MopedError
from apps.users.adapters import cognito
from apps.users.reconciliation import scan

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from apps.users.reconciliation.findings import Finding

logger = logging.getLogger(__name__)

# A function on Lambda may run for 900 seconds.
MAX_SECONDS = 840
TIME_UP = "The time was over before everything was compared; see --max-seconds."
# The names of our functions. The Flask API's hook, which knows one key, has another name.
OWN_FUNCTIONS = ":function:moped-api-"


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
        self._ends_at = time.monotonic() + options["max_seconds"]
        try:
            if options["rotate_key"]:
                self._rotate_key()
            else:
                self._reconcile(options)
        except MopedError as error:
            raise CommandError(f"{error} ({error.__cause__!r})") from error

    def _reconcile(self, options: dict[str, Any]) -> None:
        fix, as_json = options["fix"], options["json"]
        say = self._nothing if as_json else self.stdout.write
        only = tuple(map(normalize, options["only"]))
        findings, complete = self._compare(only, options["grace"])
        for disagreement in findings:
            say(_sentence(disagreement, will=fix))
        repairs = self._repair(findings, say) if fix else {}
        remaining = [
            finding
            for number, finding in enumerate(findings)
            if number not in repairs and not finding.is_notice
        ]
        _log(remaining, len(repairs), is_complete_run=complete and not only)
        if as_json:
            self._as_json(findings, repairs, complete=complete)
        else:
            say(f"{len(findings)} disagreements, {len(repairs)} repaired.")
            if not complete:
                say(TIME_UP)
        if remaining or not complete:
            sys.exit(1)

    def _compare(self, only: tuple[str, ...], grace: float) -> tuple[list[Finding], bool]:
        """Return what was found, and whether everything was compared."""
        findings: list[Finding] = []
        try:
            for finding in scan.Scan(only, grace, self._ends_at).disagreements():
                findings.append(finding)  # noqa: PERF402 (findings before the time was over are kept)
        except scan.TimeUpError:
            return findings, False
        return findings, True

    def _repair(self, findings: list[Finding], say: Any) -> dict[int, list[str]]:
        """Repair until the time is over; the next run finds the rest, and goes on with it."""
        repairs: dict[int, list[str]] = {}
        for number, disagreement in enumerate(findings):
            if disagreement.repair is None or time.monotonic() >= self._ends_at:
                continue
            try:
                repairs[number] = disagreement.repair()
            except MopedError as error:
                say(f"{disagreement.address}: not repaired: {error}")
                continue
            for sentence in repairs[number]:
                say(f"{disagreement.address}: {sentence}")
        return repairs

    def _rotate_key(self) -> None:
        if OWN_FUNCTIONS not in cognito.pre_token_function_arn():
            raise CommandError(
                "The pool still calls another function for its tokens, which knows one key only: "
                "nobody could sign in any more. Attach ours first."
            )
        try:
            rotated = scan.rotate_key(self._ends_at)
        except scan.TimeUpError as error:
            raise CommandError("The time is over. Run this again: it continues with the rest.") from error
        self.stdout.write(f"{rotated} items encrypted with the newest key.")

    def _as_json(self, findings: list[Finding], repairs: dict[int, list[str]], *, complete: bool) -> None:
        entries = [
            {
                "code": disagreement.code,
                "address": disagreement.address,
                "text": disagreement.text,
                "remedy": disagreement.remedy,
                "is_notice": disagreement.is_notice,
                "safe_to_repair": disagreement.repair is not None,
                "repaired": repairs.get(number),
            }
            for number, disagreement in enumerate(findings)
        ]
        self.stdout.write(json.dumps({"complete": complete, "disagreements": entries}, indent=2))

    def _nothing(self, _text: str) -> None:
        """Say nothing: JSON speaks at the end."""


def _log(remaining: list[Finding], repaired: int, *, is_complete_run: bool) -> None:
    """Write the line that the alarms on staff accounts watch; it names no person."""
    codes = Counter(finding.code for finding in remaining)
    logger.info(
        "reconciliation_finished",
        extra={"findings": codes.total(), "codes": codes, "repaired": repaired, "everyone": is_complete_run},
    )


def _sentence(disagreement: Finding, *, will: bool) -> str:
    verb = "will" if will and disagreement.repair else "to do"
    return f"{disagreement.text} [{disagreement.code}; {verb}: {disagreement.remedy}]"
