/** What the command line prints: one line a step, and while a step runs a bar on a terminal, plain lines elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import { printable, printableLines } from './text';

/** Where a report goes: `process.stdout`, or what a test collects. */
export type Output = NodeJS.WritableStream & { isTTY?: boolean };

/** A running count of bytes. */
export interface Progress {
  /** The bytes so far, all together. */
  update(done: number): void;
  /** Ends the bar; call it however the work ends. */
  stop(): void;
}

/** Prints steps and their progress. Of control characters only line feeds reach the output. */
export interface Report {
  line(text: string): void;
  /** Counts `label` up to `total` bytes; a total of 0 stands for one that is not known. */
  progress(label: string, total: number): Progress;
}

/** `191794682` -> `'191.8 MB'`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Seconds since a `performance.now()`: `'1.4 s'`. */
export function secondsSince(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** The report for a stream: bars if it is a terminal, else lines. */
export function reportTo(output: Output): Report {
  return {
    line: (text) => void output.write(`${printableLines(text)}\n`),
    progress: (name, total) => {
      const label = printable(name);
      if (output.isTTY !== true) return plainLines(output, label, total);
      return total > 0 ? bar(output, label, total) : counter(output, label);
    },
  };
}

function bar(output: Output, label: string, total: number): Progress {
  const start = performance.now();
  const format = `  ${label} {bar} {percentage} % · {done} of {all} · {rate}`;
  const single = new SingleBar(
    { format, stream: output, hideCursor: true, clearOnComplete: true, barsize: 24, fps: 8 },
    Presets.shades_classic,
  );
  const payload = (done: number): object => ({ done: megabytes(done), all: megabytes(total), rate: rate(done, start) });
  single.start(total, 0, payload(0));
  return { update: (done) => single.update(done, payload(done)), stop: () => single.stop() };
}

/** A terminal line that is rewritten, where no total is known for a bar. */
function counter(output: Output, label: string): Progress {
  const start = performance.now();
  const clear = '\r\u001b[K';
  return {
    update: (done) => void output.write(`${clear}  ${label} · ${megabytes(done)} · ${rate(done, start)}`),
    stop: () => void output.write(clear),
  };
}

/** A line at each tenth of the total, but at most one in two seconds; without a total one in five seconds. */
function plainLines(output: Output, label: string, total: number): Progress {
  const start = performance.now();
  const pause = total > 0 ? 2000 : 5000;
  let printed = start;
  let tenth = 0;
  return {
    update: (done) => {
      const now = performance.now();
      const reached = total > 0 ? Math.floor((10 * done) / total) : tenth + 1;
      if (now - printed < pause || reached <= tenth) return;
      [printed, tenth] = [now, reached];
      const share = total > 0 ? `${Math.floor((100 * done) / total)} % · ${megabytes(done)} of ` : '';
      output.write(`  ${label} · ${share}${megabytes(total > 0 ? total : done)} · ${rate(done, start)}\n`);
    },
    stop: () => {},
  };
}

function rate(done: number, start: number): string {
  return `${megabytes((1000 * done) / Math.max(1, performance.now() - start))}/s`;
}
