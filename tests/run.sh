#!/usr/bin/env bash
# The whole test run on a Debian 12 machine with a Rust toolchain: installs what is missing, then
# formatting, lints, documentation and tests. Fails, and never skips, where something cannot be had.
# What is given as arguments goes to the test binary: `bash tests/run.sh sqlite::tickets`.
set -euo pipefail

step() { printf '\n==> %s\n' "$*"; }
give_up() { printf '\ntests/run.sh: %s\n' "$*" >&2; exit 1; }

# A relative CARGO_TARGET_DIR is relative to where the caller stands.
if [ -n "${CARGO_TARGET_DIR:-}" ]; then
  mkdir -p "$CARGO_TARGET_DIR"
  CARGO_TARGET_DIR=$(cd "$CARGO_TARGET_DIR" && pwd)
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
mkdir -p "$CARGO_TARGET_DIR"

step "Rust toolchain"
[ -x "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin/cargo" ] && PATH="${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH"
command -v cargo >/dev/null || give_up "cargo is not installed: a Rust toolchain (rustup, stable) is the one thing this script needs"
cargo --version
for component in fmt clippy; do
  if ! cargo "$component" --version >/dev/null 2>&1; then
    rustup component add "$([ "$component" = fmt ] && echo rustfmt || echo clippy)"
  fi
  cargo "$component" --version
done

step "Debian packages"
missing=()
for package in build-essential curl git jq libfaketime openssl dovecot-imapd postgresql python3-venv chromium chromium-driver; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing: ${missing[*]}"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up "missing ${missing[*]}, and neither root nor sudo to install them with"
    as_root=(sudo)
  fi
  apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@"; }
  apt update
  apt install --no-install-recommends "${missing[@]}"
else
  echo "all there"
fi
initdb=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
[ -n "$initdb" ] || give_up "no /usr/lib/postgresql/*/bin/initdb, although postgresql is installed"
for program in /usr/bin/chromium /usr/bin/chromedriver; do
  [ -x "$program" ] || give_up "no $program, although its package is installed"
done
echo "PostgreSQL: $("$initdb" --version); browser: $(/usr/bin/chromium --version 2>/dev/null)"

step "Python packages (tests/requirements.txt)"
venv="$CARGO_TARGET_DIR/test-venv"
if ! { cmp -s tests/requirements.txt "$venv/installed.txt" && "$venv/bin/python" -c 'import aiosmtpd, dkim, httpx_sse, nacl, schemathesis, twilio'; } 2>/dev/null; then
  rm -rf "$venv"
  /usr/bin/python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
  "$venv/bin/python" -c 'import aiosmtpd, dkim, httpx_sse, nacl, schemathesis, twilio'
  cp tests/requirements.txt "$venv/installed.txt"
fi
export DESKBELL_TEST_PYTHON="$venv/bin/python"
"$venv/bin/python" --version

step "Known holes in crates (docs/decisions/0052)"
fresh="$CARGO_TARGET_DIR/advisories.jsonl"
if bash tests/advisories.sh "${DESKBELL_ADVISORY_DB:-https://github.com/RustSec/advisory-db}" "$fresh" 2>/dev/null; then
  export DESKBELL_TEST_ADVISORIES="$fresh"
  echo "a fresh list, of $(head -n 1 "$fresh")"
else
  echo "the advisory database cannot be reached from here: the kept list of $(head -n 1 tests/advisories.jsonl) is used"
fi

step "cargo fmt --check"
cargo fmt --check

step "cargo clippy"
cargo clippy --all-targets -- -D warnings

step "cargo doc"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

if [ "$#" -gt 0 ]; then
  step "cargo test --test it -- $*"
  cargo test --test it -- "$@"
else
  step "cargo test"
  cargo test
fi

step "all passed"
