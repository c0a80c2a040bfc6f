// Collectives beside ranks of Python, as test/distributed/collectives.py has them; prints the results as JSON.
const torch = require(process.argv[2]);

const dist = torch.distributed;

async function run() {
  await dist.initProcessGroup('gloo');
  const [rank, size] = [dist.getRank(), dist.getWorldSize()];
  const ranks = Array.from({ length: size }, (_, i) => i);
  const mine = (dtype = 'float32') =>
    torch
      .randn(1001, { generator: new torch.Generator().manualSeed(rank) })
      .mul(10)
      .to(dtype);
  const results = [];
  for (const op of ['sum', 'product', 'min', 'max']) {
    for (const dtype of ['float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32', 'uint8']) {
      const tensor = mine(dtype);
      await dist.allReduce(tensor, op);
      results.push(tensor);
    }
  }
  for (const op of ['band', 'bor', 'bxor']) {
    const tensor = mine('int32');
    await dist.allReduce(tensor, { op });
    results.push(tensor);
  }
  let tensor = mine('complex64');
  await dist.allReduce(tensor);
  results.push(torch.viewAsReal(tensor));
  tensor = mine();
  await dist.broadcast(tensor, size - 1);
  results.push(tensor);
  tensor = mine();
  await dist.reduce(tensor, 1);
  results.push(rank === 1 ? tensor : torch.zeros(0));
  let gathered = ranks.map(() => torch.empty(1001));
  await dist.allGather(gathered, mine());
  results.push(...gathered);
  const into = torch.empty(1001 * size);
  await dist.allGatherIntoTensor(into, mine());
  results.push(into);
  gathered = rank === 0 ? ranks.map(() => torch.empty(1001)) : null;
  await dist.gather(mine(), gathered, 0);
  results.push(...(gathered ?? []));
  let part = torch.empty(3);
  await dist.scatter(part, rank === 0 ? ranks.map((i) => torch.full([3], i)) : null, 0);
  results.push(part);
  part = torch.empty(1001);
  await dist.reduceScatter(
    part,
    ranks.map((i) => mine().mul(i + 1)),
  );
  results.push(part);
  part = torch.empty(1001);
  await dist.reduceScatterTensor(part, torch.cat(ranks.map(() => mine())));
  results.push(part);
  part = torch.empty(size * 2);
  await dist.allToAllSingle(part, torch.arange(size * 2, { dtype: 'float32' }).add(100 * rank));
  results.push(part);
  const parts = ranks.map(() => torch.empty(2));
  await dist.allToAll(
    parts,
    ranks.map((i) => torch.full([2], 10 * rank + i)),
  );
  results.push(...parts);
  const [following, before] = [(rank + 1) % size, (rank - 1 + size) % size];
  const message = torch.empty(1001);
  const work = dist.isend(mine(), following, { tag: 3 });
  const source = await dist.recv(message, before, { tag: 3 });
  await work;
  results.push(message, torch.tensor([source]));
  const pair = await dist.newGroup([0, 1]);
  if (rank < 2) {
    tensor = mine();
    await dist.allReduce(tensor, { group: pair });
    results.push(tensor);
  }
  await dist.barrier();
  await dist.monitoredBarrier();
  await dist.destroyProcessGroup();
  console.log(JSON.stringify(results.map((each) => each.double().toArray())));
}

run();
