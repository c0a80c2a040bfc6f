/** Ranks of one group that share an evaluation, as torchrun starts them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crossEntropy, digits, main, resultOf } from '../../support/evaluate-command';
import { folder } from '../../support/folder';
import { findPython } from '../../support/live';
import { type Rank, runRanks } from '../../support/ranks';

const scratch = folder('for each test');
const [input, target] = [join(digits, 'logits.npy'), join(digits, 'labels.npy')];
const launched = { TORCHELASTIC_RUN_ID: 'none' };

function rank(...flags: string[]): Rank {
  const args = [main, 'evaluate', ...crossEntropy, '--input', input, '--target', target, ...flags];
  return { command: process.execPath, args };
}

/** What one process prints, without the run. */
function whole(): unknown {
  const { run: _, ...result } = resultOf('--input', input, '--target', target);
  return result;
}

const notice = '3 ranks share the rows, by RANK and WORLD_SIZE; --shard 0/1 evaluates all rows\n';

test('rank 0 prints what one process prints, and writes the page; each writes its own losses', async () => {
  const [page, losses] = [join(scratch.path, 'page.html'), join(scratch.path, 'losses-{shard}.npy')];
  const flags = ['--json', '--report', page, '--per-sample', losses];
  const [first, ...others] = await runRanks([rank(...flags), rank(...flags), rank(...flags)], launched);
  expect(first).toMatchObject({ status: 0, stderr: notice });
  for (const other of others) expect(other).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const { run, ...result } = JSON.parse(first?.stdout as string);
  expect(result).toEqual(whole());
  expect(run).toMatchObject({ shards: 3, bytes: 17_280 });
  expect(readdirSync(scratch.path).sort()).toEqual(['losses-0.npy', 'losses-1.npy', 'losses-2.npy', 'page.html']);
  expect(readFileSync(page, 'utf8')).toContain('Merged from 3 shards');
});

test('asked for by --shard, it needs no notice, nor torchrun', async () => {
  const outcomes = await runRanks([rank('--shard', 'auto', '--quiet'), rank('--shard', 'torchrun', '--quiet')]);
  const { loss } = whole() as { loss: number };
  expect(outcomes).toEqual([
    { status: 0, signal: null, stdout: `${loss}\n`, stderr: '' },
    { status: 0, signal: null, stdout: '', stderr: '' },
  ]);
});

test('--shard 0/1 and --state are each for themselves', async () => {
  const { loss } = whole() as { loss: number };
  const state = join(scratch.path, '{shard}.json');
  const [alone, part] = await runRanks(
    [rank('--shard', '0/1', '--quiet'), rank('--state', state, '--quiet')],
    launched,
  );
  expect(alone).toMatchObject({ status: 0, stdout: `${loss}\n`, stderr: '' });
  expect(part?.stderr).toBe('shard 1 of 2, by RANK and WORLD_SIZE; --shard 0/1 evaluates all rows\n');
  expect(readdirSync(scratch.path)).toEqual(['1.json']);
});

test('ranks with other options are refused by name, and a rank that fails ends the others', async () => {
  const [first, second] = await runRanks(
    [rank('--quiet'), rank('--quiet', '--option', 'labelSmoothing=0.1')],
    launched,
  );
  expect(first).toMatchObject({ status: 1, stdout: '' });
  expect(first?.stderr).toContain(
    "rank 1: was evaluated with option 'labelSmoothing' 0.1, but rank 0 without option 'labelSmoothing'",
  );
  expect(second).toMatchObject({ status: 0, stdout: '' });
  const page = join(scratch.path, 'page.html');
  const [waiting, failed] = await runRanks([rank('--report', page), rank('--option', 'ignoreIndex=x')], launched);
  expect(failed?.status).not.toBe(0);
  expect(waiting).toMatchObject({ status: 1, stdout: '' });
  expect(waiting?.stderr).toMatch(/rank 0 of 2/);
  expect(readdirSync(scratch.path)).toEqual([]);
});

test.each([
  ['--per-sample', 'losses.npy', "expected '--per-sample' to have {shard} in its path, as each rank writes a file"],
  ['--gradient', 'gradient.npy', "expected '--gradient' to have {shard} in its path"],
  ['--gradient', '{shard}.npy', "expected '--gradient' to come with '--reduction sum' in a shard"],
  ['--group-by', '-', "expected '-' to be a file, as ranks cannot share a standard input"],
])('%s %s is refused', async (flag, value, message) => {
  for (const { status, stderr } of await runRanks([rank(flag, value), rank(flag, value)], launched)) {
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  }
});

const python = findPython();
if ('unavailable' in python) {
  test(`no torchrun to start ranks: ${python.unavailable}`, () => undefined);
} else {
  test('torchrun starts ranks that share the rows', () => {
    const { args } = rank('--quiet') as { args: readonly string[] };
    const launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2', '--no-python'];
    const { status, stdout } = spawnSync(python.command, [...launcher, process.execPath, ...args], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: process.platform === 'darwin' ? 'lo0' : 'lo' },
    });
    const { loss } = whole() as { loss: number };
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${loss}\n` });
  });
}
