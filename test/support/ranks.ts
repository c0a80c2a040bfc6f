/** Programs of several processes that form a group: what torchrun sets is set here. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dist, type Outcome } from './child';

// Processes take their time to start, where others run beside.
jest.setTimeout(120_000);

/** One process of a group: a program of Node, or another command. */
export type Rank = string | { command: string; args: readonly string[] };

/** The beginning of a rank's program. */
const prologue = `
  const torch = require(${JSON.stringify(dist)});
  const { distributed, nn, optim } = torch;
  const F = nn.functional;
  const [rank, size] = [Number(process.env.RANK), Number(process.env.WORLD_SIZE)];
`;

/** A port of 127.0.0.1 that nobody uses at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a process for each rank, and gives how they ended. Programs are the body of an asynchronous function. */
export async function runRanks(ranks: readonly Rank[], variables: NodeJS.ProcessEnv = {}): Promise<Outcome[]> {
  const port = String(await freePort());
  return Promise.all(
    ranks.map((each, rank) =>
      runRank(each, {
        RANK: String(rank),
        WORLD_SIZE: String(ranks.length),
        LOCAL_RANK: String(rank),
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: port,
        // Whatever this machine's name resolves to.
        GLOO_SOCKET_IFNAME: process.platform === 'darwin' ? 'lo0' : 'lo',
        ...variables,
      }),
    ),
  );
}

function runRank(rank: Rank, variables: NodeJS.ProcessEnv): Promise<Outcome> {
  const program = (body: string): readonly string[] => ['--expose-gc', '-e', `${prologue}(async () => {${body}})();`];
  const { command, args } = typeof rank === 'string' ? { command: process.execPath, args: program(rank) } : rank;
  const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', ...variables };
  const child = spawn(command, args, { env, timeout: 60_000, killSignal: 'SIGKILL' });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

/** What each rank printed as JSON, if all ended as they should and complained about nothing. */
export async function printedByRanks<T>(ranks: readonly Rank[], variables?: NodeJS.ProcessEnv): Promise<T[]> {
  const outcomes = await runRanks(ranks, variables);
  return outcomes.map(({ stdout, ...end }) => {
    expect(end).toEqual({ status: 0, signal: null, stderr: '' });
    return JSON.parse(stdout) as T;
  });
}

/** The same program on every rank. */
export const onRanks = (count: number, program: string): string[] => Array<string>(count).fill(program);
