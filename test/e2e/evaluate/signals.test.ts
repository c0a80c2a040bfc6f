/** `libtorch-losses evaluate` when it is interrupted, and on pipes. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { npyDictionary, npyStart } from '../../support/arrays';
import { crossEntropy, digits, env, files, lossOf, main } from '../../support/evaluate-command';
import { folder } from '../../support/folder';
import { describeWhere } from '../../support/where';

jest.setTimeout(120_000);

const scratch = folder('for each test');

// Windows has no signals that one process could send to another.
const onPosix = process.platform !== 'win32';

/** A .npy file of zeros that takes no place on the disk. */
function zeros(name: string, descriptor: string, shape: readonly number[], bytes: number): string {
  const path = join(scratch.path, name);
  const file = openSync(path, 'w');
  const start = npyStart(npyDictionary(`'${descriptor}'`, shape));
  writeSync(file, start);
  ftruncateSync(file, start.length + bytes);
  closeSync(file);
  return path;
}

/** Whether a process has mapped a library, by what the system says of it. */
function hasOpened(pid: number | undefined, library: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1').includes(library);
  } catch {
    return false;
  }
}

describeWhere(onPosix, 'signals between processes')('signals and pipes', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s in the middle leaves nothing', async (signal, status) => {
    const rows = 750_000;
    const input = zeros('logits.npy', '<f4', [rows, 1000], rows * 4000);
    const target = zeros('labels.npy', '<i8', [rows], rows * 8);
    const [losses, report] = [join(scratch.path, 'losses.npy'), join(scratch.path, 'report.html')];
    const outputs = ['--per-sample', losses, '--report', report];
    const args = [main, 'evaluate', ...crossEntropy, '--input', input, '--target', target, ...outputs];
    const child = spawn(process.execPath, args, { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    const ended = new Promise<[number | null, string | null]>((done) => child.on('close', (...end) => done(end)));
    const partial = (): string | undefined =>
      readdirSync(scratch.path).find((name) => name.startsWith('losses.npy.partial-'));
    while (
      child.exitCode === null &&
      !statSync(join(scratch.path, partial() ?? ''), { throwIfNoEntry: false })?.isFile()
    ) {
      await new Promise((done) => setTimeout(done, 10));
    }
    while (child.exitCode === null && statSync(join(scratch.path, partial() as string)).size <= 20_000) {
      await new Promise((done) => setTimeout(done, 10));
    }
    child.kill(signal);
    expect(await ended).toEqual([status, null]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/interrupted; nothing was written\n$/);
    expect(readdirSync(scratch.path).sort()).toEqual(['labels.npy', 'logits.npy']);
  });

  const waiting = (args: readonly string[], stdin: 'ignore' | 'pipe'): Promise<unknown> => {
    const child = spawn(process.execPath, [main, 'evaluate', ...crossEntropy, ...args, '--target', 'labels.npy'], {
      cwd: digits,
      env,
      stdio: [stdin, 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr?.on('data', (data) => (stderr += data));
    // Whether it waits by now cannot be seen from outside; before that, the signal has to work as well. But not before
    // Node runs the command, which on Linux shows by the library that it opens.
    const start = performance.now();
    const poll = setInterval(() => {
      if (!(process.platform === 'linux' ? hasOpened(child.pid, 'libtorch_cpu') : performance.now() - start > 5000))
        return;
      clearInterval(poll);
      setTimeout(() => child.kill('SIGINT'), 500);
    }, 50);
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    return new Promise((done) =>
      child.on('close', (status, signal) => {
        clearInterval(poll);
        clearTimeout(timer);
        done({ status, signal, stderr });
      }),
    );
  };
  const end = { status: 130, signal: null, stderr: 'interrupted; nothing was written\n' };

  test('the first SIGINT ends what waits for a pipe without a writer', async () => {
    const pipe = join(scratch.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await waiting(['--input', pipe, '--per-sample', join(scratch.path, 'losses.npy')], 'ignore')).toEqual(end);
    expect(readdirSync(scratch.path)).toEqual(['pipe']);
  });

  test('the first SIGINT ends what waits for standard input', async () => {
    expect(await waiting(['--input', '-'], 'pipe')).toEqual(end);
  });

  test('a pipe gives what a file gives', () => {
    const pipe = join(scratch.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('cp', [join(digits, 'logits.npy'), pipe]);
    expect(lossOf(['--input', pipe, '--target', 'labels.npy'])).toBe(lossOf(files));
    writer.kill();
  });
});
