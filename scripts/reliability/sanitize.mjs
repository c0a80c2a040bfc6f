// Builds the addons with sanitizers, in a copy of this checkout, and runs the tests there that reach native code.
//
//   npm run test:asan -- [jest arguments]     AddressSanitizer and UndefinedBehaviorSanitizer
//   npm run test:tsan -- [jest arguments]     ThreadSanitizer, with several threads
//
// The copy, build/asan or build/tsan, has a build folder of its own, so that no setting is needed by which a package
// could be made to load another addon. What the sanitizers find is written to build/asan-reports or build/tsan-reports:
// a test that expects a process to fail cannot hide it. Ends with status 1 if anything was found or a test failed.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './machine.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [kind, ...given] = process.argv.slice(2);
const copy = join(root, 'build', kind);
const reports = join(root, 'build', `${kind}-reports`);
const log = `log_path=${join(reports, 'report')}`;
const require = createRequire(import.meta.url);
const { locateLibtorch } = require(join(root, 'dist', 'binding', 'locate.js'));

/** What reaches native code; the rest of the tests has been run without a sanitizer. */
const suites = ['test/contract', 'test/lifecycle', 'test/parity', 'test/property', 'test/unit'];
/**
 * Not here: what compares the memory of a process with a bound, where the sanitizer keeps freed memory back to find its
 * uses, and what compiles or installs.
 */
const skipped = [
  '/test/golden/',
  'external-memory',
  'install-',
  'documents.test',
  'locate.test',
  'docstrings',
  'troubleshooting',
  'doctor',
];
/** Each of them. */
const longest = 60 * 60_000;

/** What is compiled in, and how tests are run with it. */
const sanitizer = {
  asan: {
    flags: 'address,undefined',
    runtime: 'libasan.so',
    runs: [
      [...suites, '--testPathIgnorePatterns', '/node_modules/', ...skipped],
      ['--config', join('test', 'device', 'jest.config.js')],
    ],
    variables: {
      // What node and libtorch hold at the end is not ours to free; npm run test:leaks measures growth. A test sends itself
      // SIGBUS, which the process handles as it always does.
      ASAN_OPTIONS: `detect_leaks=0:handle_sigbus=0:quarantine_size_mb=64:allocator_may_return_null=1:${log}`,
      UBSAN_OPTIONS: `halt_on_error=1:print_stacktrace=1:${log}`,
      // libtorch's memory from malloc each time, where the sanitizer sees its bounds.
      LIBTORCH_LOSSES_CPU_CACHE: '0',
    },
  },
  tsan: {
    flags: 'thread',
    runtime: 'libtsan.so',
    // Where several threads are: calls off the main thread, workers, chunks, exits. Not what compares a
    // process's memory or a stack with a bound, of which the sanitizer takes a part.
    runs: [
      [
        ...['--testNamePattern', '^(?!.*(small stack|memory returns))'],
        ...['background', 'workers', 'thread-teams', 'exit', 'evaluator', 'shared-memory', 'copies'].map(
          (name) => `test/lifecycle/${name}`,
        ),
        ...['nn/async', 'nn/fused', 'evaluate/batch', 'evaluate/evaluator', 'tensor/staging', 'tensor/sharing'].map(
          (name) => `test/unit/${name}`,
        ),
      ],
    ],
    variables: {
      TSAN_OPTIONS: `suppressions=${join(root, 'scripts', 'reliability', 'tsan.supp')}:exitcode=0:history_size=7:allocator_may_return_null=1:${log}`,
    },
  },
}[kind];
if (sanitizer === undefined) {
  console.error(`sanitize: expected asan or tsan, but received ${kind}`);
  process.exit(2);
}
const libtorch = locateLibtorch();

console.log(describeMachine(join(root, 'dist')));
copyCheckout();
build();
process.exitCode = runTests();

/** Brings the copy up to date; files that are the same keep their times, so that only what changed is compiled. */
function copyCheckout() {
  const { stdout } = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    stdio: 'pipe',
  });
  const listed = stdout.split('\0').filter((path) => path !== '' && !lstatIs(path, 'isSymbolicLink'));
  const built = readdirSync(join(root, 'dist'), { recursive: true }).map((path) => join('dist', path));
  for (const path of [...listed, ...built].filter((each) => lstatIs(each, 'isFile'))) copyFile(path);
  const modules = join(copy, 'node_modules');
  if (!existsSync(modules)) symlinkSync(join(root, 'node_modules'), modules);
}

function lstatIs(path, question) {
  const status = lstatSync(join(root, path), { throwIfNoEntry: false });
  return status?.[question]() ?? false;
}

function copyFile(path) {
  const [from, to] = [join(root, path), join(copy, path)];
  const bytes = readFileSync(from);
  if (existsSync(to) && readFileSync(to).equals(bytes)) return;
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, bytes);
}

function build() {
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
  const options = ['--out', join(copy, 'build', 'native')];
  options.push(`--CDLIBTORCH=${libtorch.root}`, `--CDSANITIZE=${sanitizer.flags}`);
  for (const action of ['configure', 'build']) run(process.execPath, [cmakeJs, action, ...options], { cwd: copy });
}

function runTests() {
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const start = performance.now();
  const jest = [require.resolve('jest/bin/jest'), '--runInBand', '--testTimeout', '120000'];
  const endings = (given.length > 0 ? [given] : sanitizer.runs).map((options) => {
    const settings = { cwd: copy, env: environment(), stdio: 'inherit', timeout: longest, killSignal: 'SIGKILL' };
    const { status, signal, error } = spawnSync(process.execPath, [...jest, ...options], settings);
    return error?.message ?? signal ?? status;
  });
  const found = findings();
  for (const { file, text } of found) console.log(`\n── ${file}\n${text.slice(0, 8000)}`);
  const time = ((performance.now() - start) / 60_000).toFixed(1);
  console.log(`\n${found.length} reports of the sanitizers, tests ended with ${endings.join(' and ')}, ${time} min`);
  return endings.every((ending) => ending === 0) && found.length === 0 ? 0 : 1;
}

/** The runtime of the sanitizers has to come first; node, which was built without, is told of it by the linker. */
function environment() {
  const runtime = run('g++', [`-print-file-name=${sanitizer.runtime}`], { stdio: 'pipe' }).stdout.trim();
  return { ...process.env, LIBTORCH: libtorch.root, LD_PRELOAD: runtime, ...sanitizer.variables };
}

/** Reports of errors; that a size is too large to be allocated is what some tests want, and a warning. */
function findings() {
  const all = readdirSync(reports).map((file) => ({ file, text: readFileSync(join(reports, file), 'utf8') }));
  return all.filter(({ text }) => /ERROR: |WARNING: ThreadSanitizer|runtime error: /.test(text));
}

function run(command, args, options) {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: 'inherit', maxBuffer: 2 ** 26, ...options });
  if (result.status === 0) return result;
  console.error(`${command} ended with ${result.error?.message ?? result.signal ?? result.status}`);
  process.exit(1);
}
