/** What goes wrong between ranks is said on every rank, with the operation and the rank, within the timeout. */
import { createServer } from 'node:net';
import type { Outcome } from '../support/child';
import { onRanks, printedByRanks, runRanks } from '../support/ranks';

/** What c10d writes about sockets whose time is over is its own. */
const silent = { TORCH_CPP_LOG_LEVEL: 'FATAL' };

/** Has `attempts` collect the messages of what fails. */
const attempting = `
  const messages = [];
  const attempt = async (fn) => {
    try {
      await fn();
      messages.push('ok');
    } catch ({ code, message }) {
      messages.push(code + ' ' + message);
    }
  };
`;

const printing = (timeout: number, program: string): string => `
  ${attempting}
  await distributed.initProcessGroup('gloo', { timeout: ${timeout} });
  ${program}
  await distributed.destroyProcessGroup();
  console.log(JSON.stringify(messages));
`;

test('calls that differ are refused on every rank, and the group goes on', async () => {
  const program = printing(
    30_000,
    `
    await attempt(() => distributed.allReduce(torch.ones(rank === 0 ? 3 : 40_000)));
    await attempt(() => distributed.allReduce(torch.ones(3, { dtype: rank === 0 ? 'int32' : 'float32' })));
    await attempt(() => distributed.allReduce(torch.ones(3), rank === 0 ? 'sum' : 'max'));
    await attempt(() => (rank === 0 ? distributed.broadcast(torch.ones(3)) : distributed.barrier()));
    await attempt(() => distributed.broadcast(torch.ones(3), rank));
    const splits = rank === 0 ? [1, 3] : [2, 2];
    await attempt(() => distributed.allToAllSingle(torch.zeros(4), torch.ones(4), [2, 2], splits));
    await attempt(() =>
      rank === 0 ? distributed.send(torch.ones(2, 3), 1) : distributed.recv(torch.zeros(6, { dtype: 'float64' }), 0),
    );
    await attempt(() => (rank === 0 ? distributed.send(torch.ones(30_000), 1) : distributed.recv(torch.zeros(1))));
    await attempt(() => (rank === 0 ? distributed.send(torch.ones(3), 1) : distributed.recv(torch.zeros(3))));
    const x = torch.full([2], rank + 1);
    await distributed.allReduce(x);
    messages.push(x.toArray());
    `,
  );
  const [first, second] = await printedByRanks<string[]>(onRanks(2, program));
  const differ = (op: string, rank: number, one: string, other: string): string =>
    `DISTRIBUTED ${op}: rank ${rank} of 2: expected the same call on every rank, but received ${one} on rank 0 and ${other} on rank 1`;
  const collectives = (rank: number): string[] => [
    differ('allReduce', rank, "allReduce('sum' of float32 [3])", "allReduce('sum' of float32 [40000])"),
    differ('allReduce', rank, "allReduce('sum' of int32 [3])", "allReduce('sum' of float32 [3])"),
    differ('allReduce', rank, "allReduce('sum' of float32 [3])", "allReduce('max' of float32 [3])"),
    differ(rank === 0 ? 'broadcast' : 'barrier', rank, 'broadcast(float32 [3] from 0)', 'barrier()'),
    differ('broadcast', rank, 'broadcast(float32 [3] from 0)', 'broadcast(float32 [3] from 1)'),
    `DISTRIBUTED allToAllSingle: rank ${rank} of 2: expected rank 0 to receive what rank 0 sends, 4 bytes, but received room for 8`,
  ];
  expect(first).toEqual([...collectives(0), 'ok', 'ok', 'ok', [3, 3]]);
  expect(second).toEqual([
    ...collectives(1),
    'DISTRIBUTED recv: rank 1 of 2: expected rank 0 to send Double [6], but received Float [2, 3]',
    'DISTRIBUTED recv: rank 1 of 2: expected rank 0 to send Float [1], but received Float [30000]',
    'ok',
    [3, 3],
  ]);
});

const collectives: Record<string, string> = {
  allReduce: 'distributed.allReduce(torch.ones(3))',
  broadcast: 'distributed.broadcast(torch.ones(3), 1)',
  allGather: 'distributed.allGather([torch.ones(3), torch.ones(3)], torch.ones(3))',
  reduceScatterTensor: 'distributed.reduceScatterTensor(torch.ones(3), torch.ones(6))',
  allToAllSingle: 'distributed.allToAllSingle(torch.ones(2), torch.ones(2))',
  barrier: 'distributed.barrier()',
  recv: 'distributed.recv(torch.ones(3), 1)',
};

test.each(Object.entries(collectives))('a rank that dies: %s fails on the other', async (op, call) => {
  const program = printing(
    20_000,
    `
    if (rank === 1) process.kill(process.pid, 'SIGKILL');
    await attempt(() => ${call});
    `,
  );
  const [survivor, dead] = (await runRanks(onRanks(2, program), silent)) as [Outcome, Outcome];
  expect(dead.signal).toBe('SIGKILL');
  expect(survivor).toMatchObject({ status: 0, signal: null });
  expect(JSON.parse(survivor.stdout)).toEqual([expect.stringContaining(`DISTRIBUTED ${op}: rank 0 of 2: `)]);
});

