#!/usr/bin/env bash
# Makes the list of known holes in crates from the RustSec advisory database (CC0): tests/advisories.sh FROM TO
# What is only unmaintained or unsound is left out. FROM is a clone of it, or where to clone it from; TO is the list, one JSON array a line: id, crate, patched, unaffected,
# title. The first line says of which day the database is. Needs git and python3 (3.11 or later).
set -euo pipefail
from=${1:?where the database is} to=${2:?where the list goes}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -d "$from" ]; then
  clone=$from
else
  clone=$work/db
  GIT_TERMINAL_PROMPT=0 timeout 30 git clone --quiet --bare --depth 1 "$from" "$clone"
fi
python3 - "$clone" >"$work/list" <<'PYTHON'
import json
import re
import subprocess
import sys
import tomllib


def git(*arguments):
    return subprocess.run(["git", "-C", sys.argv[1], *arguments], check=True, capture_output=True, text=True).stdout


print(json.dumps([git("log", "-1", "--format=%cs", "HEAD").strip()]))
rows = []
for path in git("ls-tree", "-r", "--name-only", "HEAD", "crates/").split():
    if not path.endswith(".md"):
        continue
    text = git("show", f"HEAD:{path}")
    found = re.match(r"```toml\n(.*?)\n```", text, re.DOTALL)
    if not found:
        sys.exit(f"{path} has no head that can be read")
    data = tomllib.loads(found[1])
    advisory, versions = data["advisory"], data.get("versions", {})
    title = re.search(r"^# (.*)$", text, re.MULTILINE)
    if "withdrawn" not in advisory and "informational" not in advisory:
        title = title[1] if title else advisory.get("title", "")
        rows.append([advisory["id"], advisory["package"], versions.get("patched", []), versions.get("unaffected", []), title])
if len(rows) < 300:
    sys.exit(f"only {len(rows)} advisories: is this the database?")
for row in sorted(rows):
    print(json.dumps(row, ensure_ascii=False))
PYTHON
mv "$work/list" "$to"
