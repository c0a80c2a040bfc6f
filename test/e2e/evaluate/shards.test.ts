/** Evaluations that processes share: the recipes of docs/shards.md, and what a process leaves that does not end well. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { npyDictionary, npyStart } from '../../support/arrays';
import { crossEntropy, digits, env, evaluate, files, main, resultOf } from '../../support/evaluate-command';
import { fakeSchedulers } from '../../support/fake-schedulers';
import { folder } from '../../support/folder';
import { describeWhere } from '../../support/where';

jest.setTimeout(180_000);

const scratch = folder('for each test');
const document = readFileSync(join(__dirname, '../../../docs/shards.md'), 'utf8');

/** The blocks below a heading of docs/shards.md. */
function blocksBelow(heading: string): string[] {
  const [, section = ''] = document.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, block]) => block as string);
}

/** The digits' scores in three files, and their labels. */
function writeData(): void {
  const bytes = readFileSync(join(digits, 'logits.npy'));
  const start = 10 + bytes.readUInt16LE(8);
  for (const [i, [first, end]] of [
    [0, 100],
    [100, 101],
    [101, 360],
  ].entries() as Iterable<[number, [number, number]]>) {
    const header = npyStart(npyDictionary("'<f4'", [end - first, 10]));
    const rows = bytes.subarray(start + first * 40, start + end * 40);
    writeFileSync(join(scratch.path, `logits-${i}.npy`), Buffer.concat([header, rows]));
  }
  writeFileSync(join(scratch.path, 'labels.npy'), readFileSync(join(digits, 'labels.npy')));
}

