import { MultiBar, type SingleBar } from 'cli-progress';
import type { Evaluation, Figures } from './evaluation';

/** What an epoch came to. */
export interface EpochSummary {
  epoch: number;
  /** Mean over the batches of the epoch. */
  trainingLoss: number;
  heldOut: Figures;
}

/** Aligned lines: a name and what it is. */
export function header(title: string, lines: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  return [title, ...lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`), '', ''].join('\n');
}

/**
 * The epochs as they pass: one line for every few of them, and below, on a terminal, a bar that moves with every batch.
 * Elsewhere (a file, a pipe) only the lines are written.
 */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;
  readonly #every: number;
  readonly #epochs: number;

  constructor(out: NodeJS.WriteStream, epochs: number, batches: number) {
    this.#out = out;
    this.#epochs = epochs;
    // At most eight lines and the first and last epoch.
    this.#every = Math.ceil(epochs / 8);
    out.write(' epoch   training loss   held-out loss   held-out accuracy\n');
    if (!out.isTTY) return;
    this.#bars = new MultiBar({
      stream: out,
      format: ' {bar} epoch {epoch} of {epochs}, {value} of {total} batches',
      barCompleteChar: '\u2588',
      barIncompleteChar: '\u2591',
      barsize: 30,
      clearOnComplete: true,
      // The terminal keeps its modes, so that an interrupt leaves nothing to restore.
      hideCursor: false,
      linewrap: true,
    });
    this.#bar = this.#bars.create(epochs * batches, 0, { epoch: 1, epochs });
  }

  batch(): void {
    this.#bar?.increment();
  }

  epoch(summary: EpochSummary): void {
    const { epoch } = summary;
    const shown = epoch === 1 || epoch === this.#epochs || epoch % this.#every === 0;
    if (shown) this.#write(epochLine(summary));
    this.#bar?.update({ epoch: Math.min(epoch + 1, this.#epochs) });
    this.#bars?.update();
  }

  /** Removes the bar; also after an error, since its timer would keep the process alive. */
  stop(): void {
    this.#bars?.stop();
  }

  #write(line: string): void {
    if (this.#bars === undefined) this.#out.write(line);
    else this.#bars.log(line);
  }
}

function epochLine({ epoch, trainingLoss, heldOut }: EpochSummary): string {
  const columns = [
    String(epoch).padStart(6),
    fixed(trainingLoss, 16),
    fixed(heldOut.loss, 16),
    `${percent(heldOut).padStart(11)}  ${bar(accuracy(heldOut), 20)}`,
  ];
  return `${columns.join('').trimEnd()}\n`;
}

/** Held-out figures by class, libtorch's and the reference's side by side. */
export function classTable(native: Evaluation, reference: Evaluation): string {
  const longest = Math.max(...[...native.byClass, ...reference.byClass].map(({ loss }) => loss));
  const side = (figures: Figures): string =>
    `${fixed(figures.loss, 7)} ${bar(figures.loss / longest, 7)} ${percent(figures)} ${bar(accuracy(figures), 7)}`;
  const title = (text: string): string => text.padEnd(31);
  const line = (name: string, figures: Figures, other: Figures): string =>
    `${name.padStart(6)}${String(figures.count).padStart(8)}  ${side(figures)}  ${side(other)}`.trimEnd();
  return [
    `                ${title(' libtorch, float32')}  ${title(' reference, float64')}`.trimEnd(),
    ` class  images  ${title(' loss            accuracy')}  ${title(' loss            accuracy')}`.trimEnd(),
    ...native.byClass.map((figures, digit) => line(String(digit), figures, reference.byClass[digit] as Figures)),
    line('all', native.all, reference.all),
    '',
  ].join('\n');
}

/** The largest distance between a loss of libtorch and that of the reference, relative to the latter. */
export function largestDifference(native: Evaluation, reference: Evaluation): number {
  const losses = ({ all, byClass }: Evaluation): number[] => [all, ...byClass].map(({ loss }) => loss);
  const expected = losses(reference);
  return Math.max(...losses(native).map((loss, i) => Math.abs(loss / (expected[i] as number) - 1)));
}

/** The line that the whole run is about: `accuracy 97.8 %`. */
export function accuracyLine(figures: Figures): string {
  return `accuracy ${percent(figures).trim()}\n`;
}

function accuracy({ correct, count }: Figures): number {
  return correct / count;
}

function percent(figures: Figures): string {
  return `${(100 * accuracy(figures)).toFixed(1).padStart(5)} %`;
}

function fixed(value: number, width: number): string {
  return value.toFixed(4).padStart(width);
}

/** A bar of block characters, with eighths at its end; none for NaN. */
function bar(share: number, width: number): string {
  const eighths = share >= 0 ? Math.round(Math.min(share, 1) * width * 8) : 0;
  const rest = eighths % 8;
  const text = '\u2588'.repeat((eighths - rest) / 8) + (rest === 0 ? '' : String.fromCharCode(0x2590 - rest));
  return text.padEnd(width);
}
