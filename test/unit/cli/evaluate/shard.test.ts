/** What `--shard` asks for, by itself and under each scheduler. */

import { parseEvaluateArguments } from '../../../../lib/cli/evaluate/evaluate';
import { isScheduled, readShard, shardPath } from '../../../../lib/cli/evaluate/shard';

type Environment = Record<string, string>;

const slurm = (id: number, min: number, count: number, step = 1): Environment => ({
  SLURM_ARRAY_JOB_ID: '77',
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_MIN: String(min),
  SLURM_ARRAY_TASK_MAX: String(min + (count - 1) * step),
  SLURM_ARRAY_TASK_STEP: String(step),
  SLURM_ARRAY_TASK_COUNT: String(count),
});

test.each<[string, Environment, [index: number, count: number], string[]]>([
  ['0/1', {}, [0, 1], []],
  ['2/8', slurm(0, 0, 3), [2, 8], []],
  ['auto', slurm(1, 0, 3), [1, 3], ['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT']],
  ['auto', slurm(3, 1, 3), [2, 3], ['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT']],
  ['slurm', slurm(30, 10, 3, 10), [2, 3], ['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT']],
  // Not all of the variables of a real Slurm.
  [
    'auto',
    { SLURM_ARRAY_TASK_ID: '2', SLURM_ARRAY_TASK_COUNT: '3' },
    [2, 3],
    ['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT'],
  ],
  ['auto', { RANK: '3', WORLD_SIZE: '4' }, [3, 4], ['RANK', 'WORLD_SIZE']],
  ['torchrun/4', { RANK: '3', WORLD_SIZE: '4' }, [3, 4], ['RANK', 'WORLD_SIZE']],
  ['auto/8', { JOB_COMPLETION_INDEX: '7' }, [7, 8], ['JOB_COMPLETION_INDEX']],
  ['kubernetes/8', { JOB_COMPLETION_INDEX: '0' }, [0, 8], ['JOB_COMPLETION_INDEX']],
  [
    'auto',
    { AWS_BATCH_JOB_ARRAY_INDEX: '1', AWS_BATCH_JOB_ARRAY_SIZE: '2' },
    [1, 2],
    ['AWS_BATCH_JOB_ARRAY_INDEX', 'AWS_BATCH_JOB_ARRAY_SIZE'],
  ],
  [
    'auto',
    { CLOUD_RUN_TASK_INDEX: '9', CLOUD_RUN_TASK_COUNT: '10' },
    [9, 10],
    ['CLOUD_RUN_TASK_INDEX', 'CLOUD_RUN_TASK_COUNT'],
  ],
  // A group of one inside of an array, and two that agree.
  [
    'auto',
    { ...slurm(1, 0, 3), RANK: '0', WORLD_SIZE: '1' },
    [1, 3],
    ['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT'],
  ],
  [
    'auto',
    { ...slurm(1, 0, 3), RANK: '1', WORLD_SIZE: '3' },
    [1, 3],
    ['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT'],
  ],
  ['torchrun', { ...slurm(1, 0, 3), RANK: '2', WORLD_SIZE: '5' }, [2, 5], ['RANK', 'WORLD_SIZE']],
])('%s under %j', (text, env, [index, count], by) => {
  expect(readShard(text, env)).toEqual({ shard: { index, count }, by });
});

const forms = "evaluate: expected '--shard' to be <index>/<count> with an index from 0, or 'auto' under a scheduler";

test.each<[string, Environment, string]>([
  ['3/3', {}, `${forms}, but received "3/3"`],
  ['1', {}, forms],
  ['-1/3', {}, "evaluate: expected '--shard' to be"],
  ['1/0', {}, forms],
  ['1/', {}, forms],
  ['1/x', {}, forms],
  ['1.5/3', {}, "evaluate: expected '--shard' to be"],
  ['', {}, "evaluate: expected '--shard' to be"],
  ['slrum', {}, "evaluate: expected '--shard' to be"],
  ['auto', {}, "expected '--shard auto' to find one of SLURM_ARRAY_TASK_ID, RANK, JOB_COMPLETION_INDEX, "],
  ['slurm', {}, 'expected SLURM_ARRAY_TASK_COUNT of the environment to be an integer >= 0, but received undefined'],
  ['auto', { JOB_COMPLETION_INDEX: '1' }, "as in 'auto/8': JOB_COMPLETION_INDEX comes without a number of them"],
  [
    'auto/8',
    { JOB_COMPLETION_INDEX: '8' },
    'expected JOB_COMPLETION_INDEX of the environment to count 8 shards from 0',
  ],
  ['auto/4', slurm(1, 0, 3), "expected '--shard' to be of 3 shards, as SLURM_ARRAY_TASK_COUNT says, but received 4"],
  // --array=1-3 without the least one, and --array=0,1,5.
  ['auto', { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_COUNT: '3' }, 'to count 3 shards from 0 in steps of 1'],
  ['auto', slurm(5, 0, 3), 'to count 3 shards from 0 in steps of 1, but received "5"'],
  ['auto', { RANK: 'x', WORLD_SIZE: '4' }, 'expected RANK of the environment to be an integer >= 0, but received "x"'],
  ['auto', { RANK: '1' }, 'expected WORLD_SIZE of the environment to be an integer >= 0, but received undefined'],
  [
    'auto',
    { ...slurm(1, 0, 3), RANK: '2', WORLD_SIZE: '5' },
    "expected '--shard auto' to find one shard (choose by --shard slurm or --shard torchrun), but received " +
      '1/3 by SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, 2/5 by RANK and WORLD_SIZE',
  ],
])('%s under %j is refused', (text, env, message) => {
  expect(() => readShard(text, env)).toThrow(message);
});

