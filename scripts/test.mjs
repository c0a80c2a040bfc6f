// Runs every check: format and lint, C++ format, types, the tests, and in processes of their own the golden suite and the
// tests on simulated devices.
// All run even if one fails. The last line printed is `N passed, N failed, N skipped`, summed from jest's own results.
//
//   node scripts/test.mjs [jest arguments]        npm test -- -t 'label smoothing'
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const jestArguments = process.argv.slice(2);
const results = join(root, 'build', 'test-results');
const totals = { passed: 0, failed: 0, skipped: 0 };
const failedSteps = [];

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

step('format and lint', [bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.']);
step('C++ format', [join('scripts', 'format-cpp.mjs')]);
step('types', [bin('typescript', 'bin/tsc'), '--noEmit']);
tests('tests', 'unit', ['--testPathIgnorePatterns', '/node_modules/', '/test/golden/', '/test/device/']);
tests('golden values', 'golden', ['--config', join('test', 'golden', 'jest.config.js')]);
if (hasCuda()) console.log("\nnot run: the tests on simulated devices, whose place libtorch's CUDA half takes");
else tests('simulated devices', 'device', ['--config', join('test', 'device', 'jest.config.js')]);

if (failedSteps.length > 0) console.log(`\nfailed: ${failedSteps.join(', ')}`);
process.exitCode = failedSteps.length > 0 || totals.failed > 0 ? 1 : 0;
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);

/** Runs a Node program, with a heading before and the time after. */
function step(name, command) {
  console.log(`\n── ${name}`);
  const start = performance.now();
  const { status, signal, error } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  const time = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  if (status !== 0) failedSteps.push(name);
  console.log(
    status === 0 ? `✔ ${name} · ${time}` : `✘ ${name} · ${time} · ${error?.message ?? signal ?? `status ${status}`}`,
  );
}

/** Runs a jest suite and adds up its results. */
function tests(name, file, options) {
  const output = join(results, `${file}.json`);
  // A filter may leave one of the suites without a test; without one, a suite that lost its tests has failed.
  const filtered = jestArguments.length > 0 ? ['--passWithNoTests'] : [];
  // The given arguments first: options that take a list would swallow them.
  const own = ['--json', '--outputFile', output, ...filtered, ...options];
  step(name, [bin('jest', 'bin/jest.js'), ...jestArguments, ...own]);
  let result;
  try {
    result = JSON.parse(readFileSync(output, 'utf8'));
  } catch {
    // jest ended before it could write: that is a failure, whatever its status was.
    totals.failed++;
    if (!failedSteps.includes(name)) failedSteps.push(name);
    return;
  }
  totals.passed += result.numPassedTests;
  // A suite that could not be run at all counts as one failure.
  totals.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  totals.skipped += result.numPendingTests + result.numTodoTests;
}

/** Whether the libtorch that the tests find has a CUDA half, and can open it. */
function hasCuda() {
  const program = "process.stdout.write(String(require('./dist/binding/load.js').loadedLibtorch().hasCuda))";
  return spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' }).stdout === 'true';
}

/** A program of an installed package, as a path that Node can run. */
function bin(name, path) {
  return join('node_modules', name, path);
}
