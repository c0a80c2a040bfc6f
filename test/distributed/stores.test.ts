/** Stores, objects, groups of workers, and ends without an end of the group. */
import { join } from 'node:path';
import { dist } from '../support/child';
import { folder } from '../support/folder';
import { onRanks, printedByRanks, runRanks } from '../support/ranks';

const temporary = folder('for each test');
const store = (): NodeJS.ProcessEnv => ({ STORE_FILE: join(temporary.path, 'store') });

test('every kind of store', async () => {
  const program = `
    const { TCPStore, FileStore, HashStore, PrefixStore } = distributed;
    const port = Number(process.env.MASTER_PORT);
    const server = rank === 0;
    const tcp = new TCPStore('127.0.0.1', port, { worldSize: 2, isMaster: server });
    const file = new FileStore(process.env.STORE_FILE, 2);
    const results = [];
    for (const store of [tcp, file, new PrefixStore('a/', tcp)]) {
      if (server) await store.set('key', 'välue');
      results.push(await store.get('key'));
      await store.add('count', rank + 1);
      await store.set('done' + rank, '');
      await store.wait(['done0', 'done1']);
      results.push(await store.add('count', 0), await store.check(['key', 'none']), await store.check(['key']));
    }
    results.push(await tcp.get('a//key'), tcp.port === port);
    const hash = new HashStore();
    setTimeout(() => hash.set('late', 'x'), 50);
    results.push(await hash.get('late'), await hash.compareSet('late', 'x', 'y'), await hash.deleteKey('late'), await hash.numKeys());
    try {
      await hash.wait(['never'], 100);
    } catch ({ code, op }) {
      results.push(code, op);
    }
    await tcp.set('end' + rank, '');
    await tcp.wait(['end0', 'end1']);
    console.log(JSON.stringify(results));
  `;
  const each = ['välue', 3, false, true];
  const expected = [...each, ...each, ...each, 'välue', true, 'x', 'y', true, 0, 'DISTRIBUTED', 'HashStore.wait'];
  const results = await printedByRanks(onRanks(2, program), store());
  expect(results).toEqual([expected, expected]);
});

test('values that JSON can hold', async () => {
  const program = `
    await distributed.initProcessGroup('gloo', { initMethod: 'file://' + process.env.STORE_FILE, rank, worldSize: size });
    const all = [];
    await distributed.allGatherObject(all, { rank, text: 'ä'.repeat(rank * 100) });
    const gathered = [];
    await distributed.gatherObject([rank], rank === 1 ? gathered : null, 1);
    const list = rank === 2 ? [{ a: 1 }, 'b', null] : [0, 0, 0];
    await distributed.broadcastObjectList(list, 2);
    const own = [];
    await distributed.scatterObjectList(own, rank === 0 ? ['x', { y: 'yy' }, 3] : null);
    const received = [0, 0];
    if (rank === 0) await distributed.sendObjectList(['one', { two: 2 }], 2);
    if (rank === 2) received.push(await distributed.recvObjectList(received));
    let refused;
    try {
      await distributed.allGatherObject([], () => {});
    } catch ({ message }) {
      refused = message;
    }
    await distributed.destroyProcessGroup();
    console.log(JSON.stringify([all.map(({ rank, text }) => [rank, text.length]), gathered, list, own, received, refused]));
  `;
  const results = await printedByRanks<unknown[]>(onRanks(3, program), store());
  const lengths = [
    [0, 0],
    [1, 100],
    [2, 200],
  ];
  const refused = 'allGatherObject: expected a value that JSON can hold, but received a function';
  const list = [{ a: 1 }, 'b', null];
  expect(results).toEqual([
    [lengths, [], list, ['x'], [0, 0], refused],
    [lengths, [[0], [1], [2]], list, [{ y: 'yy' }], [0, 0], refused],
    [lengths, [], list, [3], ['one', { two: 2 }, 0], refused],
  ]);
});

test('workers have a group each, and end in the middle of a collective', async () => {
  const worker = `
    const torch = require(${JSON.stringify(dist)});
    const { distributed } = torch;
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      await distributed.initProcessGroup('gloo', { initMethod: workerData.url, rank: workerData.rank, worldSize: 2 });
      const x = torch.full([2], workerData.rank + 1);
      await distributed.allReduce(x);
      const functional = torch.ops._c10d_functional;
      const sum = functional.wait_tensor(functional.all_reduce(torch.ones(1), 'sum', '0'));
      parentPort.postMessage([x.toArray(), sum.item()]);
      if (workerData.rank === 0) distributed.recv(torch.ones(1), 1).catch(() => {});
      else await distributed.destroyProcessGroup();
    })();
  `;
  const program = `
    const { Worker } = require('node:worker_threads');
    const code = ${JSON.stringify(worker)};
    const once = (worker, event) => new Promise((resolve) => worker.once(event, resolve));
    const start = (group, rank) =>
      new Worker(code, { eval: true, workerData: { rank, url: 'file://' + process.env.STORE_FILE + group } });
    const workers = [start('a', 0), start('a', 1), start('b', 0), start('b', 1)];
    const results = await Promise.all(workers.map((worker) => once(worker, 'message')));
    await Promise.all(workers.map((worker) => worker.terminate()));
    console.log(JSON.stringify(results));
  `;
  const [results] = await printedByRanks<unknown[]>([program], store());
  expect(results).toEqual(Array(4).fill([[3, 3], 2]));
});

test('a process ends cleanly with collectives and groups that nobody has ended', async () => {
  const program = `
    distributed.initProcessGroup('gloo', { timeout: 20_000 }).then(() => {
      globalThis.model = new nn.parallel.DistributedDataParallel(new nn.Linear(2, 2));
      globalThis.model(torch.ones(1, 2)).sum().backward();
      if (rank === 0) distributed.recv(torch.ones(1), 1).catch(() => {});
      if (rank === 0) process.exit(7);
    });
  `;
  const outcomes = await runRanks(onRanks(2, program));
  expect(outcomes.map(({ status, signal }) => [status, signal])).toEqual([
    [7, null],
    [0, null],
  ]);
});
