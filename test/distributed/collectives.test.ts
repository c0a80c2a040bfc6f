/** Every collective of three ranks, beside what Python's ranks have got, and what goes on while ranks wait. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { dist as library } from '../support/child';
import { onRanks, printedByRanks } from '../support/ranks';

const collectives = { command: process.execPath, args: [join(__dirname, 'collectives.cjs'), library] };

/** SHA-256 of the results of collectives.py on three ranks of PyTorch 2.13, as doubles, by rank. */
const recorded = [
  'f19982daad0881e6dc89011469ec1820235a785878a0417b4ec2e26c6fb203b7',
  'ed48bb0692289ba1dd2c935cab39e459b63f83152c01c80ec0ac21f9d947e087',
  '8548823e5f2ade931938981d524c50088f5e81cdbee61e4b195e3d959823ff11',
];

test('the ranks get what ranks of Python have got, bit for bit', async () => {
  const results = await printedByRanks<number[][]>([collectives, collectives, collectives]);
  const hashes = results.map((rank) => {
    const hash = createHash('sha256');
    for (const tensor of rank) hash.update(new Uint8Array(Float64Array.from(tensor.flat()).buffer));
    return hash.digest('hex');
  });
  expect(hashes).toEqual(recorded);
});

test('rank and size are known at once; who does not await waits at the first use', async () => {
  const program = `
    distributed.initProcessGroup('gloo');
    const known = [distributed.isInitialized(), distributed.getRank() === rank, distributed.getWorldSize(), distributed.getBackend()];
    const x = torch.full([3], rank + 1);
    distributed.allReduce(x);
    const firstUse = x.toArray();
    const row = torch.zeros(2, 2);
    // Another part of the memory that a collective works on can be used meanwhile.
    const part = row.select(0, 1).fill_(rank + 1);
    const work = distributed.allReduce(part, { asyncOp: true });
    row.select(0, 0).fill_(7);
    work.wait();
    const isDone = work.isCompleted();
    await work;
    await distributed.destroyProcessGroup();
    console.log(JSON.stringify({ known, firstUse, isDone, row: row.toArray(), after: distributed.isInitialized() }));
  `;
  const expected = {
    known: [true, true, 2, 'gloo'],
    firstUse: [3, 3, 3],
    isDone: true,
    row: [
      [7, 7],
      [3, 3],
    ],
    after: false,
  };
  expect(await printedByRanks(onRanks(2, program))).toEqual([expected, expected]);
});

test('the event loop goes on while a rank waits, and a process ends that has not destroyed its group', async () => {
  const program = `
    await distributed.initProcessGroup('gloo');
    let ticks = 0;
    const timer = setInterval(() => { ticks += 1; }, 5);
    const x = torch.full([2], rank);
    if (rank === 1) await new Promise((resolve) => setTimeout(resolve, 300));
    const before = ticks;
    await distributed.allReduce(x, 'max');
    clearInterval(timer);
    console.log(JSON.stringify({ x: x.toArray(), ticked: rank === 1 || ticks - before > 3 }));
  `;
  const expected = { x: [1, 1], ticked: true };
  expect(await printedByRanks(onRanks(2, program))).toEqual([expected, expected]);
});

test('tensors over typed arrays, subgroups, ranks that are in none, functional operators', async () => {
  const program = `
    await distributed.initProcessGroup('gloo');
    const array = new Float32Array([rank, 1]);
    await distributed.allReduce(torch.fromTypedArray(array));
    const group = await distributed.newGroup([2, 0]);
    const ranks = [group.rank(), distributed.getRank(group), distributed.getWorldSize(group)];
    let refused;
    const x = torch.full([1], rank + 1);
    try {
      await distributed.allReduce(x, { group });
    } catch (error) {
      refused = error.message;
    }
    if (rank === 2) await distributed.broadcast(x.fill_(9), { src: 2, group });
    if (rank === 0) await distributed.broadcast(x, { groupSrc: 1, group });
    const functional = torch.ops._c10d_functional;
    const sum = functional.wait_tensor(functional.all_reduce(torch.full([2], rank), 'sum', '0'));
    await distributed.destroyProcessGroup(group);
    await distributed.destroyProcessGroup();
    console.log(JSON.stringify({ array: [...array], ranks, x: x.item(), refused, sum: sum.toArray() }));
  `;
  const refused = "allReduce: expected option 'group' to have this process among its ranks, but received [0, 2]";
  expect(await printedByRanks(onRanks(3, program))).toEqual([
    { array: [3, 3], ranks: [0, 0, 2], x: 9, sum: [3, 3] },
    { array: [3, 3], ranks: [-1, -1, -1], x: 2, refused, sum: [3, 3] },
    { array: [3, 3], ranks: [1, 1, 2], x: 9, sum: [3, 3] },
  ]);
});