/** Runs a command beside the data; gives what it prints. */
function run(command: string, args: readonly string[], variables: Record<string, string> = {}): string {
  const PATH = `${join(scratch.path, 'bin')}${delimiter}${process.env.PATH}`;
  const options = { cwd: scratch.path, encoding: 'utf8', env: { ...env, PATH, ...variables } } as const;
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status}\n${stderr}`);
  return stdout;
}

/** The command of a container. */
function commandOf(yaml: string): string[] {
  return [...yaml.matchAll(/^ *(?:command|args):\s*\[(.*?)\]/gms)].flatMap(([, list]) =>
    (list as string).split(',').map((word) => word.trim().replace(/^(["'])(.*)\1$/, '$2')),
  );
}

/** What the states beside the data say together, without the run. */
function merged(): unknown {
  const { run: about, ...result } = JSON.parse(run('npx', ['libtorch-losses', 'merge', 'part-*.json', '--json']));
  expect(about.shards).toBe(4);
  return result;
}

// The fake schedulers are files that run themselves, and Slurm's script is bash's.
describeWhere(process.platform !== 'win32', 'POSIX shells')('under each scheduler', () => {
  let whole: unknown;

  beforeAll(() => {
    const { run: _, ...result } = resultOf(...files);
    whole = result;
  });

  beforeEach(() => {
    writeData();
    fakeSchedulers(scratch.path);
  });

  test('Slurm', () => {
    const [script, submit] = blocksBelow('Slurm') as [string, string];
    writeFileSync(join(scratch.path, 'evaluate.sh'), script);
    expect(run('bash', ['-c', submit])).toContain('Merged from 4 shards');
    expect(readFileSync(join(scratch.path, 'report.html'), 'utf8')).toContain('Merged from 4 shards');
    expect(merged()).toEqual(whole);
    const losses = join(scratch.path, 'losses.npy');
    resultOf(...files, '--per-sample', losses);
    const elements = (name: string): Buffer => readFileSync(join(scratch.path, name)).subarray(128);
    const parts = [0, 1, 2, 3].map((index) => elements(`losses-${index}.npy`));
    expect(Buffer.concat(parts).equals(elements('losses.npy'))).toBe(true);
  });

  test.each(['AWS Batch', 'Cloud Run', 'torchrun'])('%s', (name) => {
    // Ranks that share the rows have a test of their own.
    for (const block of blocksBelow(name)) if (block.includes('{shard}')) run('bash', ['-c', block]);
    expect(merged()).toEqual(whole);
  });

  test('Kubernetes', () => {
    const [job] = blocksBelow('Kubernetes') as [string];
    const [command = '', ...args] = commandOf(job);
    const completions = Number(/completions: (\d+)/.exec(job)?.[1]);
    for (let i = 0; i < completions; i++) run(command, args, { JOB_COMPLETION_INDEX: String(i) });
    expect(merged()).toEqual(whole);
  });

  test('Argo Workflows', () => {
    const [workflow] = blocksBelow('Argo Workflows') as [string];
    const [evaluation, merge] = workflow.split('- name: merge\n      container').map(commandOf) as [string[], string[]];
    for (let i = 0; i < Number(/count: "(\d+)"/.exec(workflow)?.[1]); i++) {
      const [command = '', ...args] = evaluation.map((word) =>
        word.replaceAll('{{inputs.parameters.index}}', String(i)),
      );
      run(command, args);
    }
    expect(run(merge[0] as string, merge.slice(1))).toContain('Merged from 4 shards');
    expect(merged()).toEqual(whole);
  });

  test('the variables of a scheduler divide nothing by themselves, and --state says that they do', () => {
    const variables = { SLURM_ARRAY_TASK_ID: '2', SLURM_ARRAY_TASK_COUNT: '3' };
    const args = [main, 'evaluate', ...crossEntropy, '--input', 'logits-*.npy', '--target', 'labels.npy'];
    const { run: _, ...result } = JSON.parse(run(process.execPath, [...args, '--json'], variables));
    expect(result).toEqual(whole);
    const { stdout, stderr } = spawnSync(process.execPath, [...args, '--state', 'part.json'], {
      cwd: scratch.path,
      encoding: 'utf8',
      env: { ...env, ...variables },
    });
    expect(stderr).toBe(
      'shard 2 of 3, by SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT; --shard 0/1 evaluates all rows\n',
    );
    expect(stdout).toContain('Mean of 120 losses\nShard 2 of 3, counted from 0: rows 240 to 359 of 360\n');
    expect(stdout).toMatch(/The state is part\.json\n$/);
  });
});

test('merging needs no libtorch', () => {
  const path = join(scratch.path, 'part.json');
  expect(evaluate([...crossEntropy, ...files, '--shard', '0/1', '--state', path, '--quiet']).status).toBe(0);
  const options = { encoding: 'utf8', env: { ...env, LIBTORCH: join(scratch.path, 'none') } } as const;
  const { status, stdout } = spawnSync(process.execPath, [main, 'merge', path, '--quiet'], options);
  expect([status, stdout]).toEqual([0, evaluate([...crossEntropy, ...files, '--quiet']).stdout]);
});

test('standard input can be divided if it says how many rows there are', () => {
  const bytes = readFileSync(join(digits, 'logits.npy'));
  const paths = [0, 1, 2].map((index) => {
    const path = join(scratch.path, `${index}.json`);
    const args = ['--input', '-', '--target', 'labels.npy', '--shard', `${index}/3`, '--state', path, '--quiet'];
    expect(evaluate([...crossEntropy, ...args], bytes)).toMatchObject({ status: 0, stderr: '' });
    return path;
  });
  const { stdout } = spawnSync(process.execPath, [main, 'merge', ...paths, '--quiet'], { encoding: 'utf8', env });
  expect(stdout).toBe(evaluate([...crossEntropy, ...files, '--quiet']).stdout);
  const raw = ['--input', '-', '--stdin-dtype', 'float32', '--stdin-row', '10', '--target', 'labels.npy'];
  const { status, stderr } = evaluate([...crossEntropy, ...raw, '--shard', '0/3', '--quiet'], bytes.subarray(128));
  expect([status, stderr]).toEqual([
    1,
    'standard input: does not say how many rows it has, so that it cannot be evaluated in shards\n',
  ]);
});

test.each([
  [['--shard', '3/3'], 2, "expected '--shard' to be <index>/<count> with an index from 0"],
  [['--shard', 'auto'], 2, "expected '--shard auto' to find one of SLURM_ARRAY_TASK_ID"],
  [['--state', '{shard}/none/part.json'], 2, "expected '--state' to be in an existing folder"],
  [['--report', 'page-{shard}.html'], 2, "expected '--report' to name a file without {shard}, or with '--shard'"],
])('%j is refused', (flags, status, message) => {
  const outcome = evaluate([...crossEntropy, ...files, ...flags]);
  expect(outcome.status).toBe(status);
  expect(outcome.stderr).toContain(message);
});

describeWhere(process.platform !== 'win32', 'signals between processes')('a process that is killed', () => {
  test('leaves no state, and the next attempt removes what it left', async () => {
    const rows = 400_000;
    const zeros = (name: string, descriptor: string, shape: readonly number[], size: number): string => {
      const file = openSync(join(scratch.path, name), 'w');
      const start = npyStart(npyDictionary(`'${descriptor}'`, shape));
      writeSync(file, start);
      ftruncateSync(file, start.length + size);
      closeSync(file);
      return join(scratch.path, name);
    };
    const input = zeros('logits.npy', '<f4', [rows, 1000], rows * 4000);
    const target = zeros('labels.npy', '<i8', [rows], rows * 8);
    const [state, losses] = [join(scratch.path, 'part-{shard}.json'), join(scratch.path, 'losses-{shard}.npy')];
    const args = [main, 'evaluate', ...crossEntropy, '--input', input, '--target', target, '--quiet'];
    const shard = (which: string): string[] => [...args, '--shard', which, '--state', state, '--per-sample', losses];
    const child = spawn(process.execPath, shard('0/2'), { env, stdio: 'ignore' });
    const written = (): number => {
      const name = readdirSync(scratch.path).find((file) => file.startsWith('losses-0.npy.partial-'));
      return name === undefined ? 0 : statSync(join(scratch.path, name)).size;
    };
    while (child.exitCode === null && written() <= 20_000) await new Promise((done) => setTimeout(done, 10));
    const ended = new Promise<string | null>((done) => child.on('close', (_, signal) => done(signal)));
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    const names = (): string[] => readdirSync(scratch.path).filter((name) => !/^(logits|labels)\.npy$/.test(name));
    expect(names().filter((name) => !name.includes('.partial-'))).toEqual([]);
    expect(names()).toHaveLength(2);

    // The other shard, with fewer rows now, so that it is soon done.
    const few = ['--shard', '399999/400000', '--state', join(scratch.path, 'few.json')];
    expect(spawnSync(process.execPath, [...args, ...few], { env }).status).toBe(0);
    const merge = spawnSync(process.execPath, [main, 'merge', join(scratch.path, '*.json')], { encoding: 'utf8', env });
    expect([merge.status, merge.stdout]).toEqual([1, '']);
    expect(merge.stderr).toMatch(/^merge: shards 0, 1, 2, .* and 399979 more of 400000 are missing/);

    const again = [...args, '--shard', '0/400000', '--state', join(scratch.path, 'part-0.json')];
    expect(
      spawnSync(process.execPath, [...again, '--per-sample', join(scratch.path, 'losses-0.npy')], { env }).status,
    ).toBe(0);
    expect(names().sort()).toEqual(['few.json', 'losses-0.npy', 'part-0.json']);
  });
});
