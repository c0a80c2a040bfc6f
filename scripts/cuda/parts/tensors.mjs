// Tensors on the GPU: where they are made, copies, reading without waiting, memory, streams, seeds, modes.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { check, done, library, notRun, order, progress } from '../part.mjs';

const torch = library();
const { cuda } = torch;
const F = torch.nn.functional;
const { device, devices } = order;

/** Each returns whether it holds, or throws. */
const claims = {
  'factories, to() and cuda() make tensors on the device': () => {
    const made = [
      torch.zeros([2], { device }),
      torch.ones([2]).to(device),
      torch.ones([2]).cuda(),
      torch.rand([2], { device }),
    ];
    return made.every((tensor) => tensor.device === `cuda:${cuda.currentDevice()}`);
  },
  'a copy there and back keeps the bits of every dtype': () =>
    torch.dtypes.every((dtype) => {
      const tensor = torch.arange(0, 97, 1).sub(48).to(dtype);
      return torch.equal(tensor, tensor.to(device).cpu());
    }),
  'a copy from page-locked memory does not wait, and arrives': () => {
    const pinned = torch.randn([2 ** 20]).pinMemory();
    const there = pinned.to({ device, nonBlocking: true });
    return pinned.isPinned() && torch.equal(there.cpu(), pinned);
  },
  'toTypedArrayAsync() and itemAsync() give what was computed, and the event loop goes on meanwhile': async () => {
    const size = order.quick ? 256 : 8192;
    const x = torch.eye(size, { device });
    let product = x;
    // Some tenths of a second of work that is queued.
    for (let i = 0; i < 30; i++) product = product.matmul(x);
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    try {
      const [total, row] = await Promise.all([product.sum().itemAsync(), product.select(0, 3).toTypedArrayAsync()]);
      return total === size && row[3] === 1 && row.length === size && turns > 0;
    } finally {
      isOver = true;
    }
  },
  'the gradient of a copy to the device arrives on the CPU': () => {
    const leaf = torch.tensor([1, 2, 4], { requiresGrad: true });
    F.mseLoss(leaf.to(device), torch.zeros([3], { device }), { reduction: 'sum' }).backward();
    return leaf.grad.device === 'cpu' && String(leaf.grad.toArray()) === '2,4,8';
  },
  'valueAndGrad writes into a tensor on the device': () => {
    const [x, into] = [torch.ones([4], { device }), torch.zeros([4], { device })];
    torch.valueAndGrad(F.mseLoss, { gradInto: into })(x, torch.zeros([4], { device }), { reduction: 'sum' });
    return String(into.toArray()) === '2,2,2,2';
  },
  'modules compute where their input is': () => {
    const weight = torch.tensor([1, 2, 3]).to(device);
    const loss = new torch.nn.CrossEntropyLoss({ weight });
    return loss.forward(torch.zeros([2, 3], { device }), [0, 2]).device.startsWith('cuda');
  },
  'noGrad and inferenceMode hold there': () => {
    const leaf = torch.ones([2], { device, requiresGrad: true });
    const inside = [torch.noGrad(() => leaf.mul(2)), torch.inferenceMode(() => leaf.mul(2))];
    return inside.every((tensor) => !tensor.requiresGrad) && leaf.mul(2).requiresGrad;
  },
  'a seed repeats random numbers, of all devices and of one': () => {
    const drawn = (seed) => {
      seed(7);
      return torch.randn([1000], { device });
    };
    const [first, second, third] = [torch.manualSeed, torch.manualSeed, cuda.manualSeed].map(drawn);
    return (
      torch.equal(first, second) && torch.equal(first, third) && !torch.equal(first, torch.randn([1000], { device }))
    );
  },
  'memoryStats() follows tensors, peaks and the cache': () => {
    const bytes = 2 ** 26;
    collectDropped();
    cuda.emptyCache();
    cuda.resetPeakMemoryStats();
    const now = () => cuda.memoryStats();
    const before = now().allocatedBytes.current;
    const tensor = torch.empty([bytes / 4], { device });
    const grown = now().allocatedBytes.current - before;
    tensor.dispose();
    const after = now();
    cuda.emptyCache();
    const isBack = after.allocatedBytes.current === before && after.allocatedBytes.peak >= before + bytes;
    return grown === bytes && isBack && now().reservedBytes.current <= after.reservedBytes.current - bytes;
  },
  'scope gives memory on the device back': () => {
    collectDropped();
    const before = cuda.memoryStats().allocatedBytes.current;
    torch.scope(() => {
      torch.ones([2 ** 22], { device }).add(1);
    });
    return cuda.memoryStats().allocatedBytes.current === before;
  },
  'work on another stream, waited for, is done': () => {
    const stream = new cuda.Stream();
    const x = torch.ones([2 ** 22], { device });
    stream.waitStream(cuda.currentStream());
    const sum = cuda.stream(stream, () => x.mul(3).sum());
    const isOther = !stream.equals(cuda.currentStream());
    cuda.currentStream().waitStream(stream);
    return isOther && sum.item() === 3 * 2 ** 22;
  },
};

const ofSeveral = {
  'tensors go from one GPU to another': () => {
    const x = torch.randn([1000], { device: 'cuda:0' });
    return torch.equal(x.to('cuda:1').cpu(), x.cpu());
  },
  'every GPU gives the same loss': () => {
    const x = torch.randn([64, 10]);
    const labels = torch.randint(0, 10, [64]);
    const losses = Array.from({ length: devices }, (_, i) =>
      F.crossEntropy(x.to(`cuda:${i}`), labels.to(`cuda:${i}`)).item(),
    );
    return new Set(losses).size === 1;
  },
  'setDevice() says which is the current one': () => {
    cuda.setDevice(1);
    const { device: there } = torch.ones([1], { device: 'cuda' });
    cuda.setDevice(0);
    return there === 'cuda:1';
  },
};

if (device === 'cpu') notRun('tensors, copies, streams and seeds on a GPU', 'there is no GPU');
else await run({ ...claims, ...(devices > 1 ? ofSeveral : {}) });
if (devices === 1) notRun('copies between GPUs', 'there is one');
done();

async function run(wanted) {
  for (const [name, holds] of Object.entries(wanted)) {
    progress(name);
    try {
      const isSo = await holds();
      check(name, isSo, isSo ? undefined : 'it does not hold');
    } catch (error) {
      check(name, false, error.stack);
    }
  }
}

/** Collects what earlier checks have dropped: its memory would come back while that of tensors is measured. */
function collectDropped() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
