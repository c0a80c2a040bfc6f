/** Ranks of Node and of Python in one group, in both orders: the same bits. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { dist as library } from '../support/child';
import { findPython } from '../support/live';
import { printedByRanks, type Rank } from '../support/ranks';
import { testWhere } from '../support/where';

const python = findPython();
const live = testWhere('command' in python, 'unavailable' in python ? python.unavailable : '');
const command = 'command' in python ? python.command : '';
const quiet = { PYTHONDONTWRITEBYTECODE: '1' };

const path = (name: string): string => join(__dirname, name);
const node = (name: string, ...args: string[]): Rank => ({
  command: process.execPath,
  args: [path(`${name}.cjs`), library, ...args],
});
const py = (name: string, ...args: string[]): Rank => ({
  command,
  args: ['-W', 'ignore', path(`${name}.py`), ...args],
});

live('collectives of three ranks', async () => {
  const of = async (...ranks: Rank[]): Promise<number[][][]> => printedByRanks<number[][]>(ranks, quiet);
  const expected = await of(py('collectives'), py('collectives'), py('collectives'));
  expect(await of(node('collectives'), py('collectives'), node('collectives'))).toEqual(expected);
  expect(await of(py('collectives'), node('collectives'), py('collectives'))).toEqual(expected);
});

const trainings = JSON.stringify([
  {},
  { gradientAsBucketView: true, bucketCapMb: 0.005 },
  { findUnusedParameters: true },
  { staticGraph: true },
]);

live('trainings of two ranks with DistributedDataParallel', async () => {
  const [n, p] = [node('training', trainings), py('training', trainings)];
  const expected = await printedByRanks([p, p], quiet);
  expect(await printedByRanks([n, p], quiet)).toEqual(expected);
  expect(await printedByRanks([p, n], quiet)).toEqual(expected);
  expect(await printedByRanks([n, n])).toEqual(expected);
});

live('with TORCH_DISTRIBUTED_DEBUG=DETAIL, ranks of both are told what differs', async () => {
  const ofNode = `
    await distributed.initProcessGroup('gloo');
    try {
      await distributed.allReduce(torch.ones(40_000));
    } catch ({ message }) {
      console.log(JSON.stringify(message));
    }
  `;
  const ofPython = [
    'import json, torch, torch.distributed as dist',
    'dist.init_process_group("gloo")',
    'try: dist.all_reduce(torch.ones(3))',
    'except RuntimeError as error: print(json.dumps(str(error)))',
  ].join('\n');
  const detail = { ...quiet, TORCH_DISTRIBUTED_DEBUG: 'DETAIL', TORCH_CPP_LOG_LEVEL: 'FATAL' };
  const ranks = [ofNode, { command, args: ['-W', 'ignore', '-c', ofPython] }];
  const [first, second] = await printedByRanks<string>(ranks, detail);
  expect(first).toContain('allReduce: rank 0 of 2: Detected mismatch between collectives on ranks. Rank 0');
  expect(second).toContain('Detected mismatch between collectives on ranks. Rank 1');
});

live('torchrun starts ranks of both', () => {
  const ofNode = [process.execPath, path('training.cjs'), library, "'[{}]'"].join(' ');
  const ofPython = [command, '-W ignore', path('training.py'), "'[{}]'"].join(' ');
  const program = `if [ "$RANK" = 0 ]; then ${ofNode}; else ${ofPython}; fi`;
  const torchrun = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2', '--no-python'];
  const env = { ...process.env, ...quiet, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  const { status, stdout, stderr } = spawnSync(command, [...torchrun, 'bash', '-c', program], {
    encoding: 'utf8',
    env,
  });
  expect(status === 0 ? '' : stderr).toBe('');
  expect(stdout.match(/"weights": ?"[0-9a-f]{64}"/g)).toHaveLength(2);
});
