/** A folder of its own for the tests of a file, which is gone when they are done. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Folder {
  /** Where it is, while tests run. */
  readonly path: string;
  /** Writes a file there, and gives its path. */
  file(name: string, bytes: Buffer | string): string;
}

/** One for all tests of the file, or a fresh one for each. */
export function folder(lives: 'for all tests' | 'for each test' = 'for all tests'): Folder {
  let path = '';
  const [make, remove] = lives === 'for all tests' ? [beforeAll, afterAll] : [beforeEach, afterEach];
  make(() => {
    path = mkdtempSync(join(tmpdir(), 'libtorch-losses-test-'));
  });
  remove(() => {
    rmSync(path, { recursive: true });
  });
  return {
    get path() {
      return path;
    },
    file(name, bytes) {
      const whole = join(path, name);
      writeFileSync(whole, bytes);
      return whole;
    },
  };
}
