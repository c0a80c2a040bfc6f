/** The built package as a program sees it: named imports from both module systems, and no libtorch until it is used. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '../../lib';
import * as reference from '../../lib/reference';

const root = join(__dirname, '..', '..');

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program in the package's own folder, where its name leads to what was built. */
function run(type: 'module' | 'commonjs', program: string, environment: NodeJS.ProcessEnv = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`--input-type=${type}`, '-e', program], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  return { status, stdout: stdout.trim(), stderr };
}

function succeeding(outcome: Outcome): string {
  expect({ status: outcome.status, stderr: outcome.stderr }).toEqual({ status: 0, stderr: '' });
  return outcome.stdout;
}

const example = `
const x = tensor([[1, 2, 0.5, 0.1]], { requiresGrad: true });
nn.functional.crossEntropy(x, [1]).backward();
console.log(x.grad.shape.join(), cuda.isAvailable() === (cuda.deviceCount() > 0));`;

test('named imports work from an ES module', () => {
  expect(succeeding(run('module', `import { tensor, nn, cuda } from 'libtorch-losses';${example}`))).toBe('1,4 true');
});

test('and from CommonJS', () => {
  expect(succeeding(run('commonjs', `const { tensor, nn, cuda } = require('libtorch-losses');${example}`))).toBe(
    '1,4 true',
  );
});

test.each([
  ['libtorch-losses', library],
  ['libtorch-losses/reference', reference],
])('%s has every name of its source in an ES module', (specifier, source) => {
  const program = `import * as all from '${specifier}'; console.log(JSON.stringify(Object.keys(all)))`;
  const names: string[] = JSON.parse(succeeding(run('module', program)));
  const own = names.filter((name) => !['default', 'module.exports', '__esModule'].includes(name));
  expect(own.sort()).toEqual(Object.keys(source).sort());
});

test('nothing else of the package can be imported', () => {
  const { status, stderr } = run('module', "import 'libtorch-losses/dist/index.js'");
  expect(status).toBe(1);
  expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

describe('without libtorch', () => {
  let nothing: string;
  beforeAll(() => {
    nothing = mkdtempSync(join(tmpdir(), 'libtorch-losses-nothing-'));
  });
  afterAll(() => rmSync(nothing, { recursive: true }));

  test('the reference works', () => {
    const program = `
import { crossEntropy } from 'libtorch-losses/reference';
console.log(crossEntropy([[0, 0]], [1]).backward().input.toArray().join());`;
    expect(succeeding(run('module', program, { LIBTORCH: nothing }))).toBe('0.5,-0.5');
  });

  test('the package can be imported; the first tensor says what is wrong', () => {
    const program = `
import { LoadError, nn, tensor } from 'libtorch-losses';
const loss = new nn.CrossEntropyLoss({ reduction: 'sum' });
try {
  tensor([1]);
} catch (error) {
  console.log(loss.reduction, error instanceof LoadError, error.code, error.attempts.length);
}`;
    expect(succeeding(run('module', program, { LIBTORCH: nothing }))).toBe('sum true LIBTORCH_UNUSABLE 1');
  });
});
