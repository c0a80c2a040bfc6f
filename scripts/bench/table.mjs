// Prints tables in plain text, coloured only on a terminal.
import { formTitles } from './cases.mjs';
import { columns as peerTitles } from './peers/index.mjs';

/**
 * Rows of cells as lines: columns padded to their widest cell, the first `left` columns to the left and the others to
 * the right. A cell is a text, or `{ text, colour }`.
 */
export function layOut(heading, rows, { left = 1, isColoured = false } = {}) {
  const texts = [heading, ...rows].map((cells) =>
    cells.map((cell) => (typeof cell === 'string' ? { text: cell } : cell)),
  );
  const widths = heading.map((_, i) => Math.max(...texts.map((cells) => cells[i].text.length)));
  const line = (cells) =>
    cells
      .map(({ text, colour }, i) =>
        paint(i < left ? text.padEnd(widths[i]) : text.padStart(widths[i]), colour, isColoured),
      )
      .join('  ')
      .trimEnd();
  const [first, ...others] = texts.map(line);
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [first, rule, ...others].join('\n');
}

const colours = { green: 32, red: 31 };

function paint(text, colour, isColoured) {
  return isColoured && colour !== undefined ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
}

/** Seconds in the unit that suits them, with three digits. */
export function showTime(seconds) {
  if (seconds === undefined) return '–';
  const [unit, scale] = seconds < 1e-3 ? ['us', 1e6] : seconds < 1 ? ['ms', 1e3] : ['s', 1];
  return `${Number((seconds * scale).toPrecision(3))} ${unit}`;
}

/** Bytes in megabytes. */
export function showBytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** A figure with its upper or lower limit. */
function judged(value, target, show, sign = '≤') {
  if (value === undefined) return { text: '–' };
  if (target === undefined) return { text: show(value) };
  const isMet = sign === '≤' ? value <= target : value >= target;
  return {
    text: `${show(value)} ${sign} ${show(target)} ${isMet ? 'met' : 'missed'}`,
    colour: isMet ? 'green' : 'red',
  };
}

/** Precise enough that a figure just above its limit does not look equal to it. */
const fixed = (value) => value.toFixed(value < 1 ? 3 : 2);

/** The times: a table for each count of threads. */
export function speedTables(records, options) {
  const threads = [...new Set(records.map((record) => record.threads))];
  return threads.map((count) => {
    const own = records.filter((record) => record.threads === count);
    return `${count} ${count === 1 ? 'thread' : 'threads'}\n${speedTable(own, options)}`;
  });
}

function speedTable(records, options) {
  const shown = Object.keys(peerTitles).filter((id) => records.some(({ times }) => id in times));
  const hasArrays = shown.includes('arrays') && shown.includes('pytorch');
  const hasOverhead = records.some(({ overCpp }) => overCpp !== undefined);
  const heading = [
    'loss',
    'size',
    'result',
    ...shown.map((id) => peerTitles[id]),
    'tensors / PyTorch',
    ...(hasArrays ? ['arrays / PyTorch'] : []),
    ...(hasOverhead ? ['us over C++'] : []),
  ];
  const rows = records.map((record) => [
    record.dtype === 'float32' ? record.loss : `${record.loss} ${record.dtype}`,
    record.size,
    formTitles[record.form],
    ...shown.map((id) => showTime(record.times[id]?.seconds)),
    judged(record.toPyTorch.tensors, record.target, fixed),
    ...(hasArrays ? [judged(record.toPyTorch.arrays, undefined, fixed)] : []),
    ...(hasOverhead ? [judged(record.overCpp, record.targetOverCpp, fixed)] : []),
  ]);
  return layOut(heading, rows, { left: 3, ...options });
}

/** Small calls. */
export function operatorsTable(records, options) {
  const shown = Object.keys(peerTitles).filter((id) => records.some(({ times }) => id in times));
  const heading = ['call', 'size', 'result', ...shown.map((id) => peerTitles[id]), 'tensors / PyTorch'];
  const rows = records.map(({ call, size, form, times, toPyTorch, target }) => [
    call,
    size,
    formTitles[form],
    ...shown.map((id) => showTime(times[id]?.seconds)),
    judged(toPyTorch, target, fixed),
  ]);
  return layOut(heading, rows, { left: 3, ...options });
}

/** The peaks of memory. */
export function memoryTable(records, options) {
  const rows = records.map(({ peer, size, bytes, gradient, ratio, target }) => [
    peerTitles[peer],
    size,
    showBytes(bytes),
    showBytes(gradient),
    judged(ratio, target, fixed),
  ]);
  const heading = ['crossEntropy, value and gradient', 'size', 'peak', 'gradient', 'peak / gradient'];
  return layOut(heading, rows, { left: 2, ...options });
}

/** The delays of the event loop. */
export function eventLoopTable(rows, options) {
  const cells = rows.map(({ name, calls, seconds, delay, target, stolen }) => [
    name,
    String(calls),
    showTime(seconds),
    judged(delay, target, (value) => `${value.toFixed(1)} ms`),
    stolen === undefined ? '–' : `${stolen} ms`,
  ]);
  return layOut(['meanwhile', 'calls', 'time', 'longest delay of the event loop', 'taken by the host'], cells, options);
}

/** The training loops. */
export function loopTable({ steps, scope, plain, ratio, target }, options) {
  const heading = [
    'training loop',
    'steps',
    'time',
    'growth in the second half',
    'peak of memory',
    'to that with scopes',
  ];
  const row = (name, { seconds, growth, peak }, last) => {
    return [name, String(steps), showTime(seconds), showBytes(growth), showBytes(peak), last];
  };
  const rows = [row('with scopes', scope, { text: '–' }), row('plain', plain, judged(ratio, target, fixed))];
  return layOut(heading, rows, options);
}

/** Files that are evaluated. */
export function evaluateTable({ bytes, memoryBytes, targets, records }, options) {
  const speed = (value) => (value === undefined ? '–' : `${(value / 1e9).toFixed(2)} GB/s`);
  const heading = [
    'crossEntropy of N x 1000',
    `from memory, ${showBytes(memoryBytes)}`,
    `from a file, ${showBytes(bytes)}`,
    'NumPy and PyTorch',
    'file / memory',
    'file / PyTorch',
    'peak of memory',
  ];
  const rows = records.map(({ form, memory, file, pytorch, toMemory, toPyTorch, peak }) => [
    form === 'loss' ? 'the loss alone' : 'with predictions',
    speed(memory),
    speed(file),
    speed(pytorch),
    judged(toMemory, targets.memory, fixed, '≥'),
    judged(toPyTorch, targets.pytorch, fixed, '≥'),
    judged(peak, targets.peak, showBytes),
  ]);
  return layOut(heading, rows, options);
}
