/** Commands with the names of schedulers' own, which start each process of a job with the variables that these set. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from './evaluate-command';

/** What all of the commands can do. */
const common = `#!${process.execPath}
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const args = process.argv.slice(2);
const valueOf = (flag) => {
  const at = args.findIndex((arg) => arg === flag || arg.startsWith(flag + '='));
  if (at < 0) throw new Error('expected ' + flag);
  return args[at] === flag ? args[at + 1] : args[at].slice(flag.length + 1);
};
// The last process comes first: an order is not promised by any scheduler.
const runAll = (count, variablesOf, command) => {
  for (let index = count - 1; index >= 0; index--) {
    const env = { ...process.env };
    for (const [name, value] of Object.entries(variablesOf(index))) env[name] = String(value);
    const { status } = spawnSync(command[0], command.slice(1), { env, stdio: ['ignore', 2, 2] });
    if (status !== 0) process.exit(status ?? 1);
  }
};
`;

const commands: Readonly<Record<string, string>> = {
  npx: `
    if (args.shift() !== 'libtorch-losses') throw new Error('expected libtorch-losses');
    process.exit(spawnSync(process.execPath, [${JSON.stringify(main)}, ...args], { stdio: 'inherit' }).status ?? 1);`,
  sbatch: `
    if (args.includes('--wrap')) {
      if (!/^afterok:77$/.test(valueOf('--dependency'))) throw new Error('expected the job that was submitted');
      process.exit(spawnSync('bash', ['-c', valueOf('--wrap')], { stdio: 'inherit' }).status ?? 1);
    }
    const script = args.at(-1);
    const [, first, last] = /^#SBATCH --array=(\\d+)-(\\d+)$/m.exec(readFileSync(script, 'utf8')).map(Number);
    const variables = (index) => ({
      SLURM_JOB_ID: 78 + index, SLURM_ARRAY_JOB_ID: 77, SLURM_ARRAY_TASK_ID: first + index,
      SLURM_ARRAY_TASK_COUNT: last - first + 1, SLURM_ARRAY_TASK_MIN: first, SLURM_ARRAY_TASK_MAX: last,
      SLURM_ARRAY_TASK_STEP: 1,
    });
    runAll(last - first + 1, variables, ['bash', script]);
    console.log(77);`,
  aws: `
    const size = Number(/^size=(\\d+)$/.exec(valueOf('--array-properties'))[1]);
    const variables = (index) => ({ AWS_BATCH_JOB_ARRAY_INDEX: index, AWS_BATCH_JOB_ARRAY_SIZE: size });
    runAll(size, variables, JSON.parse(valueOf('--container-overrides')).command);`,
  gcloud: `
    const tasks = Number(valueOf('--tasks'));
    const variables = (index) => ({ CLOUD_RUN_TASK_INDEX: index, CLOUD_RUN_TASK_COUNT: tasks });
    runAll(tasks, variables, [valueOf('--command'), ...valueOf('--args').split(',')]);`,
  torchrun: `
    const count = Number(valueOf('--nproc-per-node'));
    const variables = (index) => ({ RANK: index, LOCAL_RANK: index, WORLD_SIZE: count });
    runAll(count, variables, args.slice(args.indexOf('--no-python') + 1));`,
};

/** Writes the commands into a folder; gives that, for the PATH. */
export function fakeSchedulers(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const [name, text] of Object.entries(commands)) {
    writeFileSync(join(bin, name), common + text);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
