#!/bin/sh
# Starts the runner for the step `treeswap` (vars/treeswap.groovy).
#   TREESWAP_PLACE   directory of request.json and result.json; the unpacked runner lies below
#   TREESWAP_SUM     sha256 of the runner that belongs to the library
#   TREESWAP_RUNNER  a preinstalled one; set on agents that have it
set -u

fail() {
  echo "treeswap: $*" >&2
  exit 11
}

agent="agent ${NODE_NAME:-$(hostname)}"
rm -f "$TREESWAP_PLACE/result.json"

command -v node >/dev/null || fail "there is no node in the PATH of $agent: install Node 20.19 or newer there."
version=$(node --version) || fail "node on $agent cannot be run: see above why, and install Node 20.19 or newer there."
node -e 'var v = process.versions.node.split("."); process.exit(v[0] > 20 || (v[0] == 20 && v[1] >= 19) ? 0 : 1)' ||
  fail "Node $version on $agent is too old: install Node 20.19 or newer there."

if [ -n "${TREESWAP_RUNNER:-}" ]; then
  runner=$TREESWAP_RUNNER
  [ -r "$runner" ] || fail "TREESWAP_RUNNER of $agent is $runner, which is not there: install it, or unset the variable."
else
  runner=$TREESWAP_PLACE/$TREESWAP_SUM/treeswap.mjs
  sum=$(sha256sum <"$runner") || fail "the runner could not be read on $agent."
  if [ "${sum%% *}" != "$TREESWAP_SUM" ]; then
    rm -f "$runner"
    fail "the runner that was unpacked on $agent is damaged, and was removed: build again."
  fi
  for old in "$TREESWAP_PLACE"/*/; do
    [ "$old" = "$TREESWAP_PLACE/$TREESWAP_SUM/" ] || rm -rf "$old"
  done
fi

exec node "$runner" step "$TREESWAP_PLACE/request.json" --result "$TREESWAP_PLACE/result.json"
