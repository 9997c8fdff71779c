#!/usr/bin/env bash
# What the reporters of vitest are told of an error in a global set-up.
#
# Versions: vitest 5.1.1 on Node 22.12 or later (here the npm package node 26.10.0). Needs npm.
#
# Behaviour: a `globalSetup` that throws ends the run before any test: exit code 1, and the error on standard error. Reporters are told
# of a run that failed, with no module and no error: `onTestRunEnd([], [], "failed")`. The JUnit file has tests, failures and errors
# of 0, as one of a run that has nothing to complain about. An error that nobody catches in a test file is handed on, as one error.
#
# Why a good guess misses: `onTestRunEnd` has the parameter `unhandledErrors`, the run ends with "Unhandled Error" on the terminal, and that
# is where a reporter looks. A tool that goes by the JUnit file, or by a reporter's errors, sees a run without tests that nothing is wrong
# with, though all servers that the set-up was to start are missing.
#
# Output seen:
#   set-up throws: exit 1, onTestRunEnd: modules 0, errors [], reason failed
#   set-up throws: exit 1, JUnit: <testsuites name="vitest tests" tests="0" failures="0" errors="0"
#   test file rejects: exit 1, onTestRunEnd: modules 1, errors ["nobody catches this"], reason passed
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --save-exact --allow-scripts=node node@26.10.0 vitest@5.1.1 >/dev/null 2>&1 ||
  npm install --silent --no-audit --no-fund --save-exact node@26.10.0 vitest@5.1.1
export PATH="$folder/node_modules/.bin:$PATH"

cat >setup.mjs <<'JS'
export function setup() {
  throw new Error("no server to test with");
}
JS
cat >one.test.mjs <<'JS'
import { test } from "vitest";
test("one", () => {
  if (process.env.REJECT) Promise.reject(new Error("nobody catches this"));
});
JS
cat >reporter.mjs <<'JS'
import { writeFileSync } from "node:fs";
export default class {
  onTestRunEnd(modules, errors, reason) {
    const texts = JSON.stringify(errors.map(({ message }) => message));
    writeFileSync("told", `onTestRunEnd: modules ${modules.length}, errors ${texts}, reason ${reason}`);
  }
}
JS
echo 'export default { test: { globalSetup: ["./setup.mjs"] } };' >throws.config.mjs
echo 'export default {};' >plain.config.mjs

# attempt CONFIG REPORTER...: runs vitest, and leaves its exit code.
attempt() {
  local config=$1 code=0
  shift
  vitest run --config "$config.config.mjs" "$@" >output 2>&1 || code=$?
  echo "exit $code"
}

{
  echo "set-up throws: $(attempt throws --reporter=./reporter.mjs), $(cat told)"
  grep -q "Unhandled Error" output && grep -q "no server to test with" output
  echo "set-up throws: $(attempt throws --reporter=junit --outputFile=junit.xml), JUnit: $(grep -o '<testsuites .*errors="[0-9]*"' junit.xml)"
  echo "test file rejects: $(REJECT=1 attempt plain --reporter=./reporter.mjs), $(cat told)"
} | tee seen
diff - seen <<'TXT'
set-up throws: exit 1, onTestRunEnd: modules 0, errors [], reason failed
set-up throws: exit 1, JUnit: <testsuites name="vitest tests" tests="0" failures="0" errors="0"
test file rejects: exit 1, onTestRunEnd: modules 1, errors ["nobody catches this"], reason passed
TXT
