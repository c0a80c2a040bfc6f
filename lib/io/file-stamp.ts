/** What tells whether a file is still the one that was opened, with the bytes that it had then. */
import { type BigIntStats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { badData, unreadable } from './bad-data';

/** As finely as a system tells times of files apart, in milliseconds, with some room. */
const tick = 20;

/** A file as it was when it was opened: which one, how long, and when it was last changed. */
export class FileStamp {
  readonly #path: string;
  readonly #name: string;
  readonly #stats: BigIntStats;

  constructor(path: string, name: string, stats: BigIntStats) {
    // The working directory may be another one when it is looked at again.
    this.#path = resolve(path);
    this.#name = name;
    this.#stats = stats;
  }

  /** When it was last changed, in ms since 1970. */
  get modified(): number {
    return Number(this.#stats.mtimeMs);
  }

  /** @throws TorchError `BAD_DATA`, which names the file, if it is another one now or was changed. */
  check(): void {
    const { dev, ino, size, mtimeNs } = this.#stats;
    const now = this.#now();
    if (now === undefined) throw badData(this.#name, 'was removed while it was read');
    if (now.dev !== dev || now.ino !== ino) {
      throw badData(this.#name, 'was replaced by another file while it was read');
    }
    if (now.size !== size) throw badData(this.#name, `had ${size} bytes when it was opened, and now has ${now.size}`);
    if (now.mtimeNs !== mtimeNs) throw badData(this.#name, 'was changed while it was read');
  }

  #now(): BigIntStats | undefined {
    try {
      return statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      throw unreadable(this.#name, error);
    }
  }
}

/**
 * Waits until a change of any of the files would show in its time: one that was written a moment ago could be written
 * again within the same tick of the file system's clock.
 */
export async function waitForTick(stamps: readonly FileStamp[]): Promise<void> {
  const newest = stamps.reduce((latest, { modified }) => Math.max(latest, modified), 0);
  const age = Date.now() - newest;
  if (age >= 0 && age < tick) await new Promise((done) => setTimeout(done, tick - age));
}
