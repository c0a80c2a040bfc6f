/** A doctor's report as text. */
import type { DoctorReport, Problem, SelfTestResult } from '../../diagnosis/report';
import { count, size } from '../shared/figures';
import { aligned, printable } from '../shared/text';

/** The text, without a line end after it. */
export function doctorTable(report: DoctorReport): string {
  const facts = [
    ...libtorchRows(report),
    ...searchRows(report),
    ...addonRows(report),
    ...runtimeRows(report),
    ...named(
      'environment',
      Object.entries(report.environment).map(([name, value]) => `${name}=${value}`),
    ),
    ...named('self-test', report.selfTest.map(selfTestLine)),
  ];
  return [...heading(report), '', ...aligned(facts, 2), '', ...report.problems.flatMap(problemLines), verdict(report)]
    .map(printable)
    .join('\n');
}

function heading({ version, package: place, machine }: DoctorReport): string[] {
  const { platform, arch, libc, release, processor, processors, memory, node, nodeApi, executable } = machine;
  const system = [`${platform} ${arch}`, ...(libc === '' ? [] : [libc]), release].join(', ');
  return [
    `libtorch-losses ${version} in ${place}`,
    `${system}: ${counted(processors, 'processor')}${processor === '' ? '' : ` (${processor})`}, ${size(memory)} of memory`,
    `Node ${node} (Node-API ${nodeApi}) in ${executable}`,
  ];
}

function libtorchRows({ libtorch, loaded }: DoctorReport): string[][] {
  if (libtorch === undefined) return [['libtorch', 'none']];
  const version = libtorch.version ?? loaded?.version ?? 'of unknown version';
  const lines = [`${version} (${libtorch.flavour} build) in ${libtorch.lib}`];
  if (loaded !== undefined) lines.push(`opened ${loaded.library}, which reports ${loaded.version}`);
  if (libtorch.nvidia !== undefined) lines.push(`CUDA libraries in ${libtorch.nvidia}`);
  return named('libtorch', lines);
}

/** Every place that was looked at: the last of them is the one that was chosen. */
function searchRows({ attempts, libtorch }: DoctorReport): string[][] {
  const lines = aligned(
    attempts.map(({ source, path, outcome }) => [source, path === undefined ? outcome : `${path}: ${outcome}`]),
    2,
  );
  const chosen = libtorch === undefined ? [] : [['chosen by', libtorch.source]];
  return [...chosen, ...named('looked at', lines)];
}

function addonRows({ loaded, addons }: DoctorReport): string[][] {
  if (loaded !== undefined) return [['addon', `${loaded.addon}, built for libtorch ${loaded.builtFor}`]];
  return addons.length === 0 ? [['addons', 'none']] : named('addons', addons);
}

function runtimeRows({ runtime, machine, environment }: DoctorReport): string[][] {
  if (runtime === undefined) return [];
  const { capability, threads, allocator, cuda } = runtime;
  const devices = ['cpu', ...Array.from({ length: cuda.devices }, (_, index) => `cuda:${index}`)];
  const why = cuda.whyUnavailable === undefined ? [] : [`no CUDA: ${cuda.whyUnavailable}`];
  return [
    ['kernels', capability],
    ['threads', `${threads} of ${counted(machine.processors, 'processor')}`],
    ['allocator', allocatorLine(allocator.caching, environment.LIBTORCH_LOSSES_CPU_CACHE)],
    ...named('devices', [devices.join(', '), ...why]),
  ];
}

function allocatorLine(caching: boolean, set: string | undefined): string {
  if (!caching) return "libtorch's own; keeps nothing";
  const bound = /^\d+$/.test(set ?? '') ? `${set} MB` : 'a gigabyte or an eighth of the memory, whichever is less';
  return `caching; keeps up to ${bound}`;
}

function selfTestLine({ device, what, computed, error, passed }: SelfTestResult): string {
  const value = computed.length === 1 ? (computed[0] as number).toPrecision(7) : count(computed.length);
  const numbers = computed.length === 1 ? value : `${value} numbers`;
  const distance = error === null ? 'no number' : `at most ${error.toExponential(0)} from PyTorch's`;
  return `${passed ? '✔' : '✘'} ${device}: ${what}, ${numbers}, ${distance}`;
}

function problemLines({ severity, text, remedies }: Problem): string[] {
  const [first, ...others] = text.split('\n');
  const lines = [`${severity === 'problem' ? '✘' : '!'} ${first}`, ...others.map((line) => `  ${line}`)];
  return [...lines, ...remedies.map((remedy) => `    ${remedy}`), ''];
}

function verdict({ problems, healthy }: DoctorReport): string {
  const notes = problems.filter(({ severity }) => severity === 'note').length;
  const rest = notes === 0 ? '' : `, ${counted(notes, 'note')}`;
  return healthy ? `✔ no problem${rest}` : `✘ ${counted(problems.length - notes, 'problem')}${rest}`;
}

/** Rows of which the first bears the name. */
function named(name: string, lines: readonly string[]): string[][] {
  return lines.map((line, i) => [i === 0 ? name : '', line]);
}

function counted(number: number, what: string): string {
  return `${count(number)} ${what}${number === 1 ? '' : 's'}`;
}
