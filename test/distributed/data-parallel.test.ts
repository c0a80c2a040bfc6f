/** DistributedDataParallel beside what Python's ranks have got, and what it refuses. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dist as library } from '../support/child';
import { onRanks, printedByRanks, runRanks } from '../support/ranks';

/** The kernels that the recorded values are of. */
const pinned = { ATEN_CPU_CAPABILITY: 'default', MKL_CBWR: 'COMPATIBLE' };

/** What training.py prints on two and four ranks of PyTorch 2.13, with these kernels, without its keys. */
const recorded = [
  {
    ranks: 2,
    losses: [
      [
        1.561020851135254, 1.707168698310852, 1.775921106338501, 1.6595630645751953, 1.6199781894683838,
        1.6849278211593628, 1.654057502746582, 1.7814960479736328,
      ],
      [
        1.5872474908828735, 1.6532232761383057, 1.799844741821289, 1.6411198377609253, 1.6968528032302856,
        1.6676101684570312, 1.6092456579208374, 1.604919195175171,
      ],
    ],
    weights: [
      '0c62ce826b90c6b0925e86ff9f323dd4d892d8c20f5e4a8da8b14ce843c95e96',
      'f8e3709703b0184e892879d1a329e20fd62625d46c4cdb497b98dd38e4fd3ef7',
    ],
  },
  {
    ranks: 4,
    losses: [
      [
        1.561020851135254, 1.7395920753479004, 1.6121680736541748, 1.6818455457687378, 1.6279301643371582,
        1.6622817516326904, 1.632381558418274, 1.6363046169281006,
      ],
      [
        1.5872474908828735, 1.7387125492095947, 1.6533191204071045, 1.6042556762695312, 1.6797641515731812,
        1.679303526878357, 1.6791002750396729, 1.8466719388961792,
      ],
      [
        1.611055850982666, 1.633087396621704, 1.6813488006591797, 1.8318620920181274, 1.600200891494751,
        1.5843158960342407, 1.8299027681350708, 1.8042958974838257,
      ],
      [
        1.6335692405700684, 1.6249094009399414, 1.6402698755264282, 1.6048022508621216, 1.6406540870666504,
        1.6279418468475342, 1.7141456604003906, 1.4799833297729492,
      ],
    ],
    weights: [
      '48de4049a2e8db8030cfc9b6182144adec1886e2c493af684fcb6976273ff46f',
      'e225f1ef52628924a9030aefc554a1e7810d37c434d20d24dc15bf400c584f5c',
      'dddc67e3a23a29bccda676591564b8ad39bfe693b7a14109f21b47086e8ecb27',
      'cf46f5f3b8f4b0be2d001f1ea79746c7cd9580fda4a3975860deb14a6dd83a47',
    ],
  },
];

test.each(recorded)(
  '$ranks ranks learn what ranks of Python learn, bit for bit',
  async ({ ranks, losses, weights }) => {
    const training = { command: process.execPath, args: [join(__dirname, 'training.cjs'), library, '[{}]'] };
    const results = await printedByRanks<[{ losses: number[]; weights: string; keys: string[] }]>(
      Array(ranks).fill(training),
      pinned,
    );
    expect(results.map(([each]) => each.losses)).toEqual(losses);
    expect(results.map(([each]) => each.weights)).toEqual(weights);
    expect(results[0]?.[0].keys.slice(0, 5)).toEqual([
      'module.first.weight',
      'module.first.bias',
      'module.norm.weight',
      'module.norm.bias',
      'module.norm.running_mean',
    ]);
  },
);

test('models that differ, that have no gradients, and options that do not exist are refused', async () => {
  const program = `
    await distributed.initProcessGroup('gloo', { timeout: 20_000 });
    const messages = [];
    const refused = (make) => {
      try {
        make();
      } catch ({ code, message }) {
        messages.push(code + ' ' + message.split('\\n')[0]);
      }
    };
    const { DistributedDataParallel } = nn.parallel;
    refused(() => new DistributedDataParallel(new nn.ReLU()));
    refused(() => new DistributedDataParallel(new nn.Linear(2, 2), { findUnused: true }));
    refused(() => new DistributedDataParallel(7));
    refused(() => new DistributedDataParallel(new nn.Linear(2, 2), { bucketCapMb: -1 }));
    refused(() => new DistributedDataParallel(new nn.Linear(2, 2 + rank)));
    // The rank that finds it out ends; the other one is told.
    console.log(JSON.stringify(messages));
  `;
  const [first, second] = await printedByRanks<string[]>(onRanks(2, program));
  const both = [
    "INVALID_ARGUMENT DistributedDataParallel: expected 'module' to have parameters that require gradients, but received none",
    expect.stringContaining("UNKNOWN_OPTION DistributedDataParallel: unknown option 'findUnused'"),
    "INVALID_ARGUMENT DistributedDataParallel: expected 'module' to be a Module, but received 7",
    "INVALID_ARGUMENT DistributedDataParallel: expected option 'bucketCapMb' to be a number of mebibytes > 0, but received -1",
  ];
  expect(first).toEqual([...both, expect.stringContaining('DISTRIBUTED DistributedDataParallel: rank 0 of 2: ')]);
  expect(second).toEqual([...both, expect.stringContaining('DISTRIBUTED DistributedDataParallel: rank 1 of 2: ')]);
});

test('the training of docs/distributed.md prints what it says there', async () => {
  const root = resolve(__dirname, '..', '..');
  const text = readFileSync(join(root, 'docs', 'distributed.md'), 'utf8');
  // In turn outside and inside of blocks: the program, the command, what is printed.
  const [, program = '', , , , printed] = text.split(/^```.*\n/m);
  // Inside the package, so that its own name resolves to dist/.
  const compiled = join(root, 'build', 'documentation');
  mkdirSync(compiled, { recursive: true });
  const file = join(compiled, 'docs-distributed-train.mjs');
  writeFileSync(file, program);
  const outcomes = await runRanks(Array(2).fill({ command: process.execPath, args: [file] }), pinned);
  expect(outcomes.map(({ stdout, stderr }) => stdout + stderr)).toEqual([printed, '']);
});