describe('variables alone', () => {
  const env = slurm(1, 0, 3);
  const args = ['--loss', 'mse', '--input', 'x.npy', '--target', 'y.npy'];

  test('divide nothing', () => {
    expect(isScheduled(env)).toBe(true);
    expect(isScheduled({})).toBe(false);
    const { evaluation, notice } = parseEvaluateArguments([...args, '--json'], env);
    expect([evaluation.shard, evaluation.state, notice]).toEqual([undefined, undefined, undefined]);
  });

  test('count for --state, which says so', () => {
    const { evaluation, notice } = parseEvaluateArguments([...args, '--state', 's-{shard}.json'], env);
    expect(evaluation.shard).toEqual({ index: 1, count: 3 });
    expect(evaluation.state?.path).toBe('s-1.json');
    expect(notice).toBe(
      'shard 1 of 3, by SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT; --shard 0/1 evaluates all rows',
    );
    expect(parseEvaluateArguments([...args, '--state', 's.json'], {}).evaluation.shard).toEqual({ index: 0, count: 1 });
    const asked = parseEvaluateArguments([...args, '--state', 's.json', '--shard', '0/1'], env);
    expect([asked.evaluation.shard, asked.notice]).toEqual([{ index: 0, count: 1 }, undefined]);
  });

  test('of torchrun share the rows among ranks that can meet', () => {
    const ranks = { RANK: '2', WORLD_SIZE: '4', MASTER_ADDR: '127.0.0.1', MASTER_PORT: '29500' };
    const of = (given: Environment, ...flags: string[]): unknown[] => {
      const { evaluation, together, notice } = parseEvaluateArguments([...args, ...flags], given);
      return [together, evaluation.shard?.count, notice];
    };
    const launched = { ...ranks, TORCHELASTIC_RUN_ID: 'none' };
    const notice = '4 ranks share the rows, by RANK and WORLD_SIZE; --shard 0/1 evaluates all rows';
    expect(of(launched)).toEqual([true, 4, undefined]);
    expect(of({ ...launched, RANK: '0' })).toEqual([true, 4, notice]);
    expect(of({ ...launched, RANK: '0', WORLD_SIZE: '1' })).toEqual([false, undefined, undefined]);
    expect(of(ranks)).toEqual([false, undefined, undefined]);
    expect(of(ranks, '--shard', 'auto')).toEqual([true, 4, undefined]);
    expect(of(launched, '--shard', '0/1')).toEqual([false, 1, undefined]);
    expect(of(launched, '--shard', '2/4')).toEqual([false, 4, undefined]);
    expect(of(launched, '--shard', 'torchrun', '--state', 's')).toEqual([false, 4, undefined]);
    expect(of({ RANK: '2', WORLD_SIZE: '4' }, '--shard', 'auto')).toEqual([false, 4, undefined]);
  });

  test('are not looked at for --help', () => {
    expect(parseEvaluateArguments(['--help', '--shard', 'auto'], {}).help).toBe(true);
  });
});

test('what a state holds: all that is printed, less for --quiet', () => {
  const of = (...flags: string[]): boolean[] => {
    const args = ['--loss', 'mse', '--input', 'x.npy', '--target', 'y.npy', ...flags];
    const { predictions, details } = parseEvaluateArguments(args, {}).evaluation;
    return [predictions, details];
  };
  expect(of('--state', 's')).toEqual([true, true]);
  expect(of('--state', 's', '--quiet')).toEqual([false, false]);
  expect(of('--state', 's', '--quiet', '--json')).toEqual([true, true]);
  expect(of()).toEqual([true, false]);
});

test('paths with the number of the shard have one length', () => {
  expect(shardPath("'--state'", 'a/{shard}-{shard}.json', { index: 7, count: 1024 })).toBe('a/0007-0007.json');
  expect(shardPath("'--state'", 'a.json', undefined)).toBe('a.json');
  expect(shardPath("'--state'", '{shard}', { index: 0, count: 1 })).toBe('0');
  expect(() => shardPath("'--report'", '{shard}.html', undefined)).toThrow(
    "evaluate: expected '--report' to name a file without {shard}, or with '--shard', but received \"{shard}.html\"",
  );
});
