// The whole run: find, build, doctor, the parts, the summary. See scripts/cuda-check.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StepFailure } from '../setup/steps.mjs';
import { writeBundle } from './bundle.mjs';
import { UsageError } from './failures.mjs';
import { findLibtorch, findPython } from './libtorch.mjs';
import { doctor, machine, nvidiaSmi } from './machine.mjs';
import { buildAddons, checkAddons } from './native.mjs';
import { readOptions, usage } from './options.mjs';
import { parts } from './parts.mjs';
import { casesFile, compileTypeScript } from './prepare.mjs';
import { runPart } from './run-part.mjs';
import { summaryOf } from './summary.mjs';
import { closeProgress, say, showProgress } from './terminal.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isKnown = error instanceof UsageError || error instanceof StepFailure;
  console.error(isKnown ? [error.output, error.message].filter(Boolean).join('\n') : error);
  for (const remedy of error.remedies ?? []) console.error(`  ${remedy}`);
  process.exitCode = 2;
}

async function main(args) {
  const options = readOptions(args);
  if (options.help) {
    console.log(usage);
    return 0;
  }
  if (options.bundle !== undefined) {
    await compileTypeScript(root, { announce: say });
    await writeBundle(root, options, say);
    return 0;
  }
  return check(options);
}

async function check(options) {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  await compileTypeScript(root, { announce: say, library: options.build });
  const libtorch = findLibtorch(root, options);
  say(`libtorch ${libtorch.version ?? 'of unknown version'} (${libtorch.flavour}) in ${libtorch.root}`);
  const python = findPython(libtorch, options.python);
  say(
    python.command
      ? `Python: ${python.command}, PyTorch ${python.version}`
      : `no Python to compare with: ${python.unavailable}`,
  );
  const built = options.build ? await build(libtorch) : 'not asked for';
  if (libtorch.version !== undefined) checkAddons(root, libtorch.version);

  const env = { ...process.env, LIBTORCH: libtorch.root, OMP_WAIT_POLICY: 'PASSIVE', PYTHONDONTWRITEBYTECODE: '1' };
  const found = {
    format: 1,
    version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    command: `scripts/cuda-check ${process.argv.slice(2).join(' ')}`.trim(),
    machine: machine(),
    nvidia: nvidiaSmi(),
    libtorch: { version: libtorch.version, flavour: libtorch.flavour, root: libtorch.root },
    python,
    build: { result: built, seconds: elapsed() },
    ...(await examine(env)),
    quick: options.quick,
  };
  say(
    found.gpu.devices > 0
      ? gpuLine(found)
      : `there is no GPU to be used: ${found.gpu.why}; what the CPU can do is done`,
  );
  await runParts(options, found, env, elapsed);
  found.seconds = elapsed();
  return report(found, options);
}

async function build(libtorch) {
  const start = performance.now();
  say('the addons: compiling what is not up to date …');
  const result = await buildAddons(root, libtorch);
  say(`the addons: ${result}, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return result;
}

/** The doctor's output, its findings about CUDA, and whether it is satisfied. */
async function examine(env) {
  const { text, report } = await doctor(root, env);
  console.log(`\n${text}\n`);
  const cuda = report?.runtime?.cuda;
  const devices = cuda?.devices ?? 0;
  const why = cuda?.whyUnavailable ?? (cuda === undefined ? 'libtorch cannot be opened' : undefined);
  const selfTest = report?.selfTest ?? [];
  // Without a GPU it has to find fault with a CUDA build; the CPU must work all the same.
  const isWell = devices > 0 ? report.healthy : selfTest.length > 0 && selfTest.every(({ passed }) => passed);
  const name = devices > 0 ? 'the doctor finds no problem' : "the doctor's test on the CPU passes";
  const checks = [{ name, passed: isWell, detail: isWell ? undefined : text }];
  const part = { title: 'Doctor', checks, notRun: [], tables: [], data: {} };
  return { doctor: { text, report }, gpu: { devices, why }, parts: { doctor: part } };
}

function gpuLine({ nvidia, gpu }) {
  const names = nvidia.gpus?.map((one) => `${one.name}, driver ${one.driver_version}, ${one['memory.total']}`);
  return `${gpu.devices} ${gpu.devices === 1 ? 'GPU' : 'GPUs'}: ${names?.join('; ') ?? nvidia.unavailable}`;
}

/** Bytes of the first GPU; `undefined` if unknown. */
function memoryOf({ gpus }) {
  const mebibytes = Number.parseInt(gpus?.[0]?.['memory.total'] ?? '', 10);
  return Number.isNaN(mebibytes) ? undefined : mebibytes * 2 ** 20;
}

async function runParts(options, found, env, elapsed) {
  const wanted = parts.filter(({ name }) => options.only.includes(name));
  const order = {
    device: found.gpu.devices > 0 ? 'cuda' : 'cpu',
    devices: found.gpu.devices,
    gpuMemory: memoryOf(found.nvidia),
    quick: options.quick,
    python: found.python.command,
    whyNoPython: found.python.unavailable,
    cases: casesFile(root),
  };
  for (const [i, { name, title, weight }] of wanted.entries()) {
    // Time that a part has not used is left to the parts after it.
    const weights = wanted.slice(i).reduce((sum, part) => sum + part.weight, 0);
    const seconds = Math.floor(((options.minutes * 60 - elapsed()) * weight) / weights);
    if (seconds < 5) {
      found.parts[name] = {
        title,
        checks: [],
        notRun: [{ name: title, why: 'the time was up' }],
        tables: [],
        data: {},
      };
      continue;
    }
    say(`${name}: ${title}, at most ${seconds} s`);
    const result = await runPart(name, order, { env, seconds, onProgress: (text) => showProgress(name, text) });
    found.parts[name] = { title, ...result };
    closeProgress();
    const failed = result.checks.filter(({ passed }) => !passed);
    for (const { name: what, detail } of failed)
      console.log(`  ✘ ${what}${detail === undefined ? '' : `: ${firstLines(detail)}`}`);
    if (result.failure)
      console.log(`  ✘ ${result.failure.how} while: ${result.failure.place}\n${result.failure.output}`);
    const passed = result.checks.length - failed.length;
    say(`${name}: ${passed} of ${result.checks.length} passed, ${result.seconds.toFixed(0)} s`);
  }
}

function report(found, { out }) {
  const { text, passed } = summaryOf(found);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'cuda-check.json'), `${JSON.stringify({ ...found, passed }, null, 2)}\n`);
  writeFileSync(join(out, 'cuda-check.md'), text);
  console.log(`\n${text}`);
  say(`written to ${join(out, 'cuda-check.json')} and cuda-check.md`);
  return passed ? 0 : 1;
}

function firstLines(text) {
  return text.split('\n').slice(0, 6).join('\n    ');
}