test('a call that one rank never makes ends at the timeout, also for who does not await it', async () => {
  const program = printing(
    1000,
    `
    if (rank === 0) {
      await attempt(() => distributed.allReduce(torch.ones(3)));
      await attempt(() => distributed.recv(torch.ones(3), 1));
      const x = torch.ones(3);
      distributed.allReduce(x);
      await attempt(() => x.item());
      await attempt(() => distributed.monitoredBarrier({ timeout: 500 }));
    } else {
      await new Promise((resolve) => setTimeout(resolve, 6000));
    }
    `,
  );
  const [first] = await runRanks(onRanks(2, program), silent);
  const messages = JSON.parse(first?.stdout ?? '') as string[];
  expect(messages).toHaveLength(4);
  expect(messages[0]).toMatch(
    /^DISTRIBUTED allReduce: rank 0 of 2: expected every rank to call it within 1000 ms, but at least one has not, or has ended/,
  );
  expect(messages[1]).toMatch(/^DISTRIBUTED recv: rank 0 of 2: /);
  expect(messages[2]).toMatch(/^DISTRIBUTED allReduce: rank 0 of 2: /);
  expect(messages[3]).toMatch(/^DISTRIBUTED monitoredBarrier: rank 0 of 2: /);
});

test('a rank that dies while another one is in backward', async () => {
  const program = `
    ${attempting}
    await distributed.initProcessGroup('gloo', { timeout: 20_000 });
    const model = new nn.parallel.DistributedDataParallel(new nn.Linear(4, 2));
    const loss = model(torch.ones(1, 4)).sum();
    if (rank === 1) process.kill(process.pid, 'SIGKILL');
    await attempt(() => loss.backward());
    console.log(JSON.stringify(messages));
  `;
  const [survivor] = (await runRanks(onRanks(2, program), silent)) as [Outcome, Outcome];
  expect(survivor).toMatchObject({ status: 0, signal: null });
  expect(JSON.parse(survivor.stdout)).toEqual([
    expect.stringContaining('DISTRIBUTED backward of DistributedDataParallel: rank 0 of 2: '),
  ]);
});

test('processes that do not find each other', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const program = `
    ${attempting}
    const { initProcessGroup } = distributed;
    delete process.env.MASTER_PORT;
    await attempt(() => initProcessGroup('gloo'));
    await attempt(() => initProcessGroup('nccl'));
    await attempt(() => initProcessGroup('mpi'));
    await attempt(() => initProcessGroup('gloo', { initMethod: 'http://127.0.0.1:1' }));
    await attempt(() => initProcessGroup('gloo', { initMethod: 'tcp://127.0.0.1:1', rank: 2, worldSize: 2 }));
    await attempt(() => initProcessGroup('gloo', { timeout: 0, rank: 0, worldSize: 1 }));
    await attempt(() => initProcessGroup('gloo', { initMethod: 'file:///no/such/folder/x', rank: 0, worldSize: 1 }));
    await attempt(() => initProcessGroup('gloo', { initMethod: 'tcp://127.0.0.1:${port}', rank: 0, worldSize: 1, timeout: 2000 }));
    await attempt(() => initProcessGroup('gloo', { store: new distributed.HashStore(), rank: 0, worldSize: 2, timeout: 300 }));
    await attempt(() => distributed.allReduce(torch.ones(1)));
    await attempt(() => initProcessGroup('gloo', { store: new distributed.HashStore(), rank: 0, worldSize: 1 }));
    await attempt(() => initProcessGroup('gloo', { store: new distributed.HashStore(), rank: 0, worldSize: 1 }));
    await attempt(() => distributed.newGroup([1]));
    await attempt(() => distributed.broadcast(torch.ones(1), 3));
    await attempt(() => distributed.send(torch.ones(1), 0));
    await attempt(() => distributed.allReduce(torch.ones(1), 'mean'));
    await attempt(() => distributed.destroyProcessGroup());
    console.log(JSON.stringify(messages));
  `;
  const [outcome] = await runRanks([program], silent);
  server.close();
  const text = (part: string): unknown => expect.stringContaining(part);
  expect(JSON.parse(outcome?.stdout ?? '')).toEqual([
    text('INVALID_ARGUMENT initProcessGroup: expected the environment variable MASTER_PORT to be set'),
    text(
      "INVALID_ARGUMENT initProcessGroup: expected 'backend' to be 'gloo', but received \"nccl\": this build has no NCCL",
    ),
    text("INVALID_ARGUMENT initProcessGroup: expected 'backend' to be one of 'gloo'"),
    text("expected option 'initMethod' to be 'env://', 'tcp://host:port' or 'file:///path'"),
    text("expected option 'rank' to be in [0, worldSize), but received rank 2 of 2"),
    text("expected option 'timeout' to be milliseconds"),
    text("INVALID_ARGUMENT FileStore: expected 'path' to be in a folder that exists"),
    text('DISTRIBUTED initProcessGroup: rank 0 of 1: The server socket has failed to listen'),
    text('DISTRIBUTED initProcessGroup: rank 0 of 2: '),
    text('INVALID_ARGUMENT allReduce: expected a default process group, but received none'),
    'ok',
    text('expected no default process group, but one was made before'),
    text("newGroup: expected 'ranks' to be integers in [0, 1)"),
    text("broadcast: expected 'src' to be one of the ranks of the group, [0]"),
    text("send: expected 'dst' to be the rank of another process"),
    text("allReduce: expected option 'op' to be one of 'sum'"),
    'ok',
  ]);
});
