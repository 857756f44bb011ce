"""
The one comment under a pull request that says where its preview is: rendered here, edited in place.

GitHub is spoken to by its own command line, `gh`, which a workflow has and which has its token.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apps.deployment import subprocesses
from apps.deployment.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MARK = "<!-- the preview of this pull request -->"
PAGE = "../blob/main/docs/previews.md"  # from the page of a pull request


def body(result: Mapping[str, Any]) -> str:
    """Return the comment for what `preview follow --json` printed."""
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    if "error" in result:
        text = (
            f"**The last push could not be shown** ({when}): {result['error']} What answered before, if"
            " anything did, still does; the next push tries again."
        )
    elif result.get("url"):
        text = _answering(result, when)
    else:
        text = f"**No preview** ({when}): {result['why']}. Nothing of one is left."
    return f"{MARK}\n{text}\n"


def is_news(result: Mapping[str, Any]) -> bool:
    """Tell whether it is worth a comment where there was none: that nothing is there is not."""
    return "error" in result or bool(result.get("url"))


def post(number: int, text: str, repository: str, *, new: bool = True) -> str:
    """
    Edit the comment, or write it if there is none, and return what was done.

    :param repository: owner/name
    :param new: whether to write one at all where there is none
    :raises StageError: if `gh` fails, with its last words
    """
    comments = f"repos/{repository}/issues/{number}/comments"
    pages = json.loads(subprocesses.run(["gh", "api", "--paginate", "--slurp", comments], doing="ask GitHub"))
    ours = [
        comment["id"]
        for page in pages
        for comment in page
        if comment["user"]["type"] == "Bot" and comment["body"].startswith(MARK)
    ]
    if ours:
        _send("PATCH", f"repos/{repository}/issues/comments/{ours[0]}", text)
        return f"edited comment {ours[0]}"
    if not new:
        return "nothing to say"
    _send("POST", comments, text)
    return "wrote a comment"


def load(path: Path) -> dict[str, Any]:
    """
    Return what `preview follow --json` left in a file.

    :raises StageError: if it left nothing
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise StageError(f"{path} does not hold what `preview follow --json` prints.") from error


def _send(method: str, path: str, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        subprocesses.run(
            ["gh", "api", "--silent", "--method", method, path, "-F", f"body=@{file.name}"],
            doing="tell GitHub",
        )


def _answering(result: Mapping[str, Any], when: str) -> str:
    return f"""**Preview** of commit `{result["commit"]}` ({when})

| | |
|---|---|
| URL | {result["url"]} |
| Reference | {result["url"]}/docs/ |
| Log | {result["logs"]} |
| Until | {result["expires"][:10]}, or until this is closed; a push renews it, the label `keep` keeps it |

With an ID token of staging in `TOKEN` ([which one?]({PAGE})):

```sh
{result["curl"]}
```

It reads staging's people and changes none; it took {result["seconds"]:.0f} s."""
