"""Six illustrative catalogues: organisations, and the micromerits they might define.

Nothing in them comes from the organisations named: the real ones carry
"(exempel)" and "(example)" in their names, the invented ones "(påhittad)" and
"(fictitious)", and every definition is marked illustrative.
"""

import json
from importlib import resources
from typing import Any


def catalogues() -> list[dict[str, Any]]:
    """The catalogues by file name, each with `organisations` and `definitions`."""
    folder = resources.files("kpass_vc.demo")
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    ordered = sorted(files, key=lambda entry: entry.name)
    return [json.loads(entry.read_text("utf-8")) for entry in ordered]
