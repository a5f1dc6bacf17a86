"""Write our own JSON Schemas into this folder from the models: `make schemas`; `--check` only compares."""

import json
import sys
from pathlib import Path

from kpass_vc.model.schemas import SCHEMAS, json_schema

HERE = Path(__file__).parent


def main() -> int:
    """Exit status 0 when every schema is written, or is what the models say."""
    stale = 0
    for name in SCHEMAS:
        text = json.dumps(json_schema(name), ensure_ascii=False, indent=2) + "\n"
        path = HERE / f"{name}.schema.json"
        if "--check" not in sys.argv:
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            sys.stderr.write(f"{path.name} is not what the models say; run make schemas\n")
            stale += 1
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
