/** What the command line prints while it works, on a terminal and elsewhere. */
import { Writable } from 'node:stream';
import { installFailed, reasonOf } from '../../../../lib/cli/shared/failures';
import { type Output, reportTo } from '../../../../lib/cli/shared/report';

let clock: number;

beforeEach(() => {
  clock = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => clock);
});

afterEach(() => {
  jest.restoreAllMocks();
});

/** A stream that keeps what is written. */
class Screen extends Writable {
  text = '';
  readonly columns = 120;

  constructor(readonly isTTY: boolean) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  cursorTo(): boolean {
    this.text += '\r';
    return true;
  }

  clearLine(): boolean {
    return true;
  }

  moveCursor(): boolean {
    return true;
  }
}

/** Counts to `total` in ten parts, one a second. */
function count(screen: Screen, announced: number): string {
  const progress = reportTo(screen as Output).progress('unpacking', announced);
  for (let part = 1; part <= 10; part++) {
    clock += 1000;
    progress.update(part * 1e6);
  }
  progress.stop();
  return screen.text;
}

test('outside a terminal a line every other second at most', () => {
  expect(count(new Screen(false), 10e6)).toBe(
    [20, 40, 60, 80, 100]
      .map((p) => `  unpacking · ${p} % · ${(p / 10).toFixed(1)} MB of 10.0 MB · 1.0 MB/s\n`)
      .join(''),
  );
});

test('outside a terminal a line every five seconds where no total is known', () => {
  expect(count(new Screen(false), 0)).toBe('  unpacking · 5.0 MB · 1.0 MB/s\n  unpacking · 10.0 MB · 1.0 MB/s\n');
});

test('on a terminal a bar that is gone at the end', () => {
  const text = count(new Screen(true), 10e6);
  expect(text).toContain('  unpacking ');
  expect(text).toContain('100 % · 10.0 MB of 10.0 MB · 1.0 MB/s');
  expect(text).toContain('█');
});

test('on a terminal a line that is rewritten where no total is known', () => {
  const text = count(new Screen(true), 0);
  expect(text).toContain('\r\u001b[K  unpacking · 10.0 MB · 1.0 MB/s');
  expect(text.endsWith('\r\u001b[K')).toBe(true);
});

test('a line is a line', () => {
  const screen = new Screen(false);
  reportTo(screen as Output).line('✔ done');
  expect(screen.text).toBe('✔ done\n');
});

test('a failure says what to do', () => {
  const { code, message, op } = installFailed('no space', ['make some', 'go elsewhere']);
  expect({ code, op }).toEqual({ code: 'INSTALL_FAILED', op: 'install' });
  expect(message).toBe('install: no space\nPossible solutions:\n  make some\n  go elsewhere');
});

test.each([
  ['an error', new Error('fetch failed'), 'fetch failed'],
  ['its cause', new Error('fetch failed', { cause: new Error('ENOTFOUND') }), 'fetch failed: ENOTFOUND'],
  [
    'a cause without words',
    new Error('fetch failed', { cause: { message: '', code: 'ECONNREFUSED' } }),
    'fetch failed: ECONNREFUSED',
  ],
  ['a cause that says the same', new Error('a b', { cause: new Error('b') }), 'a b'],
  ['what is not an error', 'text', 'text'],
])('the reason of %s', (_, error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});
