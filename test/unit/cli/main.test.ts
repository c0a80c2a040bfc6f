/** The command line where it cannot print, and how it tells of what went wrong. */
import { Writable } from 'node:stream';
import { main } from '../../../lib/cli/main';
import type { Output } from '../../../lib/cli/shared/report';

/** What keeps what it is given, or fails. */
function stream(failure?: NodeJS.ErrnoException): Output & { text: string } {
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (failure === undefined)
        Object.assign(writable, { text: `${(writable as unknown as Output & { text: string }).text}${chunk}` });
      done(failure ?? null);
    },
  });
  return Object.assign(writable, { text: '' }) as unknown as Output & { text: string };
}

function refusal(code: string, text: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${text}, write`), { code, syscall: 'write' });
}

test('a full disk under the output is said in one line', async () => {
  const errors = stream();
  expect(await main(['--help'], stream(refusal('ENOSPC', 'no space left on device')), errors)).toBe(1);
  expect(errors.text).toBe('libtorch-losses: the output cannot be written: ENOSPC: no space left on device, write\n');
});

test('a reader that has enough is no news', async () => {
  const errors = stream();
  expect(await main(['--help'], stream(refusal('EPIPE', 'broken pipe')), errors)).toBe(1);
  expect(errors.text).toBe('');
});

test('errors that cannot be printed change nothing', async () => {
  expect(await main(['nonsense'], stream(), stream(refusal('ENOSPC', 'no space left on device')))).toBe(2);
});

test('control characters in arguments are shown', async () => {
  const errors = stream();
  expect(await main(['a\u001b[2J\u202eb'], stream(), errors)).toBe(2);
  expect(errors.text).not.toMatch(/\p{Bidi_Control}|(?!\n)\p{Cc}/u);
  expect(errors.text).toContain('u001b[2J');
});

test('help with a command is the help of that command', async () => {
  const [asked, shown] = [stream(), stream()];
  expect(await main(['help', 'doctor'], asked, stream())).toBe(0);
  expect(await main(['doctor', '--help'], shown, stream())).toBe(0);
  expect(asked.text).toMatch(/^Usage: libtorch-losses doctor/);
  expect(asked.text).toBe(shown.text);
});

test('-v is the version', async () => {
  const output = stream();
  expect(await main(['-v'], output, stream())).toBe(0);
  expect(output.text).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('an option that nobody knows is answered by the nearest', async () => {
  const errors = stream();
  expect(await main(['doctor', '--jsno'], stream(), errors)).toBe(2);
  expect(errors.text).toBe("doctor: unknown option '--jsno' (did you mean '--json'?); options are --json, --help\n");
});
